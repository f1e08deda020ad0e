package memstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store/memstore"
)

// patience is a deadline that a machine keeps which is busy with other tests.
const patience = 10 * time.Second

type Product struct {
	ID    int
	Name  string
	Price int
}

// A program without Redis.
func Example() {
	cache, err := memstore.New(memstore.Options{MaxBytes: 16 << 20})
	if err != nil {
		panic(err)
	}
	db, err := gorm.Open(sqlite.Open("file:products?mode=memory&cache=shared"))
	if err != nil {
		panic(err)
	}
	counters := &metrics.Counters{}
	plugin := rediscache.New(rediscache.Config{Store: cache, Recorder: counters, Timeout: patience, LearnTimeout: patience})
	if err := db.Use(plugin); err != nil {
		panic(err)
	}
	defer func() { _ = plugin.Close(context.Background()) }()

	_ = db.AutoMigrate(&Product{})
	db.Create(&Product{ID: 1, Name: "tea", Price: 3})
	show := func() {
		var p Product
		db.First(&p, 1)
		fmt.Println(p.Name, p.Price)
	}
	show()
	show()
	db.Model(&Product{ID: 1}).Update("price", 4)
	show()
	show()
	totals := counters.Totals()
	fmt.Println(totals.Hits, "hits,", totals.Misses, "misses")
	// Output:
	// tea 3
	// tea 3
	// tea 4
	// tea 4
	// 2 hits, 2 misses
}
