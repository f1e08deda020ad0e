package tests_test

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/plugin/dbresolver"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// ware and sticker, names that no other test has, are what the tests of transactions and of set-ups write. Each test keeps to a group of its own.
type ware struct {
	ID     int `gorm:"primaryKey;autoIncrement:false"`
	Grp    int
	Name   string
	Labels []sticker
}

type sticker struct {
	ID     int
	WareID int
	Text   string
}

// groupOf returns the wares that a group begins with. A third is absent.
func groupOf(grp int) []ware {
	return []ware{{ID: grp * 10, Grp: grp, Name: "old"}, {ID: grp*10 + 1, Grp: grp, Name: "old"}}
}

// wares creates the tables, and groups 1 to n.
func (w *world) wares(n int) *handle {
	w.t.Helper()
	h := w.migrate(&ware{}, &sticker{})
	for grp := 1; grp <= n; grp++ {
		rows := groupOf(grp)
		require.NoError(w.t, h.Create(&rows).Error)
	}
	return h
}

// view is everything that is read of a group: by key, as lists, absent rows, numbers, columns, relations.
type view struct {
	Row, Absent []ware
	Keys, List  []ware
	Names       []string
	Count       int64
	Labels      []sticker
	Raw         []string
}

func look(t testing.TB, db *gorm.DB, grp int) view {
	t.Helper()
	var v view
	id := grp * 10
	require.NoError(t, db.Find(&v.Row, id).Error)
	require.NoError(t, db.Find(&v.Absent, id+2).Error)
	require.NoError(t, db.Order("id").Find(&v.Keys, []int{id, id + 1, id + 2}).Error)
	require.NoError(t, db.Preload("Labels").Where("grp = ?", grp).Order("id").Find(&v.List).Error)
	require.NoError(t, db.Model(&ware{}).Where("grp = ?", grp).Order("id").Pluck("name", &v.Names).Error)
	require.NoError(t, db.Model(&ware{}).Where("grp = ?", grp).Count(&v.Count).Error)
	require.NoError(t, db.Joins("JOIN wares ON wares.id = stickers.ware_id").Where("wares.grp = ?", grp).
		Order("stickers.id").Find(&v.Labels).Error)
	require.NoError(t, db.Raw("SELECT name FROM wares WHERE grp = ? ORDER BY id", grp).Scan(&v.Raw).Error)
	return v
}

// warmView looks until everything comes from Redis, and requires each look to be the same.
func (h *handle) warmView(t testing.TB, grp int, want view) {
	t.Helper()
	h.warm(t, func(db *gorm.DB) { require.Equal(t, want, look(t, db, grp)) })
	h.log.mu.Lock()
	defer h.log.mu.Unlock()
	require.Equal(t, metrics.Row, h.log.reads[0].Kind, "rows are not looked up one by one: these tests test less")
}

// requireHits looks once, and requires that everything comes from Redis.
func (h *handle) requireHits(t testing.TB, grp int, want view) {
	t.Helper()
	h.log.mu.Lock()
	h.log.reads = nil
	h.log.mu.Unlock()
	require.Equal(t, want, look(t, h.DB, grp))
	h.log.mu.Lock()
	defer h.log.mu.Unlock()
	for _, r := range h.log.reads {
		require.Equal(t, metrics.Hit, r.Outcome, "%s %s", r.Reason, r.Tags)
	}
}

// with returns the same world, whose connections have one more parameter.
func (w *world) with(name, value string) *world {
	other := *w
	other.dsn += "&" + name + "=" + value
	return &other
}

// open opens a handle as applications do, by a DSN. What reaches the database is not seen.
func (w *world) open(cfg postgres.Config, options ...option) *handle {
	w.t.Helper()
	gormConfig := &gorm.Config{Logger: logger.Discard}
	for _, o := range options {
		o(gormConfig, &rediscache.Config{})
	}
	if cfg.DSN == "" {
		cfg.DSN = w.dsn
	}
	db, err := gorm.Open(postgres.New(cfg), gormConfig)
	require.NoError(w.t, err)
	h := &handle{DB: db, sql: &statements{}, log: &events{}}
	pool, err := db.DB()
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = pool.Close() })
	return h
}

// resolver returns a dbresolver whose pools are closed when the test is over.
func (w *world) resolver(cfg dbresolver.Config, tables ...any) *dbresolver.DBResolver {
	r := dbresolver.Register(cfg, tables...)
	w.closes(r)
	return r
}

func (w *world) closes(r *dbresolver.DBResolver) {
	w.t.Cleanup(func() {
		_ = r.Call(func(pool gorm.ConnPool) error {
			if c, ok := pool.(gorm.GetDBConnector); ok { // prepared, or wrapped
				if inner, err := c.GetDBConn(); err == nil {
					_ = inner.Close()
				}
			}
			if c, ok := pool.(interface{ Close() error }); ok {
				_ = c.Close()
			}
			return nil
		})
	})
}

