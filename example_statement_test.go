package rediscache_test

import (
	"context"
	"fmt"

	"github.com/gorm-rediscache/rediscache"
)

func ExampleRefresh() {
	db, _, done := shop()
	defer done()
	var user User
	must(db.First(&user, 1).Error)

	// A program that does not use the plugin.
	sqlDB, err := db.DB()
	must(err)
	_, err = sqlDB.Exec("UPDATE users SET name = 'Grace' WHERE id = 1")
	must(err)

	var info rediscache.Explanation
	must(db.Clauses(rediscache.Refresh, rediscache.Explain(&info)).First(&user, 1).Error)
	fmt.Println(user.Name, info.Outcome) // and on its way into the cache
	// Output: Grace miss
}

func ExampleWithRefresh() {
	db, counters, done := shop()
	defer done()

	db = db.WithContext(rediscache.WithRefresh(context.Background()))
	for range 3 {
		must(db.First(&User{}, 1).Error)
	}
	fmt.Println(counters.Totals().Hits, "hits,", counters.Totals().Misses, "misses")
	// Output: 0 hits, 3 misses
}

func ExampleTouches() {
	db, counters, done := shop()
	defer done()
	read := func() { must(db.First(&User{}, 1).Error) }
	read()
	read()

	// A procedure may change what its CALL does not show. SQLite has none; here, a query stands for it.
	must(db.Clauses(rediscache.Touches("users")).Exec("SELECT 1").Error)
	read()
	fmt.Println(counters.Totals().Hits, "hit,", counters.Totals().Misses, "misses")
	// Output: 1 hit, 2 misses
}
