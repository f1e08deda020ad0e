// Package txpool tells when a database transaction is about to commit, and when it has ended, however the program
// wrote it: GORM's own transaction around a write, Begin and Commit, Transaction, one that the program began itself.
//
// GORM has no hook for it. By default the end is observed on the *sql.Tx itself, whose type does not change, so that
// programs that look for a *sql.Tx find one (docs/decisions/0002-observing-transactions.md). [Tracker.Wrap] is the
// alternative: it wraps the connection pool.
package txpool

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"

	"gorm.io/gorm"
)

// An Observer is told of one transaction.
type Observer interface {
	// BeforeCommit is called before COMMIT is sent, with what carries out statements of the same transaction. If it fails,
	// COMMIT is not sent: the transaction is rolled back, and the error is returned to who commits.
	BeforeCommit(tx Execer) error
	// Committed is called when COMMIT was sent, with the error that it returned, before its caller gets control back.
	Committed(err error)
	// RolledBack is called when the transaction was rolled back.
	RolledBack()
}

// A State says whether a transaction can be observed.
type State uint8

const (
	// Observed means that the observer will be told of the end.
	Observed State = iota
	// Ended means that the transaction is over, or ending.
	Ended
	// Opaque means that it is of a kind whose end cannot be seen.
	Opaque
)

// A Tracker observes transactions. Use [New].
type Tracker struct {
	layout layout
	works  bool
}

// New returns a tracker. It makes sure, once, that transactions can be observed on a *sql.Tx with this version of Go.
func New() *Tracker {
	t := &Tracker{}
	t.layout, t.works = layoutOf(reflect.TypeFor[sql.Tx]())
	t.works = t.works && t.selfTest()
	return t
}

// Works reports whether transactions can be observed on a *sql.Tx. If not, they are all [Opaque], unless their pool is
// wrapped.
func (t *Tracker) Works() bool { return t.works }

// Observe returns the observer of the transaction that a connection pool is, made by the function if it has none yet.
func (t *Tracker) Observe(pool any, newObserver func() Observer) (Observer, State) {
	switch tx := find(pool).(type) {
	case *wrappedTx:
		return tx.observe(t, newObserver)
	case *sql.Tx:
		if t.works && tx != nil {
			return t.attach(tx, newObserver)
		}
	}
	return nil, Opaque
}

// Sees reports whether the transaction that a connection pool is can be found in it. It cannot if the pool's type hides it,
// or if the pool is no transaction: some pools that rewrite statements have the methods of one.
func (t *Tracker) Sees(pool any) bool { return find(pool) != nil }

// DB returns the database of the transaction, or of the single connection, that a connection pool is; nil if that
// cannot be seen.
func (t *Tracker) DB(pool any) *sql.DB {
	if conn, ok := pool.(*sql.Conn); ok && conn != nil {
		if f := reflect.ValueOf(conn).Elem().FieldByName("db"); f.IsValid() && f.Type() == reflect.TypeFor[*sql.DB]() {
			return (*sql.DB)(f.UnsafePointer())
		}
	}
	switch tx := find(pool).(type) {
	case *wrappedTx:
		db, _ := tx.GetDBConn()
		return db
	case *sql.Tx:
		if t.layout.db != nil && tx != nil {
			return *(**sql.DB)(unsafe.Add(unsafe.Pointer(tx), *t.layout.db))
		}
	}
	return nil
}

// maxNesting is how many wrappers a transaction is looked for in.
const maxNesting = 5

// find looks for a transaction of a known kind in a connection pool: itself, or what it embeds.
func find(pool any) any {
	for range maxNesting {
		switch p := pool.(type) {
		case *sql.Tx, *wrappedTx, nil:
			return p
		case *gorm.PreparedStmtTX:
			if p == nil {
				return nil
			}
			pool = p.Tx
		default:
			if pool = embedded(reflect.ValueOf(pool)); pool == nil {
				return nil
			}
		}
	}
	return nil
}

// embedded returns the transaction that a struct embeds: a *sql.Tx, or an interface.
func embedded(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.Anonymous || !f.IsExported() {
			continue
		}
		if tx, ok := reflect.TypeAssert[gorm.TxCommitter](v.Field(i)); ok {
			return tx
		}
	}
	return nil
}