// setUp is a way to make a handle that writes.
type setUp struct {
	name string
	open func(w *world) *handle
	// session is what the application writes with; the handle itself, if it is nil.
	session func(*gorm.DB) *gorm.DB
	// resolver: dbresolver takes statements away from a connection that the application holds.
	resolver bool
}

func setUps() []setUp {
	prepare := withGORM(func(c *gorm.Config) { c.PrepareStmt = true })
	skip := withGORM(func(c *gorm.Config) { c.SkipDefaultTransaction = true })
	wrap := withPlugin(func(c *rediscache.Config) { c.WrapConnPool = true })
	resolved := func(before bool, sources int, options ...option) func(w *world) *handle {
		return func(w *world) *handle {
			cfg := dbresolver.Config{Replicas: []gorm.Dialector{postgres.Open(w.dsn)}}
			for range sources {
				cfg.Sources = append(cfg.Sources, postgres.Open(w.dsn))
			}
			h := w.plain(options...)
			if before {
				require.NoError(w.t, h.Use(w.resolver(cfg)))
			}
			w.use(h, options...)
			if !before {
				require.NoError(w.t, h.Use(w.resolver(cfg)))
			}
			return h
		}
	}
	cached := func(options ...option) func(w *world) *handle {
		return func(w *world) *handle { return w.cached(options...) }
	}
	return []setUp{
		{name: "plain", open: cached()},
		{name: "prepared", open: cached(prepare)},
		{
			name: "prepared by session", open: cached(),
			session: func(db *gorm.DB) *gorm.DB { return db.Session(&gorm.Session{PrepareStmt: true}) },
		},
		{name: "without default transaction", open: cached(skip)},
		{name: "prepared without default transaction", open: cached(prepare, skip)},
		{
			name: "simple protocol", open: func(w *world) *handle {
				h := w.open(postgres.Config{PreferSimpleProtocol: true})
				w.use(h)
				return h
			},
		},
		{
			name: "simple protocol by DSN",
			open: func(w *world) *handle { return w.with("default_query_exec_mode", "simple_protocol").cached() },
		},
		{name: "wrapped", open: cached(wrap)},
		{name: "wrapped prepared", open: cached(wrap, prepare)},
		{name: "resolver before", open: resolved(true, 0), resolver: true},
		{name: "resolver after", open: resolved(false, 0), resolver: true},
		{name: "resolver before with sources", open: resolved(true, 2), resolver: true},
		{name: "resolver after with sources", open: resolved(false, 2), resolver: true},
		{name: "resolver before prepared", open: resolved(true, 1, prepare), resolver: true},
		{name: "resolver after prepared", open: resolved(false, 1, prepare), resolver: true},
		{name: "resolver before wrapped", open: resolved(true, 1, wrap), resolver: true},
		{name: "resolver after wrapped", open: resolved(false, 1, wrap), resolver: true},
		{name: "query fields", open: func(w *world) *handle { return w.cached(withGORM(func(c *gorm.Config) { c.QueryFields = true })) }},
	}
}

// db returns what the application writes with.
func (s setUp) db(h *handle) *gorm.DB {
	if s.session == nil {
		return h.DB
	}
	return s.session(h.DB)
}

// schemaOf returns the schema that a world lives in.
func (w *world) schemaOf() string {
	_, rest, _ := strings.Cut(w.dsn, "search_path=")
	schema, _, _ := strings.Cut(rest, "&")
	return schema
}

// stickerOf returns a sticker on the first ware of a group.
func stickerOf(grp int) sticker { return sticker{WareID: grp * 10, Text: fmt.Sprintf("on %d", grp)} }

// isEqual reports whether two views are the same.
func isEqual(a, b view) bool { return reflect.DeepEqual(a, b) }

func typeOf(v any) string { return fmt.Sprintf("%T", v) }

func hostAndPort(t testing.TB, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	return host, port
}

// clearEnvironment takes away what the machine says of Redis.
func clearEnvironment(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_USERNAME", "REDIS_PASSWORD", "REDIS_DB", "REDIS_TLS",
		"REDIS_TLS_CA_FILE", "REDIS_TLS_CERT_FILE", "REDIS_TLS_KEY_FILE", "REDIS_ADDRS", "REDIS_MASTER_NAME",
		"REDIS_SENTINEL_USERNAME", "REDIS_SENTINEL_PASSWORD", "UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN",
	} {
		t.Setenv(name, "")
	}
}

func contextWithTimeout(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(context.Background(), d)
}

// outcomeOf returns where a member comes from.
func (h *handle) outcomeOf(t testing.TB, id int) metrics.Outcome {
	t.Helper()
	return h.log.read(t, func() { require.NoError(t, h.First(&member{}, id).Error) }).Outcome
}
