package rediscache_test

import (
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// Country carries its own policy.
type Country struct {
	ID   int
	Code string
}

func (Country) CachePolicy() ttlconfig.Policy { return ttlconfig.Static }

// Booking is written all the time, but looked up by key, and by customer.
type Booking struct {
	ID         int
	CustomerID int
	State      string
}

// policies are those of docs/ttl.md.
func policies() rediscache.Config {
	return rediscache.Config{
		Policy: ttlconfig.Policy{TTL: 10 * time.Minute, AbsentTTL: time.Minute}, // the defaults
		Models: ttlconfig.Models{
			ttlconfig.For[AuditLog](): ttlconfig.Never,
			ttlconfig.For[Booking](): {
				ListTTL: time.Minute, CountTTL: ttlconfig.Off, TagColumns: []string{"state"},
			},
		},
	}
}

func Example_policy() {
	db, _, done := shopWith(func(client redis.UniversalClient, counters *metrics.Counters) *rediscache.Plugin {
		cfg := policies()
		cfg.Redis, cfg.Recorder = client, counters
		cfg.Timeout, cfg.LearnTimeout = patience, patience
		return rediscache.New(cfg)
	})
	defer done()
	must(db.AutoMigrate(&Booking{}, &Country{}))
	defer func() { must(db.Migrator().DropTable(&Booking{}, &Country{})) }()

	var info rediscache.Explanation
	must(db.Clauses(rediscache.Explain(&info)).Model(&Booking{}).Count(new(int64)).Error)
	fmt.Println("count of bookings:", info.Outcome, info.Reason)
	must(db.Clauses(rediscache.Explain(&info)).Find(&[]AuditLog{}).Error)
	fmt.Println("audit log:", info.Outcome, info.Reason)
	must(db.Clauses(rediscache.Explain(&info)).Find(&[]Country{}).Error)
	fmt.Println("countries:", info.Outcome, info.TTL > 20*time.Hour)
	// Output:
	// count of bookings: bypass policy
	// audit log: bypass policy
	// countries: miss true
}

func ExamplePlugin_Advice() {
	db, _, done := shop()
	defer done()
	for range 60 { // somebody counts users who are renamed all the time
		must(db.Model(&User{}).Where("name = ?", "Ada").Count(new(int64)).Error)
		must(db.Model(&User{ID: 1}).Update("name", "Grace").Error)
	}
	plugin, _ := db.Plugins["rediscache"].(*rediscache.Plugin)
	for _, advice := range plugin.Advice() {
		fmt.Println(advice.Table, advice.Kind, advice.Finding)
		fmt.Println(advice.Recommendation)
	}
	// Output:
	// users count dies_unread
	// writes make them unservable before they are of use: give the column by which they are looked up a tag of its own (TagColumns; Explain says why a tag is not finer), else turn them off (CountTTL: ttlconfig.Off), or give them little time (ttlconfig.Volatile)
}
