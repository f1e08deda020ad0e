package tests_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// An ending is a way in which a context comes to its end while a statement is under way.
type ending struct {
	name string
	// make returns a context, and what ends it and waits until it is over.
	make func(t *testing.T) (context.Context, func())
	err  error
}

func endings() []ending {
	return []ending{
		{"canceled", func(t *testing.T) (context.Context, func()) { return context.WithCancel(t.Context()) }, context.Canceled},
		{"deadline", func(t *testing.T) (context.Context, func()) {
			l := late{t.Context(), make(chan struct{})}
			return l, sync.OnceFunc(func() { close(l.over) })
		}, context.DeadlineExceeded},
		{"canceled with a cause", func(t *testing.T) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(t.Context())
			return ctx, func() { cancel(errHook) }
		}, context.Canceled},
	}
}

// late is a context whose deadline passes when the test says so.
type late struct {
	context.Context
	over chan struct{}
}

func (l late) Done() <-chan struct{} { return l.over }

func (l late) Err() error {
	select {
	case <-l.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// eachEnding runs a test with each of them.
func eachEnding(t *testing.T, test func(t *testing.T, e ending)) {
	t.Helper()
	for _, e := range endings() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

// outcome is what a program sees of a statement whose context has ended.
func outcome(tx *gorm.DB) string { return fmt.Sprintf("%d %v %T", tx.RowsAffected, tx.Error, tx.Error) }

// While Redis is waited for, a context that ends is told before long, as one is that has ended before; the database is not asked.
func TestContextThatEndsWhileRedisIsWaitedFor(t *testing.T) {
	t.Parallel()
	eachEnding(t, func(t *testing.T, e ending) {
		w := newWorld(t)
		plain := w.members(3)
		server := testkit.StartRedis(t)
		h := w.cached(withPlugin(func(c *rediscache.Config) { c.Redis, c.Timeout = server.Client(), time.Second }))
		reads := map[string]func(*gorm.DB) *gorm.DB{
			"row":  func(db *gorm.DB) *gorm.DB { return db.First(&member{}, 1) },
			"list": func(db *gorm.DB) *gorm.DB { return db.Order("id").Find(&[]member{}) },
			"text": func(db *gorm.DB) *gorm.DB { return db.Raw("SELECT name FROM members").Scan(&[]string{}) },
		}
		for _, read := range reads {
			h.warm(t, func(db *gorm.DB) { read(db) })
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if !errors.Is(e.err, context.Canceled) {
			over, cancel = context.WithTimeout(t.Context(), -time.Second)
			defer cancel()
		}
		for name, read := range reads {
			ctx, end := e.make(t)
			want := outcome(read(plain.WithContext(over)))
			server.Stop()
			var got *gorm.DB
			wait := async(t, func() { got = read(h.WithContext(ctx)) })
			<-time.After(50 * time.Millisecond) // it waits for a server that says nothing
			end()
			wait() // it ends with Timeout at the latest: the server says nothing until then
			server.Continue()
			require.ErrorIs(t, got.Error, e.err, name)
			require.Equal(t, want, outcome(got), name)
			require.NoError(t, read(h.DB).Error, name)
		}
		require.NoError(t, h.Model(&member{ID: 1}).Update("name", "new").Error)
		agreesFromCache(t, plain, h, "row", func(db *gorm.DB) any { return nameOf(t, db, 1) })
	})
}

// At each step of a read in Redis.
func TestContextThatEndsAtEachStepOfARead(t *testing.T) {
	t.Parallel()
	for _, at := range []string{beforeLoad, afterLoad, beforeMint, afterMint, beforePut, afterPut} {
		eachEnding(t, func(t *testing.T, e ending) {
			t.Run(at, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				plain := w.members(3)
				h, g := w.gated()
				h.warm(t, func(db *gorm.DB) { nameOf(t, db, 3) }) // what is to be known of the database is known
				ctx, end := e.make(t)
				var got *gorm.DB
				var m member
				g.during(t, at, func() { got = h.WithContext(ctx).First(&m, 1) }, end)
				if at == beforePut || at == afterPut {
					if got.Error != nil { // it had its answer, and had it before it was scanned
						require.ErrorIs(t, got.Error, e.err)
					}
				} else {
					require.Equal(t, outcome(plain.WithContext(ctx).First(&member{}, 1)), outcome(got))
					require.Equal(t, member{}, m)
				}
				require.NoError(t, h.Model(&member{ID: 1}).Update("name", "new").Error)
				agreesFromCache(t, plain, h, at, func(db *gorm.DB) any { return nameOf(t, db, 1) })
			})
		})
	}
}

// While the database works on a query, a context that ends is told as the driver tells it.
func TestContextThatEndsDuringAQuery(t *testing.T) {
	t.Parallel()
	eachEnding(t, func(t *testing.T, e ending) {
		for name, read := range map[string]func(*gorm.DB) *gorm.DB{
			"row":     func(db *gorm.DB) *gorm.DB { return db.First(&member{}, 1) },
			"rows":    func(db *gorm.DB) *gorm.DB { return db.Find(&[]member{}, []int{1, 2}) },
			"list":    func(db *gorm.DB) *gorm.DB { return db.Order("id").Find(&[]member{}) },
			"text":    func(db *gorm.DB) *gorm.DB { return db.Raw("SELECT name FROM members").Scan(&[]string{}) },
			"refused": func(db *gorm.DB) *gorm.DB { return db.Clauses(rediscache.Bypass).Find(&[]member{}) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				plain := w.members(3)
				h := w.cached()
				h.warm(t, func(db *gorm.DB) { db.Model(&member{}).Count(new(int64)) })
				told := func(reader *handle) string {
					let := blockTable(t, plain)
					defer let()
					ctx, end := e.make(t)
					var got *gorm.DB
					wait := async(t, func() { got = read(reader.WithContext(ctx)) })
					readers(t, w, 1)
					end()
					wait()
					require.ErrorIs(t, got.Error, e.err)
					return cause(got, e)
				}
				want := told(w.plain())
				require.Equal(t, want, told(h))
				require.NoError(t, h.Model(&member{ID: 1}).Update("name", "new").Error)
				agreesFromCache(t, plain, h, name, func(db *gorm.DB) any { return nameOf(t, db, 1) })
			})
		}
	})
}

// stepping is a column whose values tell when they are scanned.
type stepping string

var onScan atomic.Pointer[func(string)]

// Scan implements sql.Scanner.
func (s *stepping) Scan(v any) error {
	*s = stepping(fmt.Sprint(v))
	if scanning := onScan.Load(); scanning != nil {
		(*scanning)(string(*s))
	}
	return nil
}

type step struct {
	ID   int
	Name stepping
}

// canceledWhileScanning reads steps, and cancels in the middle of them.
func canceledWhileScanning(t *testing.T, h *handle, read func(*gorm.DB) ([]step, error)) ([]step, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	scanning := func(name string) {
		if name == "n100" {
			cancel()
			<-time.After(50 * time.Millisecond) // database/sql closes the rows
		}
	}
	onScan.Store(&scanning)
	defer onScan.Store(nil)
	return read(h.WithContext(ctx))
}

// While GORM scans rows, a context that ends leaves no answer that is short without an error; what is stored is whole.
func TestContextThatEndsWhileRowsAreScanned(t *testing.T) { //nolint:paralleltest // scanners do not know whose they are
	w := newWorld(t)
	plain := w.migrate()
	require.NoError(t, plain.Exec("CREATE TABLE steps (id int PRIMARY KEY, name text)").Error)
	require.NoError(t, plain.Exec("INSERT INTO steps SELECT i, 'n' || i FROM generate_series(1, 200) i").Error)
	list := func(db *gorm.DB) ([]step, error) { var s []step; err := db.Order("id").Find(&s).Error; return s, err }
	large := func(db *gorm.DB) ([]step, error) {
		var s []step
		err := db.Order("id, name").Find(&s).Error
		return s, err
	}
	_, err := canceledWhileScanning(t, plain, list)
	require.ErrorIs(t, err, context.Canceled, "plain GORM")

	// What is there already, of the database or of Redis, ends as well.
	h := w.cached()
	for _, from := range []metrics.Outcome{metrics.Miss, metrics.Hit} {
		_, err := canceledWhileScanning(t, h, list)
		require.Equal(t, from, h.log.lastOutcome())
		require.ErrorIs(t, err, context.Canceled)
		agreesFromCache(t, plain, h, "list", func(db *gorm.DB) any { got, err := list(db); return fmt.Sprint(got, err) })
	}
	// What is too large to be kept comes from the database while it is scanned, and ends with the context.
	h = w.cached(withPlugin(func(c *rediscache.Config) { c.MaxRows = 10 }))
	for range 2 {
		_, err := canceledWhileScanning(t, h, large)
		require.ErrorIs(t, err, context.Canceled)
		agrees(t, plain, h, "large", func(db *gorm.DB) any { got, err := large(db); return fmt.Sprint(got, err) })
	}
}

// Between a parent and what is preloaded with it.
func TestContextThatEndsBeforeAPreload(t *testing.T) {
	t.Parallel()
	eachEnding(t, func(t *testing.T, e ending) {
		w := newWorld(t)
		plain := w.wares(1)
		require.NoError(t, plain.Create(&sticker{WareID: 10, Text: "x"}).Error)
		h := w.cached()
		read := func(reader *handle) string {
			ctx, end := e.make(t)
			name := "test:end" + testkit.Unique(t)
			require.NoError(t, reader.Callback().Query().After("gorm:query").Before("gorm:preload").Register(name, func(db *gorm.DB) {
				if db.Statement.Table == "wares" {
					end()
				}
			}))
			defer func() { _ = reader.Callback().Query().Remove(name) }()
			var list []ware
			tx := reader.WithContext(ctx).Preload("Labels").Order("id").Find(&list)
			require.ErrorIs(t, tx.Error, e.err)
			return fmt.Sprint(outcome(tx), list)
		}
		other := w.plain()
		want := read(other)
		require.Equal(t, want, read(h), "a miss")
		want = read(other)
		h.warmView(t, 1, look(t, plain.DB, 1))
		require.Equal(t, want, read(h), "a hit")
		require.NoError(t, h.Model(&sticker{}).Where("ware_id = 10").Update("text", "new").Error)
		agreesFromCache(t, plain, h, "view", func(db *gorm.DB) any { return look(t, db, 1) })
	})
}
