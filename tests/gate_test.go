package tests_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// A step of the protocol, at which a gate may stop.
type step string

const (
	beforeIntend  step = "before the intent"
	beforeCommit  step = "before COMMIT" // the intent is there
	beforeRelease step = "before the release"
	beforeMint    step = "before the tokens are minted"
	beforeFill    step = "before the fill"
)

// A gate is a store that stops a process at one step, once, until it is opened.
type gate struct {
	store.Store
	at   chan step // holds the step, until it is reached
	stop chan struct{}
	open chan struct{}
}

// gated returns a handle whose process stops at a step, once.
func (w *world) gated(at step, options ...option) (*handle, *gate) {
	w.t.Helper()
	inner, err := redisstore.New(w.redis, redisstore.Options{Timeout: 5 * time.Second})
	require.NoError(w.t, err)
	g := &gate{Store: inner, at: make(chan step, 1), stop: make(chan struct{}), open: make(chan struct{})}
	h := w.cached(append(options, withPlugin(func(c *rediscache.Config) { c.Redis, c.Store = nil, g }))...)
	g.at <- at // not while it is set up
	return h, g
}

// pass stops here if this is the step.
func (g *gate) pass(here step) {
	select {
	case at := <-g.at:
		if at != here {
			g.at <- at
			return
		}
		close(g.stop)
		<-g.open
	default:
	}
}

// during runs a function until its process stops at the gate, then another one, then lets the first one go on.
func (g *gate) during(t *testing.T, stopped, meanwhile func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); stopped() }()
	select {
	case <-g.stop:
	case <-time.After(10 * time.Second):
		t.Fatal("the gate was not reached")
	}
	meanwhile()
	close(g.open)
	<-done
}

// Load implements store.Store.
func (g *gate) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	return g.Store.Load(ctx, keys)
}

// Mint implements store.Store.
func (g *gate) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	g.pass(beforeMint)
	return g.Store.Mint(ctx, mints)
}

// Put implements store.Store.
func (g *gate) Put(ctx context.Context, entries []store.Entry) error {
	g.pass(beforeFill)
	return g.Store.Put(context.WithoutCancel(ctx), entries) // however late
}

// Intend implements store.Store.
func (g *gate) Intend(ctx context.Context, writer string, ttl time.Duration, tags []keying.Tag) error {
	g.pass(beforeIntend)
	defer g.pass(beforeCommit)
	return g.Store.Intend(ctx, writer, ttl, tags)
}

// Release implements store.Store.
func (g *gate) Release(ctx context.Context, writer string, tags []keying.Tag) error {
	g.pass(beforeRelease)
	return g.Store.Release(context.WithoutCancel(ctx), writer, tags)
}

// A view is a way to read members, as text.
type view struct {
	name string
	read func(t *testing.T, db *gorm.DB) any
}

// views are ways to read the rows that the interleavings write.
func views() []view {
	return []view{
		{"row", func(t *testing.T, db *gorm.DB) any {
			var m member
			require.NoError(t, db.Limit(1).Find(&m, 1).Error)
			return m
		}},
		{"rows", func(t *testing.T, db *gorm.DB) any {
			var ms []member
			require.NoError(t, db.Order("id").Find(&ms, []int{1, 2, 3, 101}).Error)
			return ms
		}},
		{"list", func(t *testing.T, db *gorm.DB) any {
			var ms []member
			require.NoError(t, db.Order("id").Find(&ms).Error)
			return ms
		}},
		{"count", func(t *testing.T, db *gorm.DB) any {
			var n int64
			require.NoError(t, db.Model(&member{}).Count(&n).Error)
			return n
		}},
		{"absent row", func(t *testing.T, db *gorm.DB) any {
			var ms []member
			require.NoError(t, db.Find(&ms, 101).Error)
			return ms
		}},
		{"join", func(t *testing.T, db *gorm.DB) any {
			var names []string
			require.NoError(t, db.Raw("SELECT a.name || b.name FROM members a JOIN members b ON b.id = a.id + 1 ORDER BY 1").Scan(&names).Error)
			return names
		}},
	}
}

// A change is a write that all views see.
var changes = map[string]func(*gorm.DB) error{
	"by key": func(db *gorm.DB) error {
		return db.Transaction(func(tx *gorm.DB) error {
			if err := tx.Model(&member{ID: 1}).Update("name", "changed").Error; err != nil {
				return err
			}
			return tx.Create(&member{ID: 101, Name: "m101"}).Error
		})
	},
	"in bulk": func(db *gorm.DB) error {
		return db.Exec("WITH u AS (UPDATE members SET name = 'changed' WHERE age = 20) INSERT INTO members (id, name) VALUES (101, 'm101')").Error
	},
	"deleted": func(db *gorm.DB) error {
		return db.Exec("DELETE FROM members WHERE id = 1; INSERT INTO members (id, name) VALUES (101, 'm101'), (102, 'x')").Error
	},
}
