package main

import (
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/examples/internal/servers"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

// Sizes of an instance's pools. There may be hundreds of instances: all of them together must stay below the max_connections
// of PostgreSQL (or go through a pooler) and the maxclients of Redis.
const (
	databaseConnections = 2
	redisConnections    = 2
	// idle is how long a connection is kept that nobody uses. While the process is frozen nobody closes it.
	idle = 30 * time.Second
	// redisTimeout bounds what Redis may cost a call that finds it unreachable.
	redisTimeout = 100 * time.Millisecond
)

func gormConfig() *gorm.Config {
	return &gorm.Config{
		Logger:               logger.Discard, // errors are returned
		NamingStrategy:       schema.NamingStrategy{TablePrefix: "serverless_"},
		DisableAutomaticPing: true, // the first query tells as much, and its context has a deadline
	}
}

// A configure returns how the cache of an instance is set up: cacheConfig.
type configure func(getenv func(string) string, opt *redis.Options) (rediscache.Config, error)

// open opens the database, and gives it the cache: once for each instance.
func open(getenv func(string) string, configure configure) (*gorm.DB, error) {
	found, err := servers.Find(getenv)
	if err != nil {
		return nil, err
	}
	// An application has sql.Open("pgx", url) here, and postgres.New(postgres.Config{Conn: pool}) below.
	pool, err := found.OpenPool()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(databaseConnections)
	pool.SetMaxIdleConns(databaseConnections)
	pool.SetConnMaxIdleTime(idle)
	db, err := gorm.Open(found.Dialector(pool), gormConfig())
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}

	cache, err := configure(getenv, found.Redis())
	if err == nil {
		err = db.Use(rediscache.New(cache))
	}
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

// cacheConfig returns where the cache is: in Upstash, if its variables are set, else in Redis. Neither is dialed.
func cacheConfig(getenv func(string) string, opt *redis.Options) (rediscache.Config, error) {
	rest, isSet, err := upstashstore.FromEnv(getenv)
	if err != nil {
		return rediscache.Config{}, err
	}
	if isSet {
		store, err := upstashstore.New(rest)
		return rediscache.Config{
			Store: store, Timeout: upstashstore.DefaultTimeout, Serverless: rediscache.ServerlessOn,
		}, err
	}
	opt.PoolSize = redisConnections
	opt.PipelinePoolSize = -1 // pipelines share these connections
	opt.ConnMaxIdleTime = idle
	opt.DialTimeout = redisTimeout
	return rediscache.Config{
		Redis:      redis.NewClient(opt),
		Timeout:    redisTimeout,
		Serverless: rediscache.ServerlessOn, // platforms are found by themselves, go run is not
	}, nil
}
