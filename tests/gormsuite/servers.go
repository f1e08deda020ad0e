package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// newDatabase makes a database for one run, and tells how to connect to it, and how to drop it.
func newDatabase(ctx context.Context, dialect string) (dsn string, drop func() error, err error) {
	name := "gormsuite_" + strings.ToLower(rand.Text()[:12])
	switch dialect {
	case "postgres":
		return newPostgres(ctx, name)
	case "mysql":
		return newMySQL(ctx, name)
	default: // SQLite makes a file
		return "", func() error { return nil }, nil
	}
}

func newPostgres(ctx context.Context, name string) (dsn string, drop func() error, err error) {
	server := cmp.Or(os.Getenv(testkit.EnvPostgres), testkit.LocalPostgres)
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, err
	}
	c, err := pgx.ParseConfig(server)
	if err != nil {
		return "", nil, err
	}
	do := func(ctx context.Context, statement string) error {
		admin, err := pgx.ConnectConfig(ctx, c)
		if err != nil {
			return err
		}
		_, err = admin.Exec(ctx, statement)
		return errors.Join(err, admin.Close(ctx))
	}
	// As GORM writes it: some tests ask for the zone.
	dsn = fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=%s TimeZone=Asia/Shanghai",
		c.Host, c.Port, c.User, name, cmp.Or(u.Query().Get("sslmode"), "prefer"))
	if c.Password != "" {
		dsn += " password=" + c.Password
	}
	drop = func() error {
		return do(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)")
	}
	return dsn, drop, do(ctx, "CREATE DATABASE "+name)
}

func newMySQL(ctx context.Context, name string) (dsn string, drop func() error, err error) {
	c, err := mysql.ParseDSN(cmp.Or(os.Getenv(testkit.EnvMySQL), testkit.LocalMySQL))
	if err != nil {
		return "", nil, err
	}
	server := c.FormatDSN()
	do := func(ctx context.Context, statement string) error {
		admin, err := sql.Open("mysql", server)
		if err != nil {
			return err
		}
		_, err = admin.ExecContext(ctx, statement)
		return errors.Join(err, admin.Close())
	}
	// As GORM connects.
	c.DBName, c.ParseTime, c.Loc, c.Params = name, true, time.Local, map[string]string{"charset": "utf8"}
	drop = func() error { return do(context.WithoutCancel(ctx), "DROP DATABASE "+name) }
	return c.FormatDSN(), drop, do(ctx, "CREATE DATABASE "+name)
}

// newNamespace names a Redis server and a namespace in it, and tells how to empty that.
func newNamespace() (server, namespace string, empty func(), err error) {
	server = cmp.Or(os.Getenv(testkit.EnvRedis), testkit.LocalRedis)
	opt, err := redis.ParseURL(server)
	if err != nil {
		return "", "", nil, err
	}
	namespace = "gormsuite-" + strings.ToLower(rand.Text()[:12])
	empty = func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		client := redis.NewClient(opt)
		defer func() { _ = client.Close() }()
		keys := client.Scan(ctx, 0, namespace+"/*", 1000).Iterator()
		for keys.Next(ctx) {
			client.Unlink(ctx, keys.Val())
		}
	}
	return server, namespace, empty, nil
}
