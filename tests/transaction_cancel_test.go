package tests_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// A stage is a moment in a write at which its context ends. It returns the outcome, as the program sees it.
type stage struct {
	name string
	// carriedOut is set if the change is there afterwards.
	carriedOut bool
	run        func(t *testing.T, w *world, h *handle, write func(*gorm.DB) *gorm.DB, e ending) *gorm.DB
}

func stages() []stage {
	return []stage{
		{"before", false, func(t *testing.T, _ *world, h *handle, write func(*gorm.DB) *gorm.DB, e ending) *gorm.DB {
			ctx, end := e.make(t)
			end()
			return write(h.WithContext(ctx))
		}},
		{"while the statement runs", false, func(t *testing.T, w *world, h *handle, write func(*gorm.DB) *gorm.DB, e ending) *gorm.DB {
			return atBarrier(t, w, h, write, e, false)
		}},
		{"between the statement and COMMIT", false, func(t *testing.T, _ *world, h *handle, write func(*gorm.DB) *gorm.DB, e ending) *gorm.DB {
			ctx, end := e.make(t)
			name := "test:end" + testkit.Unique(t)
			for _, p := range []interface {
				Remove(name string) error
			}{h.Callback().Update(), h.Callback().Raw()} {
				defer func() { _ = p.Remove(name) }()
			}
			require.NoError(t, h.Callback().Update().After("gorm:after_update").Before("gorm:commit_or_rollback_transaction").
				Register(name, func(*gorm.DB) { end() }))
			require.NoError(t, h.Callback().Raw().After("gorm:raw").Register(name, func(*gorm.DB) { end() }))
			return write(h.WithContext(ctx))
		}},
		{"during COMMIT", false, func(t *testing.T, w *world, h *handle, write func(*gorm.DB) *gorm.DB, e ending) *gorm.DB {
			return atBarrier(t, w, h, write, e, true)
		}},
		{"after", true, func(t *testing.T, _ *world, h *handle, write func(*gorm.DB) *gorm.DB, e ending) *gorm.DB {
			ctx, end := e.make(t)
			tx := write(h.WithContext(ctx))
			end()
			return tx
		}},
	}
}

// atBarrier ends the context while the server waits in the middle of the write.
func atBarrier(t *testing.T, w *world, h *handle, write func(*gorm.DB) *gorm.DB, e ending, commit bool) (got *gorm.DB) {
	t.Helper()
	admin := w.plain()
	g := newGate(t, admin, "wares", commit)
	defer func() {
		g.open()
		testkit.Eventually(t, "the server is done", func() bool { return !g.busy() })
		require.NoError(t, admin.Exec("DROP TRIGGER wait ON wares").Error)
		require.NoError(t, admin.Exec("DROP FUNCTION wait_wares").Error)
	}()
	ctx, end := e.make(t)
	wait := async(t, func() { got = write(h.WithContext(ctx)) })
	testkit.Eventually(t, "the server waits", func() bool { return g.waiting() != 0 })
	end()
	wait()
	return got
}

// cause is what a program sees, but for what is a matter of luck: GORM and database/sql both end the transaction, and
// the second one finds it gone; the driver and database/sql both look at the context, and the driver says "timeout".
func cause(tx *gorm.DB, e ending) string {
	if errors.Is(tx.Error, sql.ErrTxDone) && !errors.Is(tx.Error, e.err) {
		return fmt.Sprint(tx.RowsAffected, " ", e.err)
	}
	first, _, _ := strings.Cut(fmt.Sprint(tx.RowsAffected, " ", tx.Error), "; ")
	for _, before := range []string{" timeout: ", " context already done: "} {
		first = strings.Replace(first, before, " ", 1)
	}
	return first
}

// A write whose context ends, at any stage, tells the program what it is told without a cache; and whatever has become
// of the write is what is read.
func TestWriteWhoseContextEndsAtEachStage(t *testing.T) {
	t.Parallel()
	skip := withGORM(func(c *gorm.Config) { c.SkipDefaultTransaction = true })
	for kind, c := range map[string]struct {
		options []option
		write   func(*gorm.DB) *gorm.DB
		// auto is set for what commits by itself: there is nothing between the statement and COMMIT.
		auto bool
	}{
		"default transaction": {nil, func(db *gorm.DB) *gorm.DB { return db.Model(&ware{ID: 10}).Update("name", "new") }, false},
		"transaction": {nil, func(db *gorm.DB) *gorm.DB {
			tx := db.Session(&gorm.Session{})
			_ = tx.AddError(db.Transaction(func(tx *gorm.DB) error {
				return tx.Exec("UPDATE wares SET name = 'new' WHERE id = 10").Error
			}))
			return tx
		}, false},
		"autocommit": {[]option{skip}, func(db *gorm.DB) *gorm.DB { return db.Model(&ware{ID: 10}).Update("name", "new") }, true},
		"text":       {nil, func(db *gorm.DB) *gorm.DB { return db.Exec("UPDATE wares SET name = 'new' WHERE id = 10") }, true},
		"text that returns": {nil, func(db *gorm.DB) *gorm.DB {
			return db.Raw("UPDATE wares SET name = 'new' WHERE id = 10 RETURNING name").Scan(new(string))
		}, true},
	} {
		for _, s := range stages() {
			if c.auto && s.name == "between the statement and COMMIT" {
				continue
			}
			for _, e := range endings()[:2] {
				t.Run(fmt.Sprint(kind, ", ", s.name, ", ", e.name), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					admin := w.wares(1)
					without := s.run(t, w, w.plain(c.options...), c.write, e)
					require.NoError(t, admin.Exec("UPDATE wares SET name = 'old'").Error)

					writer, reader := w.cached(c.options...), w.cached()
					before := look(t, admin.DB, 1)
					reader.warmView(t, 1, before)
					writer.warmView(t, 1, before)
					with := s.run(t, w, writer, c.write, e)
					require.Equal(t, cause(without, e), cause(with, e))
					want := look(t, admin.DB, 1)
					if s.carriedOut {
						require.NoError(t, with.Error)
						require.Equal(t, "new", want.Row[0].Name)
					} else {
						require.Error(t, with.Error)
					}
					for range 3 {
						require.Equal(t, want, look(t, reader.DB, 1))
						require.Equal(t, want, look(t, writer.DB, 1))
					}
					// Nothing is left that keeps a write from being seen.
					require.NoError(t, writer.WithContext(context.WithoutCancel(t.Context())).Model(&ware{ID: 10}).Update("name", "last").Error)
					want = look(t, admin.DB, 1)
					require.Equal(t, want, look(t, reader.DB, 1))
					require.Equal(t, want, look(t, writer.DB, 1))
				})
			}
		}
	}
}
