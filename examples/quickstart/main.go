// Command quickstart shows a small shop with the cache at work: which reads reach the database, what each write
// invalidates, and what time it takes with and without the cache.
//
//	go run ./examples/quickstart
//
// It brings a database and a Redis server of its own, in this process. With DATABASE_URL and REDIS_URL set it uses
// yours: it creates tables whose names begin with quickstart_, and drops them in the end.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	err := run(ctx, os.Getenv)
	cancel()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, getenv func(string) string) (err error) {
	env, err := open(ctx, getenv)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, env.close()) }()

	// This is all that an application has to do.
	plugin := rediscache.New(rediscache.Config{Redis: env.redis, Logger: env.logger, Recorder: env.report})
	if err := env.db.Use(plugin); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close(ctx)) }()

	fmt.Printf("A shop with %d users and %d orders, on %s.\n", users, orders, env.servers)
	steps(env.db.WithContext(ctx), env.report)
	compare(env.plain.WithContext(ctx), env.db.WithContext(ctx))
	if env.servers.EmbeddedDatabase() {
		fmt.Println("\nA database in this process answers short queries faster than any server can. Try yours.")
	}
	return env.report.err
}

// steps is what the application does: plain GORM.
func steps(db *gorm.DB, r *report) {
	var user User
	r.title("Reads that were asked before come from Redis")
	r.read("First(&user, 1)", func() error { return db.First(&user, 1).Error })
	r.read("First(&user, 1) again", func() error { user = User{}; return db.First(&user, 1).Error })
	r.read(`Where("id = ?", 1).Take(&user)`, func() error { user = User{}; return db.Where("id = ?", 1).Take(&user).Error })
	r.read("Find(&users, []int{1, 2, 3})", func() error { return db.Find(&[]User{}, []int{1, 2, 3}).Error })
	r.read("First(&user, 999999)", func() error { return none(db.First(&User{}, 999999).Error) })
	r.read("First(&user, 999999) again", func() error { return none(db.First(&User{}, 999999).Error) })
	for _, again := range []string{"", " again"} {
		var n int64
		r.read(`Preload("Orders").Preload("Tags")`+again, func() error {
			return db.Preload("Orders").Preload("Tags").Find(&[]User{}, []int{1, 2, 3}).Error
		})
		r.read(`Where("paid = ?", false).Count(&n)`+again, func() error {
			return db.Model(&Order{}).Where("paid = ?", false).Count(&n).Error
		})
	}

	r.title("A write makes what it touched unservable before it returns, and nothing else")
	r.write(`Model(&user).Update("name", "Zoe")`, func() error { return db.Model(&user).Update("name", "Zoe").Error })
	r.read("First(&user, 1)", func() error { user = User{}; return named(db.First(&user, 1), &user, "Zoe") })
	r.read("First(&user, 2)", func() error { return db.First(&User{}, 2).Error })
	r.write("Create(&order)", func() error { return db.Create(&Order{UserID: 1, Cents: 1999}).Error })
	r.write(`Model(&user).Association("Tags").Append(&tag)`, func() error {
		return db.Model(&user).Association("Tags").Append(&Tag{Name: "vip"})
	})
	r.write(`Where("cents < ?", 500).Delete(&Order{})`, func() error {
		return db.Where("cents < ?", 500).Delete(&Order{}).Error
	})
	r.write("Delete(&User{}, 3), whose orders go with it", func() error { return db.Delete(&User{}, 3).Error })

	r.title("A transaction is announced when it commits, and not at all when it is rolled back")
	r.read("First(&user, 2)", func() error { return db.First(&User{}, 2).Error })
	r.write("Transaction, rolled back", func() error {
		err := db.Transaction(func(tx *gorm.DB) error {
			return errors.Join(tx.Model(&User{}).Where("id = ?", 2).Update("name", "Nobody").Error, errUndo)
		})
		return ignore(err, errUndo)
	})
	r.read("First(&user, 2)", func() error { return db.First(&User{}, 2).Error })
	r.write("Transaction, committed", func() error {
		return db.Transaction(func(tx *gorm.DB) error {
			return tx.Exec("UPDATE quickstart_users SET name = ? WHERE id = ?", "Yves", 2).Error
		})
	})
	r.read("First(&user, 2)", func() error { user = User{}; return named(db.First(&user, 2), &user, "Yves") })
}

var errUndo = errors.New("undo")

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// none expects that there is no such row.
func none(err error) error { return ignore(err, gorm.ErrRecordNotFound) }

// named expects that a fresh name was read.
func named(tx *gorm.DB, u *User, want string) error {
	if tx.Error == nil && u.Name != want {
		return fmt.Errorf("read the name %q, want %q", u.Name, want)
	}
	return tx.Error
}
