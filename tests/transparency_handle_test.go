package tests_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// A statement that is only built, and not run, neither stores its empty answer nor is given a stored one.
func TestStatementsThatAreNotRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(3)
	h, other := w.cached(), w.cached()
	for name, read := range map[string]func(*gorm.DB) *gorm.DB{
		"point":  func(db *gorm.DB) *gorm.DB { return db.First(&member{}, 1) },
		"absent": func(db *gorm.DB) *gorm.DB { return db.First(&member{}, 99) },
		"list":   func(db *gorm.DB) *gorm.DB { return db.Order("name").Find(&[]member{}) },
		"count":  func(db *gorm.DB) *gorm.DB { return db.Model(&member{}).Count(new(int64)) },
		"pluck":  func(db *gorm.DB) *gorm.DB { return db.Model(&member{}).Pluck("name", &[]string{}) },
		"scan":   func(db *gorm.DB) *gorm.DB { return db.Raw("SELECT name FROM members").Scan(&[]string{}) },
	} {
		dry := func(h *handle) {
			e := len(h.log.reads)
			require.Empty(t, h.sql.during(func() {
				want := plain.ToSQL(read)
				require.Equal(t, want, h.ToSQL(read), name)
				tx := read(h.Session(&gorm.Session{DryRun: true}))
				require.Zero(t, tx.RowsAffected, name)
				require.NotEmpty(t, tx.Statement.SQL.String(), name)
				if name == "point" {
					require.Equal(t, &member{}, tx.Statement.Dest)
				}
			}), name)
			require.Len(t, h.log.reads, e, name)
		}
		dry(h)
		want := read(plain.DB)
		for _, running := range []*handle{h, other} {
			got := read(running.DB)
			require.Equal(t, want.RowsAffected, got.RowsAffected, name)
			require.Equal(t, want.Error, got.Error, name)
			require.Equal(t, want.Statement.Dest, got.Statement.Dest, name)
		}
		h.warm(t, func(db *gorm.DB) { read(db) })
		dry(h)
		require.Equal(t, want.RowsAffected, read(h.DB).RowsAffected, name)
	}
	// Writes that are not run change nothing.
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	dry := h.Session(&gorm.Session{DryRun: true})
	require.Empty(t, h.log.wrote(func() {
		require.NoError(t, dry.Model(&member{ID: 1}).Update("name", "dry").Error)
		require.NoError(t, dry.Create(&member{Name: "dry"}).Error)
		require.NoError(t, dry.Delete(&member{}, 1).Error)
		dry.Exec("DELETE FROM members")
	}))
	require.Empty(t, h.sql.during(func() { require.Equal(t, "m1", nameOf(t, h.DB, 1)) }))
}

// A session that was made before the plugin was registered is one of the same handle.
func TestSessionsMadeBeforeThePlugin(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]bool{"on the transaction": false, "on the pool": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(3)
			h := w.plain()
			before := h.Session(&gorm.Session{})
			prepared := h.Session(&gorm.Session{PrepareStmt: true})
			w.use(h, withPlugin(func(c *rediscache.Config) { c.WrapConnPool = wrap }))
			other := w.cached()
			for i, s := range []*gorm.DB{before, prepared, h.DB, h.Session(&gorm.Session{PrepareStmt: true}), h.WithContext(t.Context())} {
				for _, write := range []func(*gorm.DB, string) error{
					func(db *gorm.DB, name string) error { return db.Model(&member{ID: 1}).Update("name", name).Error },
					func(db *gorm.DB, name string) error {
						return db.Transaction(func(tx *gorm.DB) error { return tx.Model(&member{ID: 1}).Update("name", name).Error })
					},
					func(db *gorm.DB, name string) error {
						return db.Exec("UPDATE members SET name = ? WHERE id = 1", name).Error
					},
				} {
					nameOf(t, other.DB, 1)
					for _, name := range []string{"first", "second"} {
						require.NoError(t, write(s, name))
						require.Equal(t, name, nameOf(t, other.DB, 1), "session %d", i)
						require.Equal(t, name, nameOf(t, s, 1), "session %d", i)
					}
				}
			}
		})
	}
}

