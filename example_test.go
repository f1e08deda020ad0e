package rediscache_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/glebarez/sqlite"
	"github.com/prometheus/client_golang/prometheus"
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

// readmeConfig is the README's configuration. It is compiled, not run: see configured.
func readmeConfig(client redis.UniversalClient) *rediscache.Plugin {
	plugin := rediscache.New(rediscache.Config{
		Redis:     client, // redis.UniversalClient: one server, Sentinel or Cluster; or Store: for anything else
		Namespace: "shop",
		Policy:    ttlconfig.Policy{TTL: time.Hour},
		Models: ttlconfig.Models{
			ttlconfig.For[AuditLog](): ttlconfig.Never,
		},
		OnOutage:   rediscache.Journal, // or FailWrite, Outbox
		Registerer: prometheus.DefaultRegisterer,
		Logger:     slog.Default(),
	})
	return plugin
}

var _ = readmeConfig

// patience is a deadline that a machine keeps which is busy with other tests.
const patience = 10 * time.Second

// configured is much the same as readmeConfig, with patience.
func configured(client redis.UniversalClient, counters *metrics.Counters) *rediscache.Plugin {
	return rediscache.New(rediscache.Config{
		Redis: client, Namespace: "shop", Recorder: counters, Timeout: patience, LearnTimeout: patience,
		Policy: ttlconfig.Policy{TTL: time.Hour},
		Models: ttlconfig.Models{ttlconfig.For[AuditLog](): ttlconfig.Never},
	})
}

// perStatement is the README's list of what can be said of one statement.
func perStatement(db *gorm.DB) {
	var info rediscache.Explanation
	var user User
	var users []User
	db.Clauses(rediscache.Bypass).First(&user, 1)                   // neither read from the cache nor store
	db.Clauses(rediscache.Refresh).Find(&users)                     // read the database, and store
	db.Clauses(rediscache.ReadOnly).Find(&users)                    // read from the cache, but do not store
	db.Clauses(rediscache.TTL(time.Minute)).Find(&users)            // keep it for so long, and accept nothing older
	db.Clauses(rediscache.StaleOK(time.Second)).Find(&users)        // served at once if it was true so long ago
	db.Clauses(rediscache.DependsOn("orders")).Find(&users, rich)   // say what a function in the text reads
	db.Clauses(rediscache.Touches("orders")).Exec("CALL archive()") // say what the text does not show
	db.Clauses(rediscache.Explain(&info)).Find(&users)              // say what the cache does, and why
	_ = rediscache.Invalidate(db, rediscache.Row[User](1))          // say that somebody else changed it
}

var _ = perStatement

// rich is a condition with a stable function of the application's own.
const rich = "spent(id) > 100"

// shop opens a database and a Redis server in this process.
func shop() (db *gorm.DB, counters *metrics.Counters, done func()) { return shopWith(configured) }

// shopWith is shop with another configuration.
func shopWith(
	configured func(redis.UniversalClient, *metrics.Counters) *rediscache.Plugin,
) (db *gorm.DB, counters *metrics.Counters, done func()) {
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

func ExampleExplain() {
	db, _, done := shop()
	defer done()

	var info rediscache.Explanation
	must(db.Clauses(rediscache.Explain(&info)).First(&User{}, 1).Error)
	fmt.Println(info.Outcome, info.Tags[0].Tag)
	must(db.Clauses(rediscache.Explain(&info)).Where("name = ?", "Ada").Find(&[]User{}).Error)
	fmt.Println(info.Outcome, info.Tags[0].Tag, "because", info.Tags[0].Why)
	must(db.Clauses(rediscache.Explain(&info)).Where("random() > 0").Find(&[]User{}).Error)
	fmt.Println(info.Outcome, info.Reason, info.Detail)
	must(db.Clauses(rediscache.Explain(&info)).Model(&User{ID: 1}).Update("name", "Grace").Error)
	fmt.Print(info)
	// Output:
	// miss row:users:1
	// miss list:users because any row of the table: conditions on [name] are none on a key or scope, of which it has [id]; Policy.TagColumns adds scopes
	// bypass volatile function random
	// statement UPDATE `users` SET `name`=? WHERE `id` = ?
	// outcome   wrote
	// tag       list:users: rows of the table changed
	// tag       row:users:1: a row that it touched
}

func ExampleScope() {
	db, _, done := shop()
	defer done()
	count := func() (n int64) {
		must(db.Model(&User{}).Where("name = ?", "Ada").Count(&n).Error)
		return n
	}
	fmt.Println(count())

	// A program that does not use the plugin.
	sqlDB, err := db.DB()
	must(err)
	_, err = sqlDB.Exec("INSERT INTO users VALUES (2, 'Ada')")
	must(err)
	fmt.Println(count())

	must(rediscache.Invalidate(db, rediscache.Scope[User](map[string]any{"name": "Ada"})))
	fmt.Println(count())
	// Output:
	// 1
	// 1
	// 2
}

func ExampleDependsOn() {
	db, counters, done := shop()
	defer done()
	read := func() {
		// As if a function that is called here, or a view, read orders.
		must(db.Clauses(rediscache.DependsOn("orders")).First(&User{}, 1).Error)
	}
	read()
	read()
	must(db.Exec("CREATE TABLE orders (id int)").Error)
	defer db.Exec("DROP TABLE orders")
	read()
	must(db.Exec("INSERT INTO orders VALUES (1)").Error)
	read()
	fmt.Println(counters.Totals().Hits, "hit,", counters.Totals().Misses, "misses")
	// Output: 1 hit, 3 misses
}

type Customer struct {
	ID     int
	Email  string  `gorm:"unique"`
	Orders []Order `gorm:"constraint:OnDelete:CASCADE"`
}

type Order struct {
	ID         int
	CustomerID int
}

func ExamplePlugin_Graph() {
	db, _, done := shop()
	defer done()
	must(db.AutoMigrate(&Customer{}, &Order{}))
	must(db.Find(&[]Customer{}).Error)

	plugin, _ := db.Plugins["rediscache"].(*rediscache.Plugin)
	fmt.Print(plugin.Graph())
	must(db.Migrator().DropTable(&Customer{}, &Order{}))
	// Output:
	// database in memory
	//
	// audit_logs: table; key id
	//
	// customers: table; key id; scopes email (unique)
	//
	// orders: table; key id; scopes customer_id
	//   refers to customers by customer_id = id, on delete CASCADE
	//
	// users: table; key id
}
