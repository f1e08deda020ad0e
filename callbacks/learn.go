package callbacks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
)

// How the schema of a database is learned, and who waits for it.
//
// Reading the catalog takes a connection of the application's pool, and all of them may be held by transactions. So
// whoever reads it has his connection first: a statement in a transaction of PostgreSQL's its own, any other statement
// one of the pool, which it hands to the background. One reads; the others wait for that one, who waits for nobody. No
// lock is held over a query. A statement waits for Options.LearnTimeout at most, for a connection, and then for a
// reading as long as that is no older. Then it goes on without the schema: the database answers a read; a write
// announces all entries, and what follows from it in the schema that was known before.
//
// A transaction that sees one snapshot may not be asked: what it sees may be older than the pins, and a snapshot that
// begins with our question, and not with the application's own, changes what the application sees, or (SQLite) makes
// its first write fail. So in PostgreSQL a transaction is asked under READ COMMITTED only; in SQLite and MySQL, never.
// What GORM puts into a transaction of its own learns there before that begins (learnBefore).

const (
	// maxAge is how long a catalog is believed that nobody is known to have changed, before it is read again in the
	// background. Twice of it bounds the time for which a change made by somebody else, of which the cache was not told,
	// goes unseen.
	maxAge = 30 * time.Second
	// maxQuiet is for how long it is read again although no statement needs it, so that the first one after a while does not
	// wait. After that a database may sleep.
	maxQuiet = 4 * time.Minute
	// readTimeout bounds a reading that no statement waits for to its end, and one that Use does; and how long a connection is
	// waited for then.
	readTimeout = 10 * time.Second
	// retryAge is how long a database that could not be asked is left alone.
	retryAge = time.Second
)

var errLater = errors.New("tried a moment ago")

// learning is what goes on to learn the schema of a database.
type learning struct {
	mu  sync.Mutex // never held over a query
	now *attempt   // that of the one who reads; nil: nobody does
	// failed is when the last reading failed that was made on a connection of the pool, and on one that a statement held.
	failed struct{ pooled, held time.Time }
	// unsettled is how often in a row the catalog was not settled.
	unsettled int
	// next reads the catalog again when it is old.
	next *time.Timer
}

// An attempt reads the catalog once.
type attempt struct {
	begun time.Time
	over  chan struct{} // closed when it is over
}

// wait waits for the end of an attempt, but no longer than until it has that age.
func (a *attempt) wait(ctx context.Context, age time.Duration) {
	ctx, cancel := context.WithDeadline(ctx, a.begun.Add(age))
	defer cancel()
	select {
	case <-a.over:
	case <-ctx.Done():
	}
}

// begin returns the attempt that is under way, or a new one, which the caller has to carry out and to end; nil, if the
// database has failed a moment ago.
func (l *learning) begin(held bool) (a *attempt, mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	failed := l.failed.pooled
	if held {
		failed = l.failed.held
	}
	if l.now == nil && time.Since(failed) >= retryAge {
		l.now, mine = &attempt{begun: time.Now(), over: make(chan struct{})}, true
	}
	return l.now, mine
}

// end ends the attempt that is under way.
func (l *learning) end(held bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.now.over)
	l.now = nil
	switch {
	case err == nil:
	case held:
		l.failed.held = time.Now()
	default:
		l.failed.pooled = time.Now()
	}
}

// introduce asks a database what it is when the plugin is registered: later the only connection may be in use. Its schema is
// read for the first statement that needs it. If the database cannot be asked now, it will be asked again. Nothing is asked
// of the store.
func (d *database) introduce(ctx context.Context) {
	if !catalog.Knows(d.dialect) {
		d.h.opt.Logger.WarnContext(ctx, "rediscache: this dialect is not known: answers are cached by the tables that they "+
			"name, and not row by row", "dialect", d.dialect)
	}
	ctx, cancel := context.WithTimeout(d.h.nobodys(ctx), readTimeout)
	defer cancel()
	from, err := d.borrow(ctx, nil)
	if err == nil {
		defer from.release()
		from.bound = readTimeout // nothing goes on before Use has returned
		err = d.identified(ctx, from)
	}
	if err != nil && !permanent(err) {
		d.h.opt.Logger.WarnContext(ctx, "rediscache: nothing is cached until the database can be asked what it is",
			"dialect", d.dialect, "error", err)
	}
}