// Several handles on one pool, each with a plugin of its own, and one plugin in several handles.
func TestHandlesThatShareAPoolOrAPlugin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	a := w.cached()
	pool, err := a.DB.DB()
	require.NoError(t, err)
	open := func(p *rediscache.Plugin) *gorm.DB {
		db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		require.NoError(t, db.Use(p))
		return db
	}
	shared := open(a.plugin)
	own := rediscache.New(rediscache.Config{
		Redis: w.redis, Namespace: w.namespace, Timeout: patience, LearnTimeout: patience,
	})
	t.Cleanup(func() { _ = own.Close(context.WithoutCancel(t.Context())) })
	second := open(own)
	require.Error(t, shared.Use(a.plugin), "twice")
	handles := []*gorm.DB{a.DB, shared, second, w.cached().DB}
	for i, writer := range handles {
		for _, reader := range handles {
			nameOf(t, reader, 1)
			nameOf(t, reader, 1)
		}
		name := string(rune('a' + i))
		require.NoError(t, writer.Transaction(func(tx *gorm.DB) error {
			// A statement of another handle within this one's transaction.
			foreign := handles[(i+1)%3].Session(&gorm.Session{NewDB: true, Context: t.Context()})
			foreign.Statement.ConnPool = tx.Statement.ConnPool
			if i < 3 {
				require.NoError(t, foreign.Model(&member{ID: 2}).Update("name", name).Error)
			}
			return tx.Model(&member{ID: 1}).Update("name", name).Error
		}))
		for _, reader := range handles {
			require.Equal(t, name, nameOf(t, reader, 1))
			if i < 3 {
				require.Equal(t, name, nameOf(t, reader, 2))
			}
		}
	}
}

// Applications put pools of their own around *sql.DB.
type embeddingPool struct{ *sql.DB }

type forwardingPool struct{ inner *sql.DB }

func (p *forwardingPool) PrepareContext(ctx context.Context, q string) (*sql.Stmt, error) {
	return p.inner.PrepareContext(ctx, q)
}

func (p *forwardingPool) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	return p.inner.ExecContext(ctx, q, args...)
}

func (p *forwardingPool) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return p.inner.QueryContext(ctx, q, args...)
}

func (p *forwardingPool) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	return p.inner.QueryRowContext(ctx, q, args...)
}

func (p *forwardingPool) BeginTx(ctx context.Context, opt *sql.TxOptions) (*sql.Tx, error) {
	return p.inner.BeginTx(ctx, opt)
}

// uncomparablePool is a value that cannot be the key of a map.
type uncomparablePool struct {
	*forwardingPool
	tags []string
}

func TestPoolsOfTheApplication(t *testing.T) {
	t.Parallel()
	for name, pool := range map[string]func(*sql.DB) gorm.ConnPool{
		"embeds":               func(db *sql.DB) gorm.ConnPool { return embeddingPool{db} },
		"embeds, by a pointer": func(db *sql.DB) gorm.ConnPool { return &embeddingPool{db} },
		"forwards":             func(db *sql.DB) gorm.ConnPool { return &forwardingPool{db} },
		"uncomparable":         func(db *sql.DB) gorm.ConnPool { return uncomparablePool{&forwardingPool{db}, nil} },
	} {
		for kind, wrap := range map[string]bool{"": false, ", wrapped": true} {
			t.Run(name+kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				plain := w.members(3)
				inner, err := plain.DB.DB()
				require.NoError(t, err)
				h := w.plain()
				h.DB, err = gorm.Open(postgres.New(postgres.Config{Conn: pool(inner)}), &gorm.Config{Logger: logger.Discard})
				require.NoError(t, err)
				require.NotPanics(t, func() { w.use(h, withPlugin(func(c *rediscache.Config) { c.WrapConnPool = wrap })) })
				other := w.cached()
				for write, f := range map[string]func(string) error{
					"update": func(s string) error { return h.Model(&member{ID: 1}).Update("name", s).Error },
					"transaction": func(s string) error {
						return h.Transaction(func(tx *gorm.DB) error { return tx.Model(&member{ID: 1}).Update("name", s).Error })
					},
					"autocommit": func(s string) error { return h.Exec("UPDATE members SET name = ? WHERE id = 1", s).Error },
				} {
					// As it would be in a process that goes on: cached, written, read.
					waitFor(t, func() bool { nameOf(t, other.DB, 1); return other.log.lastOutcome() != metrics.Miss })
					require.NoError(t, f(write), write)
					require.Equal(t, write, nameOf(t, other.DB, 1), write)
					require.Equal(t, write, nameOf(t, h.DB, 1), write)
				}
			})
		}
	}
}
