package rediscache_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/alicebob/miniredis/v2"
	"github.com/glebarez/sqlite"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

// observed opens a database and a Redis server in this process, for a plugin that is configured so.
func observed(cfg rediscache.Config) (db *gorm.DB, done func()) {
	server, err := miniredis.Run()
	must(err)
	db, err = gorm.Open(sqlite.Open("file:observed?mode=memory&cache=shared"))
	must(err)
	must(db.AutoMigrate(&User{}))
	must(db.Create(&User{ID: 1, Name: "Ada"}).Error)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	cfg.Redis, cfg.Logger = client, slog.New(slog.DiscardHandler)
	cfg.Timeout, cfg.LearnTimeout = patience, patience
	plugin := rediscache.New(cfg)
	must(db.Use(plugin))
	return db, func() {
		must(plugin.Close(context.Background()))
		must(client.Close())
		server.Close()
		must(db.Migrator().DropTable(&User{}))
	}
}

// spanKey is the key of a span in a context. With OpenTelemetry it is trace.SpanFromContext(ctx) that finds it, and what is
// called is span.SetAttributes(attribute.String(a.Key, a.Value.String())) for each attribute.
type spanKey struct{}

func ExampleConfig_annotate() {
	db, done := observed(rediscache.Config{
		Annotate: func(ctx context.Context, attrs []slog.Attr) {
			span, _ := ctx.Value(spanKey{}).(string)
			fmt.Println(span)
			for _, a := range attrs {
				if a.Key != "rediscache.key" {
					fmt.Println("  ", a)
				}
			}
		},
	})
	defer done()

	db = db.WithContext(context.WithValue(context.Background(), spanKey{}, "GET /users/1"))
	must(db.First(&User{}, 1).Error)
	must(db.Clauses(rediscache.Bypass).First(&User{}, 1).Error)
	// Output:
	// GET /users/1
	//    rediscache.outcome=miss
	//    db.collection.name=users
	//    rediscache.kind=row
	//    rediscache.entries=1
	//    rediscache.found=0
	//    rediscache.joined=false
	// GET /users/1
	//    rediscache.outcome=bypass
	//    rediscache.reason=control
	//    db.collection.name=users
	//    rediscache.kind=row
}

func ExampleConfig_registerer() {
	registry := prometheus.NewRegistry() // or prometheus.DefaultRegisterer
	db, done := observed(rediscache.Config{Registerer: registry})
	defer done()

	for range 3 {
		must(db.First(&User{}, 1).Error)
	}
	must(db.Model(&User{ID: 1}).Update("name", "Grace").Error)

	families, err := registry.Gather()
	must(err)
	for _, family := range families {
		switch family.GetName() {
		case "rediscache_reads_total", "rediscache_invalidations_total":
			for _, m := range family.GetMetric() {
				var labels []string
				for _, l := range m.GetLabel() {
					labels = append(labels, l.GetName()+"="+l.GetValue())
				}
				fmt.Println(family.GetName(), strings.Join(labels, " "), m.GetCounter().GetValue())
			}
		}
	}
	// Output:
	// rediscache_invalidations_total cause=update table=users tag=list 1
	// rediscache_invalidations_total cause=update table=users tag=row 1
	// rediscache_reads_total kind=row outcome=hit table=users 2
	// rediscache_reads_total kind=row outcome=miss table=users 1
}
