package tests_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/plugin/dbresolver"

	"github.com/gorm-rediscache/rediscache"
)

// A setup is one way to open GORM with the plugin.
type setup struct {
	name string
	open func(w *world) *handle
	// wrapped is set if only transactions of the handle's own pool can be observed.
	wrapped bool
}

func setups() []setup {
	prepared := withGORM(func(c *gorm.Config) { c.PrepareStmt = true })
	wrap := withPlugin(func(c *rediscache.Config) { c.WrapConnPool = true })
	return []setup{
		{name: "plain", open: func(w *world) *handle { return w.cached() }},
		{name: "prepared", open: func(w *world) *handle { return w.cached(prepared) }},
		{name: "no default transaction", open: func(w *world) *handle {
			return w.cached(withGORM(func(c *gorm.Config) { c.SkipDefaultTransaction = true }))
		}},
		{name: "no nested transactions", open: func(w *world) *handle {
			return w.cached(withGORM(func(c *gorm.Config) { c.DisableNestedTransaction = true }))
		}},
		{name: "simple protocol", open: func(w *world) *handle {
			simple := *w
			simple.dsn += "&default_query_exec_mode=simple_protocol"
			return simple.cached()
		}},
		{name: "wrapped pool", wrapped: true, open: func(w *world) *handle { return w.cached(wrap) }},
		{name: "wrapped pool, prepared", wrapped: true, open: func(w *world) *handle { return w.cached(wrap, prepared) }},
		{name: "resolver before", open: func(w *world) *handle {
			h := w.plain()
			require.NoError(w.t, h.Use(w.resolver()))
			w.use(h)
			return h
		}},
		{name: "resolver after", open: func(w *world) *handle {
			h := w.cached()
			require.NoError(w.t, h.Use(w.resolver()))
			return h
		}},
		{name: "resolver, prepared", open: func(w *world) *handle {
			h := w.plain(prepared)
			require.NoError(w.t, h.Use(w.resolver()))
			w.use(h)
			return h
		}},
	}
}

// resolver has a source and a replica that are one database.
func (w *world) resolver() *dbresolver.DBResolver {
	dialector := func() gorm.Dialector { return postgres.New(postgres.Config{Conn: w.pool()}) }
	return dbresolver.Register(dbresolver.Config{
		Sources: []gorm.Dialector{dialector()}, Replicas: []gorm.Dialector{dialector()},
	})
}

// pool opens the database without GORM.
func (w *world) pool() *sql.DB {
	w.t.Helper()
	pool, err := sql.Open("pgx", w.dsn)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = pool.Close() })
	return pool
}

// A way is one way to write a transaction. It makes the change, and ends the transaction by commit or not.
type way struct {
	name string
	run  func(t *testing.T, h *handle, change func(*gorm.DB) error, commit bool)
	// elsewhere is set if the transaction does not come from the handle's pool.
	elsewhere bool
}

var errRollback = errors.New("roll back")

// transact runs a function in a transaction that ends as it should.
func transact(t *testing.T, db *gorm.DB, commit bool, f func(*gorm.DB) error, opts ...*sql.TxOptions) {
	t.Helper()
	var want error
	if !commit {
		want = errRollback
	}
	err := db.Transaction(func(tx *gorm.DB) error { return errors.Join(f(tx), want) }, opts...)
	require.ErrorIs(t, err, want)
}

// end ends a transaction.
func end(t *testing.T, tx interface {
	Commit() error
	Rollback() error
}, commit bool,
) {
	t.Helper()
	if commit {
		require.NoError(t, tx.Commit())
	} else {
		require.NoError(t, tx.Rollback())
	}
}