// identified asks the database what it is. On MySQL it asks for the schema, too: a write that does not wait for it may
// reach other databases of the server, by keys, triggers and routines.
func (d *database) identified(ctx context.Context, from lender) error {
	id, err := d.identify(ctx, from)
	if err != nil {
		return err
	}
	k := d.unread(id)
	if d.dialect == catalog.MySQL {
		c, err := d.load(ctx, from)
		if err != nil {
			return err
		}
		k = d.learned(ctx, id, c, nil)
		k.unread = true
	}
	d.known.CompareAndSwap(nil, k)
	return nil
}

// knowledge returns the schema that a statement may be planned by; nil, if the process has read none, or an old one, and the
// statement has waited for a reading as long as it may.
func (d *database) knowledge(ctx context.Context, held gorm.ConnPool) *knowledge {
	k := d.known.Load()
	if k != nil && !d.stale.Load() && !k.unread {
		if !k.used.Load() { // what many statements share is not written for each of them
			k.used.Store(true)
		}
		switch age := time.Since(k.read); {
		case age < k.believed:
			return d.grown(k)
		case age < 2*maxAge && !d.h.opt.Foreground:
			d.renew(ctx)
			return d.grown(k)
		}
	}
	if k = d.learnAfter(ctx, held, k); k == nil {
		return nil
	}
	return d.grown(k)
}

// registerLearning has the schema learned before GORM begins its own transaction around a write: inside of it, not every
// database can be asked.
func (h *Hooks) registerLearning(db *gorm.DB) error {
	const begin = "gorm:begin_transaction"
	cb := db.Callback()
	for name, register := range map[string]func(string, func(*gorm.DB)) error{
		"create": cb.Create().Before(begin).Register,
		"update": cb.Update().Before(begin).Register,
		"delete": cb.Delete().Before(begin).Register,
	} {
		if err := register("rediscache:before_"+name, h.learnBefore); err != nil {
			return fmt.Errorf("callback before %s: %w", name, err)
		}
	}
	return nil
}

// learnBefore learns the schema if it has to be learned, and the statement does not hold a connection yet but will. Not on
// PostgreSQL: there the statement learns in its transaction, and must not wait for LearnTimeout twice.
func (h *Hooks) learnBefore(db *gorm.DB) {
	if h.idle(db) || db.SkipDefaultTransaction || !h.enter() {
		return
	}
	defer h.exit()
	s := h.shim(db, written)
	if db.Name() == catalog.Postgres || s.held() != nil {
		return
	}
	defer s.rescueLearning()
	h.database(db, s.ConnPool).knowledge(db.Statement.Context, nil)
}

// learnAfter returns what has been learned since something was known, or what is read now; nil, if that takes too long, or
// fails.
func (d *database) learnAfter(ctx context.Context, held gorm.ConnPool, before *knowledge) *knowledge {
	since := func() *knowledge {
		if k := d.known.Load(); k != before && !d.stale.Load() {
			return k
		}
		return nil
	}
	if k := since(); k != nil {
		return k
	}
	waiting, cancel := context.WithTimeout(ctx, d.h.opt.LearnTimeout)
	defer cancel()
	from, err := d.borrow(waiting, held)
	if err != nil { // the connection of the statement will not do, or all are taken
		d.renew(ctx)
		return since()
	}
	if k := since(); k != nil { // while the connection was waited for
		from.release()
		return k
	}
	a, read := d.attempt(ctx, from)
	if read != nil && (from.held || d.h.opt.Foreground || !d.h.spawn(read)) {
		read()
	}
	if a != nil {
		a.wait(waiting, d.h.opt.LearnTimeout)
	}
	k := since()
	if k == nil && held != nil {
		d.renew(ctx) // where it may take longer
	}
	return k
}

