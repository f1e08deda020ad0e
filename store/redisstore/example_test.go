package redisstore_test

import (
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// Config.Redis makes such a store of a client. A store of one's own making can be wrapped, to inject faults, say.
func ExampleNew() {
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"redis-0:6379", "redis-1:6379"}})
	defer func() { _ = client.Close() }()
	cache, err := redisstore.New(client, redisstore.Options{Timeout: 50 * time.Millisecond})
	if err != nil {
		panic(err)
	}
	plugin := rediscache.New(rediscache.Config{Store: cache, Timeout: 50 * time.Millisecond})
	fmt.Println(plugin.Name()) // nothing is dialed yet
	// Output: rediscache
}

// Replicas have not heard of the last write yet.
func ExampleNew_replicas() {
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"redis-0:6379"}, ReadOnly: true})
	defer func() { _ = client.Close() }()
	_, err := redisstore.New(client, redisstore.Options{})
	fmt.Println(err)
	// Output: redisstore: unusable client: it reads from replicas (ReadOnly, RouteByLatency or RouteRandomly), which may not have seen a write yet
}
