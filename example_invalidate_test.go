package rediscache_test

import (
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

// hits returns how many of three queries are answered by the cache: a lookup, a list, and a query of another table.
func hits(db *gorm.DB) (n int) {
	for _, query := range []func(*gorm.DB) error{
		func(db *gorm.DB) error { return db.First(&User{}, 1).Error },
		func(db *gorm.DB) error { return db.Order("name").Find(&[]User{}).Error },
		func(db *gorm.DB) error { return db.Find(&[]AuditEntry{}).Error },
	} {
		var info rediscache.Explanation
		must(query(db.Clauses(rediscache.Explain(&info))))
		if info.Outcome == "hit" {
			n++
		}
	}
	return n
}

// AuditEntry is a model that is cached.
type AuditEntry struct{ ID int }

func ExampleTable() {
	db, _, done := shop()
	defer done()
	must(db.AutoMigrate(&AuditEntry{}))
	defer func() { must(db.Migrator().DropTable(&AuditEntry{})) }()
	fmt.Println(hits(db), "and then", hits(db))

	must(rediscache.Invalidate(db, rediscache.Table("users"))) // a job in the database has changed many of them
	fmt.Println("without users:", hits(db))
	// Output:
	// 0 and then 3
	// without users: 1
}

func ExampleEverything() {
	db, _, done := shop()
	defer done()
	must(db.AutoMigrate(&AuditEntry{}))
	defer func() { must(db.Migrator().DropTable(&AuditEntry{})) }()
	fmt.Println(hits(db), "and then", hits(db))

	must(rediscache.Invalidate(db, rediscache.Everything())) // a backup was restored into the database
	fmt.Println("without anything:", hits(db))
	// Output:
	// 0 and then 3
	// without anything: 0
}

// In a transaction, it takes effect if that commits.
func ExampleInvalidate_transaction() {
	db, _, done := shop()
	defer done()
	must(db.AutoMigrate(&AuditEntry{}))
	defer func() { must(db.Migrator().DropTable(&AuditEntry{})) }()
	fmt.Println(hits(db), "and then", hits(db))

	undo := errors.New("undo")
	for _, end := range []error{undo, nil} {
		err := db.Transaction(func(tx *gorm.DB) error {
			must(rediscache.Invalidate(tx, rediscache.Table("users")))
			return end
		})
		fmt.Println(err, hits(db))
	}
	// Output:
	// 0 and then 3
	// undo 3
	// <nil> 1
}
