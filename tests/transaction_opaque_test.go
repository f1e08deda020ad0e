package tests_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// foreignPool is a connection pool of the application's own, whose transactions are of a type of its own.
type foreignPool struct{ pool *sql.DB }

var (
	_ gorm.ConnPoolBeginner = (*foreignPool)(nil)
	_ gorm.GetDBConnector   = (*foreignPool)(nil)
	_ gorm.TxCommitter      = (*foreignTx)(nil)
	_ gorm.ConnPool         = (*foreignTx)(nil)
)

func (p *foreignPool) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return p.pool.PrepareContext(ctx, query)
}

func (p *foreignPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return p.pool.ExecContext(ctx, query, args...)
}

func (p *foreignPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return p.pool.QueryContext(ctx, query, args...)
}

func (p *foreignPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return p.pool.QueryRowContext(ctx, query, args...)
}

func (p *foreignPool) GetDBConn() (*sql.DB, error) { return p.pool, nil }

func (p *foreignPool) BeginTx(ctx context.Context, opt *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := p.pool.BeginTx(ctx, opt)
	return &foreignTx{tx}, err
}

// foreignTx hides its *sql.Tx in a field.
type foreignTx struct{ tx *sql.Tx }

func (t *foreignTx) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return t.tx.PrepareContext(ctx, query)
}

func (t *foreignTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, query, args...)
}

func (t *foreignTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, query, args...)
}

func (t *foreignTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, query, args...)
}

func (t *foreignTx) Commit() error   { return t.tx.Commit() }
func (t *foreignTx) Rollback() error { return t.tx.Rollback() }

// foreign opens a handle on a foreign pool.
func (w *world) foreign() *handle {
	h := w.plain()
	pool, err := h.DB.DB()
	require.NoError(w.t, err)
	h.ConnPool = &foreignPool{pool}
	h.Statement.ConnPool = h.ConnPool
	w.use(h)
	return h
}

// The end of a transaction of an unknown type cannot be observed. What it touches is not served, and not stored, until
// it must be over.
func TestTransactionsOfUnknownTypesAreNeverStale(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*gorm.DB) error{
		"model": func(db *gorm.DB) error { return db.Model(&ware{ID: 10}).Update("name", "new").Error },
		"text":  func(db *gorm.DB) error { return db.Exec("UPDATE wares SET name = 'new' WHERE id = 10").Error },
		"returning": func(db *gorm.DB) error {
			return db.Raw("UPDATE wares SET name = 'new' RETURNING id").Scan(new([]int)).Error
		},
		"row": func(db *gorm.DB) error {
			return db.Raw("UPDATE wares SET name = 'new' WHERE id = 10 RETURNING id").Row().Scan(new(int))
		},
		"create":    func(db *gorm.DB) error { return db.Create(&ware{ID: 12, Grp: 1, Name: "new"}).Error },
		"relations": func(db *gorm.DB) error { r := stickerOf(1); return db.Create(&r).Error },
		"delete":    func(db *gorm.DB) error { return db.Delete(&ware{}, 11).Error },
	} {
		for end, commit := range map[string]bool{"commit": true, "rollback": false} {
			t.Run(name+", "+end, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				plain := w.wares(2)
				writer, reader := w.foreign(), w.cached()
				before := look(t, plain.DB, 1)
				reader.warmView(t, 1, before)
				writer.warmView(t, 1, before)
				tx := writer.Begin()
				require.IsType(t, &foreignTx{}, tx.Statement.ConnPool)
				require.NoError(t, write(tx))
				require.NotEqual(t, before, look(t, tx, 1))
				for range 3 { // enough to store it, if it were stored
					require.Equal(t, before, look(t, reader.DB, 1))
					require.Equal(t, before, look(t, writer.DB, 1))
				}
				if commit {
					require.NoError(t, tx.Commit().Error)
				} else {
					require.NoError(t, tx.Rollback().Error)
				}
				want := look(t, plain.DB, 1)
				require.Equal(t, commit, !isEqual(before, want))
				require.Equal(t, want, look(t, reader.DB, 1))
				require.Equal(t, want, look(t, writer.DB, 1))
				w.requireAllLapse()
			})
		}
	}
}

// Autocommit and reads need no transaction to be observed: they are cached on a foreign pool as on any other.
func TestForeignPoolIsCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.wares(1)
	writer, reader := w.foreign(), w.cached()
	before := look(t, plain.DB, 1)
	writer.warmView(t, 1, before)
	reader.warmView(t, 1, before)
	events := writer.log.wrote(func() {
		require.NoError(t, writer.Exec("UPDATE wares SET name = 'new' WHERE id = 10").Error)
	})
	require.Len(t, events, 1)
	require.Equal(t, metrics.Committed, events[0].Outcome)
	after := look(t, reader.DB, 1)
	require.Equal(t, "new", after.Row[0].Name)
	reader.warmView(t, 1, after)
	writer.warmView(t, 1, after)
}
