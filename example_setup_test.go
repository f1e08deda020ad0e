package rediscache_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/glebarez/sqlite"
	"github.com/redis/go-redis/v9"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// The zero Config finds Redis in the environment.
func ExampleNew() {
	server, err := miniredis.Run()
	must(err)
	defer server.Close()
	must(os.Setenv("REDIS_URL", "redis://"+server.Addr())) // the platform does so
	defer func() { must(os.Unsetenv("REDIS_URL")) }()
	slog.SetDefault(slog.New(slog.DiscardHandler))

	db, err := gorm.Open(sqlite.Open(":memory:"))
	must(err)
	must(db.AutoMigrate(&User{}))
	plugin := rediscache.New(rediscache.Config{})
	must(db.Use(plugin))

	must(db.Create(&User{ID: 1, Name: "Ada"}).Error)
	for range 2 { // the first is answered by the database, the second by Redis
		var user User
		must(db.First(&user, 1).Error)
		fmt.Println(user.Name)
	}
	must(plugin.Close(context.Background())) // when the application ends
	// Output:
	// Ada
	// Ada
}

// What is wrong with a Config is the error of Use, all of it at once.
func ExampleNew_invalid() {
	db, err := gorm.Open(sqlite.Open(":memory:"))
	must(err)
	err = db.Use(rediscache.New(rediscache.Config{
		Namespace: "shop:eu",
		Timeout:   -time.Second,
	}))
	fmt.Println(errors.Is(err, rediscache.ErrConfig))
	fmt.Println(err)
	// Output:
	// true
	// rediscache: invalid configuration: Config.Namespace: want 1 to 64 of the characters A-Z a-z 0-9 . _ -, got "shop:eu"
	// Config.Timeout: want a positive duration, got -1s
}

// Models have policies of their own.
func ExampleConfig() {
	server, err := miniredis.Run()
	must(err)
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { must(client.Close()) }()
	db, err := gorm.Open(sqlite.Open(":memory:"))
	must(err)
	must(db.AutoMigrate(&User{}, &AuditLog{}))

	plugin := rediscache.New(rediscache.Config{
		Redis:     client,
		Namespace: "shop",
		Policy:    ttlconfig.Policy{TTL: time.Hour},
		Models: ttlconfig.Models{
			ttlconfig.For[User]():     {TagColumns: []string{"name"}},
			ttlconfig.For[AuditLog](): ttlconfig.Never,
		},
		OnOutage: rediscache.FailWrite,
		Timeout:  5 * time.Second, // 100 ms if it is not set
		Logger:   slog.New(slog.DiscardHandler),
	})
	must(db.Use(plugin))
	defer func() { must(plugin.Close(context.Background())) }()

	var info rediscache.Explanation
	must(db.Clauses(rediscache.Explain(&info)).Where("name = ?", "Ada").Find(&[]User{}).Error)
	fmt.Println(info.Outcome, info.Tags[0].Tag[:len("scope:users:name=")]+"…") // of texts, a digest is shown
	must(db.Clauses(rediscache.Explain(&info)).Find(&[]AuditLog{}).Error)
	fmt.Println(info.Outcome, info.Reason == metrics.ReasonPolicy)
	// Output:
	// miss scope:users:name=…
	// bypass true
}

// A plugin that is closed leaves every statement to the database.
func ExamplePlugin_Close() {
	db, _, done := shop()
	defer done()
	plugin, _ := db.Plugins["rediscache"].(*rediscache.Plugin)

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	must(plugin.Close(ctx)) // waits until Redis has been told of every write
	var user User
	must(db.First(&user, 1).Error)
	fmt.Println(user.Name)
	// Output: Ada
}
