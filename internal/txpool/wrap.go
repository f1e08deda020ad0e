package txpool

import (
	"context"
	"database/sql"
	"sync"

	"gorm.io/gorm"
)

// Wrap returns a connection pool whose transactions can be observed without looking into a *sql.Tx. Programs then find
// another type where they may expect a *sql.Tx or a *sql.DB, and transactions that do not come from the pool are not
// seen.
func (t *Tracker) Wrap(pool gorm.ConnPool) gorm.ConnPool {
	switch p := pool.(type) {
	case *wrappedPool:
		return p
	case *gorm.PreparedStmtDB: // below it, so that GORM goes on finding its own type
		p.ConnPool = t.Wrap(p.ConnPool)
		return p
	}
	if _, ok := pool.(gorm.TxCommitter); ok {
		return pool
	}
	return &wrappedPool{ConnPool: pool}
}

type wrappedPool struct{ gorm.ConnPool }

var (
	_ gorm.ConnPoolBeginner = (*wrappedPool)(nil)
	_ gorm.GetDBConnector   = (*wrappedPool)(nil)
	_ gorm.Tx               = (*wrappedTx)(nil)
)

// BeginTx implements [gorm.ConnPoolBeginner].
func (p *wrappedPool) BeginTx(ctx context.Context, opt *sql.TxOptions) (gorm.ConnPool, error) {
	var tx gorm.ConnPool
	var err error
	switch b := p.ConnPool.(type) {
	case gorm.TxBeginner:
		tx, err = b.BeginTx(ctx, opt)
	case gorm.ConnPoolBeginner:
		tx, err = b.BeginTx(ctx, opt)
	default:
		err = gorm.ErrInvalidTransaction
	}
	if err != nil {
		return (*wrappedTx)(nil), err // typed, as GORM asks whether it is nil by reflection
	}
	inner, ok := tx.(gorm.Tx)
	if !ok {
		return tx, nil
	}
	return &wrappedTx{Tx: inner, pool: p, ctx: ctx}, nil
}

// GetDBConn implements [gorm.GetDBConnector].
func (p *wrappedPool) GetDBConn() (*sql.DB, error) {
	switch inner := p.ConnPool.(type) {
	case *sql.DB:
		return inner, nil
	case gorm.GetDBConnector:
		return inner.GetDBConn()
	}
	return nil, gorm.ErrInvalidDB
}

// Ping lets GORM check the connection when it opens.
func (p *wrappedPool) Ping() error {
	if inner, ok := p.ConnPool.(interface{ Ping() error }); ok {
		return inner.Ping()
	}
	return nil
}

// wrappedTx is a transaction of a wrapped pool.
type wrappedTx struct {
	gorm.Tx
	pool *wrappedPool
	ctx  context.Context //nolint:containedctx // database/sql rolls back when it is over

	mu        sync.Mutex
	observers map[*Tracker]Observer
	ended     bool
}

func (t *wrappedTx) observe(tracker *Tracker, newObserver func() Observer) (Observer, State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil, Ended
	}
	if o, ok := t.observers[tracker]; ok {
		return o, Observed
	}
	if t.observers == nil {
		t.observers = map[*Tracker]Observer{}
	}
	o := newObserver()
	t.observers[tracker] = o
	return o, Observed
}

// end returns those who are to be told of the end, which comes once.
func (t *wrappedTx) end() observers {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	var all observers
	for _, o := range t.observers {
		all = append(all, o)
	}
	t.observers = nil
	return all
}

// GetDBConn implements [gorm.GetDBConnector].
func (t *wrappedTx) GetDBConn() (*sql.DB, error) { return t.pool.GetDBConn() }

// Commit implements [gorm.TxCommitter]. As database/sql it sends no COMMIT when the transaction's context is over; from
// the error that it returns then, this cannot be told.
func (t *wrappedTx) Commit() error {
	all := t.end()
	if err := t.ctx.Err(); err != nil {
		_ = t.Tx.Rollback() // perhaps once more
		all.RolledBack()
		return err
	}
	return commit(all, t.Tx, t.Tx)
}

// Rollback implements [gorm.TxCommitter].
func (t *wrappedTx) Rollback() error {
	all := t.end()
	err := t.Tx.Rollback()
	all.RolledBack()
	return err
}

// observers are several as one.
type observers []Observer

func (all observers) BeforeCommit(tx Execer) error {
	for _, o := range all {
		if err := o.BeforeCommit(tx); err != nil {
			return err
		}
	}
	return nil
}

func (all observers) Committed(err error) {
	for _, o := range all {
		o.Committed(err)
	}
}

func (all observers) RolledBack() {
	for _, o := range all {
		o.RolledBack()
	}
}
