// Command serverless is a function as Lambda, Cloud Run functions and their like call it, and a main that calls it as they
// would.
//
//	go run ./examples/serverless
//
// It brings a database and a Redis server of its own, in this process. With DATABASE_URL set it uses your database, in
// which it makes a table, serverless_users, and drops it in the end; with REDIS_URL, or UPSTASH_REDIS_REST_URL and
// UPSTASH_REDIS_REST_TOKEN, your Redis.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/examples/internal/servers"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	err := run(ctx)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "serverless:", err)
		os.Exit(1)
	}
}

// run stands for the platform: it sets the environment, and calls the function event by event. On a platform this is
// lambda.Start(handle), or its like.
func run(ctx context.Context) (err error) {
	found, err := servers.Find(os.Getenv)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for name, value := range found.Environment() {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	slog.SetDefault(found.Logger(slog.Default()))
	undo, err := deploy(ctx, found)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, undo()) }()

	fmt.Print("A function is called by its platform, an event at a time.\n\n")
	for _, event := range []Event{
		{Method: "GET", UserID: 1}, // a cold start
		{Method: "GET", UserID: 1},
		{Method: "PUT", UserID: 1, Name: "Grace"},
		{Method: "GET", UserID: 1},
		{Method: "GET", UserID: 1},
		{Method: "GET", UserID: 2},
	} {
		start := time.Now()
		response, err := handle(ctx, event)
		if err != nil {
			return err
		}
		fmt.Printf("  %s %d   %d %-28s %-5s %8s\n", event.Method, event.UserID, response.StatusCode, response.Body,
			response.Headers["X-Cache"], time.Since(start).Round(time.Microsecond))
	}
	return nil
}

// deploy makes the table, as a job of a deployment does: no function does so when it starts.
func deploy(ctx context.Context, found *servers.Servers) (undo func() error, err error) {
	pool, err := found.OpenPool()
	if err != nil {
		return nil, err
	}
	db, err := gorm.Open(found.Dialector(pool), gormConfig())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", servers.EnvDatabase, err), pool.Close())
	}
	db = db.WithContext(context.WithoutCancel(ctx)) // it is undone in any case
	undo = func() error { return errors.Join(db.Migrator().DropTable(&User{}), pool.Close()) }
	err = errors.Join(db.Migrator().DropTable(&User{}), db.AutoMigrate(&User{}), db.Create(&User{Name: "Ada"}).Error)
	if err != nil {
		return nil, errors.Join(err, undo())
	}
	return undo, nil
}
