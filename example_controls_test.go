package rediscache_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

func ExampleReadOnly() {
	db, counters, done := shop()
	defer done()

	// A job that reads everything once must not drive out what others read often.
	job := db.WithContext(rediscache.WithReadOnly(context.Background()))
	must(job.Find(&[]User{}).Error)
	must(job.Find(&[]User{}).Error)
	fmt.Println(counters.Totals().Fills, "fills,", counters.Totals().Bypasses, "bypasses")
	// Output: 0 fills, 2 bypasses
}

func ExampleTTL() {
	db, _, done := shop()
	defer done()

	var info rediscache.Explanation
	must(db.Clauses(rediscache.TTL(30*time.Second), rediscache.Explain(&info)).Find(&[]User{}).Error)
	fmt.Println(info.Outcome, info.TTL <= 30*time.Second)

	// A time that is none is an error of the statement.
	err := db.Clauses(rediscache.TTL(0)).Find(&[]User{}).Error
	fmt.Println(errors.Is(err, rediscache.ErrControl), err)
	// Output:
	// miss true
	// true rediscache: invalid control: TTL: want a positive duration, got 0s
}

func ExampleStaleOK() {
	db, _, done := shop()
	defer done()
	read := func(db *gorm.DB) string {
		var user User
		must(db.First(&user, 1).Error)
		return user.Name
	}
	read(db)
	stored(db)

	must(db.Model(&User{ID: 1}).Update("name", "Grace").Error)
	fmt.Println(read(db.Clauses(rediscache.StaleOK(time.Minute)))) // at once, and read anew behind it
	fmt.Println(read(db))
	// Output:
	// Ada
	// Grace
}

// stored waits until the row is in Redis: answers are stored behind the caller's back.
func stored(db *gorm.DB) {
	for {
		var info rediscache.Explanation
		must(db.Clauses(rediscache.Explain(&info)).First(&User{}, 1).Error)
		if info.Found == 1 {
			return
		}
	}
}

func ExampleWithExplain() {
	db, _, done := shop()
	defer done()

	var info rediscache.Explanation
	request := db.WithContext(rediscache.WithExplain(context.Background(), &info))
	must(request.First(&User{}, 1).Error)
	must(request.Model(&User{}).Count(new(int64)).Error)
	fmt.Println(info.Statement)
	fmt.Println(info.Besides[0].Statement)
	// Output:
	// SELECT * FROM `users` WHERE `users`.`id` = ? ORDER BY `users`.`id` LIMIT 1
	// SELECT count(*) FROM `users`
}

// Every control can be given in four ways.
func Example_controls() {
	db, counters, done := shop()
	defer done()
	ctx := context.Background()

	must(db.Clauses(rediscache.Bypass).Find(&[]User{}).Error)                  // by a clause
	must(db.WithContext(rediscache.WithBypass(ctx)).Find(&[]User{}).Error)     // by a context
	report := db.Clauses(rediscache.Bypass).Session(&gorm.Session{})           // by a session …
	must(report.Find(&[]User{}).Error)                                         // … that is used
	must(report.First(&User{}, 1).Error)                                       // again and again
	_, err := gorm.G[User](db, rediscache.Bypass).Where("id = ?", 1).Find(ctx) // in the generics API
	must(err)
	fmt.Println(counters.Totals().Bypasses, "bypasses")
	// Output: 5 bypasses
}