// layout is where the fields of a sql.Tx are that the tracker needs.
type layout struct {
	closemu, txi, done uintptr
	db                 *uintptr
	// held is where the connection is that the transaction runs on: dc in the Tx, and ci in what that points to.
	held *[2]uintptr
}

// layoutOf finds the fields. ok is false if they are not what they are expected to be.
func layoutOf(t reflect.Type) (l layout, ok bool) {
	if f, found := t.FieldByName("db"); found && f.Type == reflect.TypeFor[*sql.DB]() {
		l.db = &f.Offset
	}
	l.held = heldOf(t)
	closemu, ok1 := t.FieldByName("closemu")
	txi, ok2 := t.FieldByName("txi")
	done, ok3 := t.FieldByName("done")
	ok = ok1 && ok2 && ok3 && closemu.Type == reflect.TypeFor[sync.RWMutex]() &&
		txi.Type == reflect.TypeFor[driver.Tx]() && done.Type == reflect.TypeFor[atomic.Bool]()
	l.closemu, l.txi, l.done = closemu.Offset, txi.Offset, done.Offset
	return l, ok
}

// heldOf finds the connection of a sql.Tx; nil if it is not where it is expected to be.
func heldOf(t reflect.Type) *[2]uintptr {
	dc, ok := t.FieldByName("dc")
	if !ok || dc.Type.Kind() != reflect.Pointer || dc.Type.Elem().Kind() != reflect.Struct {
		return nil
	}
	ci, ok := dc.Type.Elem().FieldByName("ci")
	if !ok || ci.Type != reflect.TypeFor[driver.Conn]() {
		return nil
	}
	return &[2]uintptr{dc.Offset, ci.Offset}
}

// attaching orders the trackers of a process that attach to one transaction.
var attaching sync.Mutex //nolint:gochecknoglobals // guards a field of database/sql, of which there is one

// attach puts an observed driver.Tx in the place of the transaction's own.
//
// Commit and Rollback set done, then take closemu for writing, and only then read txi. So holding closemu for reading,
// with done still false, orders the write here before the read there.
func (t *Tracker) attach(tx *sql.Tx, newObserver func() Observer) (Observer, State) {
	attaching.Lock()
	defer attaching.Unlock()
	base := unsafe.Pointer(tx)
	closemu := (*sync.RWMutex)(unsafe.Add(base, t.layout.closemu))
	closemu.RLock()
	defer closemu.RUnlock()
	if (*atomic.Bool)(unsafe.Add(base, t.layout.done)).Load() {
		return nil, Ended
	}
	txi := (*driver.Tx)(unsafe.Add(base, t.layout.txi))
	for o, ok := (*txi).(*observed); ok; o, ok = o.Tx.(*observed) {
		if o.tracker == t {
			return o.observer, Observed
		}
	}
	o := &observed{Tx: *txi, tracker: t, observer: newObserver()}
	if at := t.layout.held; at != nil { // the Tx lets go of it when it is over, not before
		o.conn = (*driver.Conn)(unsafe.Add(*(*unsafe.Pointer)(unsafe.Add(base, at[0])), at[1]))
	}
	*txi = o
	return o.observer, Observed
}

// observed is a driver's transaction that tells an observer of its end.
type observed struct {
	driver.Tx
	tracker  *Tracker
	observer Observer
	// conn is where the connection is; nil if that could not be found.
	conn *driver.Conn
}

// Commit implements [driver.Tx]. The lock of the connection is held.
func (o *observed) Commit() error {
	var on conn
	if o.conn != nil {
		on.Conn = *o.conn
	}
	return commit(o.observer, o.Tx, on)
}

func (o *observed) Rollback() error {
	err := o.Tx.Rollback()
	o.observer.RolledBack()
	return err
}

// ErrPanic is the error that [Observer.Committed] gets if the driver panicked in COMMIT. The panic itself goes on to the
// caller.
var ErrPanic = errors.New("txpool: the driver panicked in COMMIT")

// commit commits a transaction under the eyes of its observer.
func commit(o Observer, tx interface {
	Commit() error
	Rollback() error
}, on Execer,
) error {
	if err := o.BeforeCommit(on); err != nil {
		_ = tx.Rollback() // the error that counts is the observer's
		o.RolledBack()
		return err
	}
	err := ErrPanic
	defer func() { o.Committed(err) }()
	err = tx.Commit()
	return err
}
