package metrics_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/glebarez/sqlite"
	"github.com/redis/go-redis/v9"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// User is a row of the shop.
type User struct {
	ID   int
	Name string
}

// patience is a deadline that a machine keeps which is busy with other tests.
const patience = 10 * time.Second

// shop opens a database and a Redis server in this process, with a plugin that reports to a Recorder.
func shop(r metrics.Recorder) (db *gorm.DB, done func()) {
	server, err := miniredis.Run()
	must(err)
	db, err = gorm.Open(sqlite.Open("file:metrics?mode=memory&cache=shared"))
	must(err)
	must(db.AutoMigrate(&User{}))
	must(db.Create(&User{ID: 1, Name: "Ada"}).Error)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	plugin := rediscache.New(rediscache.Config{
		Redis: client, Recorder: r, Logger: slog.New(slog.DiscardHandler),
		Timeout: patience, LearnTimeout: patience,
	})
	must(db.Use(plugin))
	return db, func() {
		must(plugin.Close(context.Background()))
		must(client.Close())
		server.Close()
		must(db.Migrator().DropTable(&User{}))
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ExampleCounters() {
	var counters metrics.Counters
	db, done := shop(&counters)
	defer done()

	for range 3 {
		must(db.First(&User{}, 1).Error)
	}
	must(db.Transaction(func(tx *gorm.DB) error { return tx.First(&User{}, 1).Error }))
	must(db.Model(&User{ID: 1}).Update("name", "Grace").Error)

	totals := counters.Totals()
	fmt.Println(totals.Hits, "hits,", totals.Misses, "miss,", totals.Bypasses, "bypass,", totals.Writes, "write")
	for reason, n := range totals.Reasons {
		fmt.Println(n, reason.Sentence())
	}
	// Output:
	// 2 hits, 1 miss, 1 bypass, 1 write
	// 1 inside a transaction the database answers
}

// byTable is a Recorder that counts the hits of each table. What it is not interested in, Nop takes.
type byTable struct {
	metrics.Nop
	mu   sync.Mutex
	hits map[string]int
}

// Read implements metrics.Recorder.
func (r *byTable) Read(e metrics.ReadEvent) {
	if e.Outcome != metrics.Hit {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hits[e.Table]++
}

func ExampleRecorder() {
	recorder := &byTable{hits: map[string]int{}}
	db, done := shop(recorder)
	defer done()

	for range 3 {
		must(db.Find(&[]User{}).Error)
	}
	fmt.Println(recorder.hits)
	// Output: map[users:2]
}
