package upstashstore_test

import (
	"fmt"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

// In an application, os.Getenv stands in place of getenv.
func ExampleFromEnv() {
	getenv := func(name string) string {
		return map[string]string{
			"UPSTASH_REDIS_REST_URL":   "https://eu1-merry-cat-32748.upstash.io",
			"UPSTASH_REDIS_REST_TOKEN": "AX_sASQgODM5ZjMxNDgt",
		}[name]
	}
	opt, isSet, err := upstashstore.FromEnv(getenv)
	if err != nil || !isSet {
		panic(err)
	}
	cache, err := upstashstore.New(opt)
	if err != nil {
		panic(err)
	}
	defer func() { _ = cache.Close() }()

	// Nothing is dialed before the first query.
	plugin := rediscache.New(rediscache.Config{Store: cache, Timeout: upstashstore.DefaultTimeout})
	fmt.Println(plugin.Name(), opt) // the token is not printed
	// Output: rediscache {URL:eu1-merry-cat-32748.upstash.io Timeout:0s}
}