// attempt returns the attempt that is under way, if there is one, and takes the connection back. Otherwise read carries out
// a new one, with the connection.
func (d *database) attempt(ctx context.Context, from lender) (a *attempt, read func()) {
	a, mine := d.learning.begin(from.held)
	if !mine {
		from.release()
		return a, nil
	}
	return a, func() {
		err := errLater // if it panics
		defer func() { d.learning.end(from.held, err) }()
		defer from.release() // before, so that who has waited finds the connection
		ctx, cancel := context.WithCancel(d.h.nobodys(ctx))
		defer cancel()
		if !from.held {
			defer context.AfterFunc(d.h.ending, cancel)()
		}
		err = d.read(ctx, from)
	}
}

// renew reads the catalog in the background, if nobody does.
func (d *database) renew(ctx context.Context) {
	if d.ofSession || d.h.opt.Foreground || !d.renewing.CompareAndSwap(false, true) {
		return
	}
	begun := d.h.spawn(func() {
		defer d.renewing.Store(false)
		ctx, cancel := context.WithTimeout(d.h.nobodys(ctx), readTimeout)
		defer cancel()
		defer context.AfterFunc(d.h.ending, cancel)()
		from, err := d.borrow(ctx, nil)
		if err != nil {
			return
		}
		if _, read := d.attempt(ctx, from); read != nil {
			read()
		}
	})
	if !begun {
		d.renewing.Store(false)
	}
}

// read reads the catalog. An error must not end a transaction of the application's.
func (d *database) read(ctx context.Context, from lender) error {
	id, err := d.identify(ctx, from)
	if err != nil {
		return err
	}
	if from.old {
		return errHeld // the catalog would be older than the pins
	}
	// Before the catalog is read: a definition that this process carries out meanwhile sets it again. One of another process
	// changes the schema's tag, which the pins are compared with.
	d.stale.Store(false)
	pins, failed := d.h.opt.Protocol.Pin(ctx, id.names) // without them nothing is served
	c, err := d.load(ctx, from)
	var k *knowledge
	switch {
	case err == nil:
		k = d.learned(ctx, id, c, pins)
	case d.forbidden(err):
		k = d.partial(ctx, id, pins, err)
	default:
		d.stale.Store(true)
		return err
	}
	k.unasked = failed != nil && !errors.Is(failed, consistency.ErrWriting)
	d.know(k)
	return nil
}

// know takes over what was just learned, and has it renewed when it is old, unless there has been no statement for long.
func (d *database) know(k *knowledge) {
	l := &d.learning
	l.mu.Lock()
	defer l.mu.Unlock()
	if before := d.known.Load(); before != nil && !before.used.Load() {
		k.quiet = before.quiet + k.read.Sub(before.read)
	}
	d.known.Store(k)
	if l.next != nil {
		l.next.Stop()
	}
	if k.quiet < maxQuiet && !d.ofSession && !d.h.opt.Foreground && !d.h.closed.Load() {
		l.next = time.AfterFunc(k.believed, func() { d.renew(d.h.ending) })
	}
}

// forget ends the renewal of what was learned.
func (d *database) forget() {
	d.learning.mu.Lock()
	defer d.learning.mu.Unlock()
	if d.learning.next != nil {
		d.learning.next.Stop()
	}
}

// loads is how often the catalog is read again because somebody dropped what it was about to tell of.
const loads = 3

// load reads the catalog.
func (d *database) load(ctx context.Context, from lender) (c *catalog.Catalog, err error) {
	for range loads {
		err = from.lend(ctx, func(ctx context.Context, q catalog.Querier) error {
			c, err = catalog.Load(ctx, q, d.dialect)
			return err
		})
		if err == nil || d.forbidden(err) || tooSlow(err) {
			break
		}
	}
	if c != nil && d.h.opt.Partition != nil { // sessions of tenants may find other tables than the one that has asked
		for i := range c.Tables {
			c.Tables[i].Hidden = false
		}
	}
	return c, err
}

// queryCanceled is the SQLSTATE of a statement that took longer than statement_timeout.
const queryCanceled = "57014"

// tooSlow reports whether an attempt has kept a connection for too long.
func tooSlow(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || stateOf(err) == queryCanceled
}