func ways() []way {
	type run = func(t *testing.T, h *handle, change func(*gorm.DB) error, commit bool)
	in := func(f func(tx *gorm.DB, change func(*gorm.DB) error) error) run {
		return func(t *testing.T, h *handle, change func(*gorm.DB) error, commit bool) {
			t.Helper()
			transact(t, h.DB, commit, func(tx *gorm.DB) error { return f(tx, change) })
		}
	}
	return []way{
		{name: "Transaction", run: in(func(tx *gorm.DB, change func(*gorm.DB) error) error { return change(tx) })},
		{name: "Begin", run: func(t *testing.T, h *handle, change func(*gorm.DB) error, commit bool) {
			t.Helper()
			tx := h.Begin()
			require.NoError(t, change(tx))
			if commit {
				require.NoError(t, tx.Commit().Error)
			} else {
				require.NoError(t, tx.Rollback().Error)
			}
		}},
		{name: "serializable", run: func(t *testing.T, h *handle, change func(*gorm.DB) error, commit bool) {
			t.Helper()
			transact(t, h.DB, commit, change, &sql.TxOptions{Isolation: sql.LevelSerializable})
		}},
		{name: "nested", run: in(func(tx *gorm.DB, change func(*gorm.DB) error) error { return tx.Transaction(change) })},
		{name: "savepoint", run: in(func(tx *gorm.DB, change func(*gorm.DB) error) error {
			return errors.Join(tx.SavePoint("a").Error, tx.Exec("DELETE FROM members").Error, tx.RollbackTo("a").Error, change(tx))
		})},
		{name: "prepared for this transaction", run: func(t *testing.T, h *handle, change func(*gorm.DB) error, commit bool) {
			t.Helper()
			transact(t, h.Session(&gorm.Session{PrepareStmt: true}), commit, change)
		}},
		{name: "prepared in the transaction", run: in(func(tx *gorm.DB, change func(*gorm.DB) error) error {
			return change(tx.Session(&gorm.Session{PrepareStmt: true}))
		})},
		{name: "with a context", run: func(t *testing.T, h *handle, change func(*gorm.DB) error, commit bool) {
			t.Helper()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tx := h.WithContext(ctx).Begin()
			require.NoError(t, change(tx))
			if commit {
				require.NoError(t, tx.Commit().Error)
				return
			}
			cancel() // database/sql rolls it back
			require.Error(t, tx.Commit().Error)
		}},
		{name: "Connection", run: func(t *testing.T, h *handle, change func(*gorm.DB) error, commit bool) {
			t.Helper()
			require.NoError(t, h.Connection(func(conn *gorm.DB) error {
				transact(t, conn.Session(&gorm.Session{NewDB: true}), commit, change)
				return nil
			}))
		}},
		{name: "database/sql", elsewhere: true, run: func(t *testing.T, h *handle, change func(*gorm.DB) error, commit bool) {
			t.Helper()
			pool, err := h.DB.DB()
			require.NoError(t, err)
			tx, err := pool.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			db := h.Session(&gorm.Session{NewDB: true, Context: t.Context()})
			db.Statement.ConnPool = tx
			require.NoError(t, change(db))
			end(t, tx, commit)
		}},
		{name: "a handle on a transaction", elsewhere: true, run: func(t *testing.T, h *handle, change func(*gorm.DB) error, commit bool) {
			t.Helper()
			pool, err := h.DB.DB()
			require.NoError(t, err)
			tx, err := pool.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			db, err := gorm.Open(postgres.New(postgres.Config{Conn: tx}), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			require.NoError(t, db.Use(h.plugin))
			require.NoError(t, change(db))
			end(t, tx, commit)
		}},
	}
}

// However a transaction is written, and however GORM was opened: what it has committed is seen by all at once, what it
// has rolled back has not been, and the cache goes on.
func TestWaysToWriteATransaction(t *testing.T) {
	t.Parallel()
	for _, s := range setups() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(3)
			h, reader := s.open(w), w.cached()
			name := "m1"
			read := func(db *gorm.DB) {
				var m member
				require.NoError(t, db.First(&m, 1).Error)
				require.Equal(t, name, m.Name)
				var all []member
				require.NoError(t, db.Order("id").Find(&all).Error)
				require.Equal(t, name, all[0].Name)
			}
			for _, way := range ways() {
				t.Log(way.name)
				reader.warm(t, read)
				change := func(tx *gorm.DB) error {
					before := name
					defer func() { name = before }()
					err := errors.Join(
						tx.Model(&member{ID: 1}).Update("name", way.name).Error,
						tx.Create(&member{Name: way.name}).Error,
					)
					read(reader.DB) // what is not committed is not seen
					name = way.name
					read(tx) // but by who wrote it
					return err
				}
				way.run(t, h, change, false)
				read(reader.DB)
				read(h.DB)
				way.run(t, h, change, true)
				name = way.name
				read(reader.DB)
				read(h.DB)
				if !s.wrapped || !way.elsewhere { // else what it touched is held back for a minute
					reader.warm(t, read)
				}
			}
		})
	}
}

// A transaction that fails when it commits has not been.
func TestCommitThatFailsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	require.NoError(t, plain.Exec("CREATE TABLE seen (id int REFERENCES members DEFERRABLE INITIALLY DEFERRED)").Error)
	h, reader := w.cached(), w.cached()
	read := func(db *gorm.DB) {
		var m member
		require.NoError(t, db.First(&m, 1).Error)
		require.Equal(t, "m1", m.Name)
	}
	reader.warm(t, read)
	err := h.Transaction(func(tx *gorm.DB) error {
		return errors.Join(tx.Model(&member{ID: 1}).Update("name", "changed").Error, tx.Exec("INSERT INTO seen VALUES (99)").Error)
	})
	require.ErrorContains(t, err, "foreign key")
	read(reader.DB)
	read(h.DB)
	reader.warm(t, read) // nothing is held back
}

// A panic in a transaction rolls it back, and reaches the application.
func TestPanicInATransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	h := w.cached()
	read := func(db *gorm.DB) {
		var m member
		require.NoError(t, db.First(&m, 1).Error)
		require.Equal(t, "m1", m.Name)
	}
	h.warm(t, read)
	require.PanicsWithValue(t, "oh", func() {
		_ = h.Transaction(func(tx *gorm.DB) error {
			require.NoError(t, tx.Model(&member{ID: 1}).Update("name", "changed").Error)
			panic("oh")
		})
	})
	require.Empty(t, h.sql.during(func() { read(h.DB) }))
}

// Programs look for a *sql.Tx in a transaction's ConnPool, and for a *sql.DB in a handle's.
func TestTypesOfConnPoolsAreWhatTheyWere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	require.IsType(t, &sql.DB{}, h.ConnPool)
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
		require.IsType(t, &sql.Tx{}, tx.Statement.ConnPool)
		require.NoError(t, tx.Model(&member{ID: 1}).Update("name", "changed").Error)
		require.IsType(t, &sql.Tx{}, tx.Statement.ConnPool)
		return nil
	}))
	prepared := h.Session(&gorm.Session{PrepareStmt: true}).Begin()
	require.IsType(t, &gorm.PreparedStmtTX{}, prepared.Statement.ConnPool)
	require.NoError(t, prepared.Rollback().Error)
}
