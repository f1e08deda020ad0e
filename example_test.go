package rediscache_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/glebarez/sqlite"
	"github.com/redis/go-redis/v9"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

type User struct {
	ID   int
	Name string
}

type AuditLog struct{ ID int }

// quickStart is the first code of the README. It is compiled, not run: it wants servers.
func quickStart(dsn string) error {
	db, err := gorm.Open(postgres.Open(dsn))
	if err != nil {
		return err
	}
	err = db.Use(rediscache.New(rediscache.Config{}))
	return err
}

var _ = quickStart

// configured is the README's configuration.
func configured(client redis.UniversalClient, counters *metrics.Counters) *rediscache.Plugin {
	plugin := rediscache.New(rediscache.Config{
		Redis:     client, // redis.UniversalClient: one server, Sentinel or Cluster
		Namespace: "shop",
		Policy:    ttlconfig.Policy{TTL: time.Hour},
		Models: ttlconfig.Models{
			ttlconfig.For[AuditLog](): ttlconfig.Never,
		},
		OnOutage: rediscache.Journal, // or FailWrite
		Recorder: counters,           // what it reports about itself
	})
	return plugin
}

// perStatement is the README's list of what can be said of one statement.
func perStatement(db *gorm.DB) {
	var user User
	var users []User
	db.Clauses(rediscache.Bypass).First(&user, 1)                   // neither read from the cache nor store
	db.Clauses(rediscache.Refresh).Find(&users)                     // read the database, and store
	db.Clauses(rediscache.Touches("orders")).Exec("CALL archive()") // say what the text does not show
	_ = rediscache.Invalidate(db, rediscache.Row[User](1))          // say that somebody else changed it
}

// shop opens a database and a Redis server in this process.
func shop() (db *gorm.DB, counters *metrics.Counters, done func()) {
	server, err := miniredis.Run()
	must(err)
	db, err = gorm.Open(sqlite.Open("file:example?mode=memory&cache=shared"))
	must(err)
	must(db.AutoMigrate(&User{}, &AuditLog{}))
	must(db.Create(&User{ID: 1, Name: "Ada"}).Error)

	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	counters = &metrics.Counters{}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	plugin := configured(client, counters)
	must(db.Use(plugin))
	return db, counters, func() {
		must(plugin.Close(context.Background()))
		must(client.Close())
		server.Close()
		must(db.Migrator().DropTable(&User{}, &AuditLog{}))
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func Example() {
	db, counters, done := shop()
	defer done()

	for range 3 {
		var user User
		must(db.First(&user, 1).Error)
		fmt.Println(user.Name)
	}
	must(db.Model(&User{ID: 1}).Update("name", "Grace").Error)
	var user User
	must(db.First(&user, 1).Error)
	fmt.Println(user.Name)

	totals := counters.Totals()
	fmt.Println(totals.Hits, "hits,", totals.Misses, "misses,", totals.Writes, "write")
	// Output:
	// Ada
	// Ada
	// Ada
	// Grace
	// 2 hits, 2 misses, 1 write
}

func ExampleBypass() {
	db, counters, done := shop()
	defer done()

	must(db.Clauses(rediscache.Bypass).First(&User{}, 1).Error)
	must(db.Clauses(rediscache.Refresh).Find(&[]User{}).Error)
	fmt.Println(counters.Totals().Reasons[metrics.ReasonControl], "bypass")
	// Output: 1 bypass
}

func ExampleWithBypass() {
	db, counters, done := shop()
	defer done()

	db = db.WithContext(rediscache.WithBypass(context.Background()))
	must(db.First(&User{}, 1).Error)
	must(db.Find(&[]User{}).Error)
	fmt.Println(counters.Totals().Bypasses, "bypasses")
	// Output: 2 bypasses
}

func ExampleInvalidate() {
	db, _, done := shop()
	defer done()
	read := func() string {
		var user User
		must(db.First(&user, 1).Error)
		return user.Name
	}
	fmt.Println(read())

	// A program that does not use the plugin.
	sqlDB, err := db.DB()
	must(err)
	_, err = sqlDB.Exec("UPDATE users SET name = 'Grace' WHERE id = 1")
	must(err)
	fmt.Println(read())

	must(rediscache.Invalidate(db, rediscache.Row[User](1)))
	fmt.Println(read())
	// Output:
	// Ada
	// Ada
	// Grace
}

func ExampleTouches() {
	db, _, done := shop()
	defer done()
	perStatement(db)

	// A procedure whose text the cache cannot see; here, a statement that stands for one.
	must(db.Clauses(rediscache.Touches("orders")).Exec("SELECT 1").Error)
	fmt.Println("every answer that depends on orders is read anew")
	// Output: every answer that depends on orders is read anew
}
