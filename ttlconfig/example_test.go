package ttlconfig_test

import (
	"fmt"
	"time"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

type (
	country struct{ ID int }
	session struct{ ID int }
)

// What is not in Models has the Policy of the Config, and what a policy leaves open is taken from there.
func ExampleModels() {
	cfg := rediscache.Config{
		Policy: ttlconfig.Policy{TTL: time.Hour, TagColumns: []string{"tenant_id"}},
		Models: ttlconfig.Models{
			ttlconfig.For[country](): {TTL: ttlconfig.MaxTTL},
			ttlconfig.For[session](): ttlconfig.Never,
		},
	}
	fmt.Println(cfg.Models[ttlconfig.For[session]()].Off())
	fmt.Println(cfg.Models[ttlconfig.For[country]()].Off())
	// Output:
	// true
	// false
}

func ExamplePolicy_Validate() {
	fmt.Println(ttlconfig.Policy{}.Validate())
	fmt.Println(ttlconfig.Policy{TTL: 48 * time.Hour}.Validate())
	fmt.Println(ttlconfig.Policy{TagColumns: []string{"tenant_id+"}}.Validate())
	// Output:
	// <nil>
	// TTL: want 24h0m0s at most, got 48h0m0s
	// TagColumns[0]: want names of columns joined by +, got "tenant_id+"
}
