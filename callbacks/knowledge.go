package callbacks

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/outbox"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/relations"
)

// maxAge is how long a catalog is believed that nobody is known to have changed, before it is read again in the background.
// Twice of it bounds the time for which a change made by somebody else, of which the cache was not told, goes unseen.
const maxAge = 30 * time.Second

// learnTimeout bounds how long the catalog is waited for.
const learnTimeout = 10 * time.Second

// unseenTimeout bounds how long it is waited for by a transaction of a pool that was not seen before.
const unseenTimeout = time.Second

// retryAge is how long a database that could not be asked is left alone.
const retryAge = time.Second

// A database is one that a handle uses.
type database struct {
	h       *Hooks
	pool    gorm.ConnPool
	dialect string
	lexer   sqltext.Dialect
	// dsn is told by some dialectors; it matters for databases that live in memory.
	dsn string

	identity atomic.Pointer[identity]
	known    atomic.Pointer[knowledge]
	// stale is set when the catalog may have changed since it was read.
	stale atomic.Bool
	// altered is set when a setting of the session was changed that answers depend on: on which of the pool's
	// connections it holds cannot be known.
	altered atomic.Bool
	// ended is set when it was said that transactions are ended by texts; begun, when one was begun by a text.
	ended, begun atomic.Bool

	learning sync.Mutex
	failed   time.Time
	// unsettled is how often in a row the catalog was not settled.
	unsettled int
	renewing  atomic.Bool

	// relay is that of the database's outbox; nil if there is none.
	relay *outbox.Relay
}

// identity names a database and the way its sessions see it.
type identity struct {
	found   catalog.Identity
	names   keying.Space
	session string
	// all are the tags of all entries; everything, those and the schema's.
	all, everything []keying.Tag
	// namespace is what the names begin with.
	namespace string
	// refused says why nothing can be read or planned in the session; writes may be anything.
	refused error
}

// elsewhere returns the tags of everything in another database of the same server.
func (id *identity) elsewhere(database string) []keying.Tag {
	other, err := keying.NewSpace(id.namespace, database)
	if err != nil {
		return nil // a name that nobody's database can have
	}
	return other.Everything()
}

// knowledge is what follows from one reading of the catalog.
type knowledge struct {
	*identity
	graph  *relations.Graph
	models *models
	pins   *consistency.Pins
	plans  plans
	tables sync.Map // name → *keying.Table
	named  sync.Map // table and name → *scope, nil if there is none
	read   time.Time
	// introduced is set if it was read when the plugin was registered, which asks nothing of the store: the first statement
	// that needs it reads it again, with pins. unasked is set if the store did not answer when it was to be asked for them.
	introduced, unasked bool
	// believed is how long it is, before the catalog is read again in the background.
	believed time.Duration
	// opaque is set if there are triggers or rules of which it cannot be read what they do.
	opaque bool
	// partial is set if the catalog may not be read: then it is what models said, as of a version.
	partial bool
	version uint64
}

// table returns the names of a table's tags. They are remembered if there is such a table: statements may name any other.
func (k *knowledge) table(name string) *keying.Table {
	if t, ok := k.tables.Load(name); ok {
		return t.(*keying.Table) //nolint:forcetypeassert // only tables are stored
	}
	made := k.names.Table(name)
	if _, known := k.graph.Table(name); !known {
		return made
	}
	t, _ := k.tables.LoadOrStore(name, made)
	return t.(*keying.Table) //nolint:forcetypeassert // only tables are stored
}

// database returns what is known of the database behind a pool.
func (h *Hooks) database(db *gorm.DB, pool gorm.ConnPool) *database {
	found := h.poolOf(db, pool)
	var key any = found
	if !reflect.ValueOf(key).Comparable() {
		key = db.Dialector // the pool cannot be a key
	}
	if d, ok := h.databases.Load(key); ok {
		return d.(*database) //nolint:forcetypeassert // only databases are stored
	}
	d := &database{h: h, dialect: db.Name(), lexer: lexerOf(db.Name()), dsn: dsnOf(db.Dialector), pool: found}
	d.relay = d.newRelay()
	stored, before := h.databases.LoadOrStore(key, d)
	if !before && d.relay != nil && !h.opt.Foreground {
		h.spawn(func() { d.relay.Run(h.ending) })
	}
	return stored.(*database) //nolint:forcetypeassert // only databases are stored
}

// lexerOf returns how a database of a dialect reads text.
func lexerOf(dialect string) sqltext.Dialect {
	switch dialect {
	case catalog.Postgres:
		return sqltext.Postgres
	case catalog.SQLite:
		return sqltext.SQLite
	case catalog.MySQL:
		return sqltext.MySQL
	default:
		return sqltext.Standard
	}
}

// poolOf finds the *sql.DB behind a pool, a transaction or a connection; if there is none, the handle's own pool.
func (h *Hooks) poolOf(db *gorm.DB, pool gorm.ConnPool) gorm.ConnPool {
	for _, p := range []gorm.ConnPool{pool, db.ConnPool} {
		switch p := p.(type) {
		case *sql.DB:
			return p
		case gorm.GetDBConnector:
			if d, err := p.GetDBConn(); err == nil && d != nil {
				return d
			}
		}
		if d := h.tracker.DB(p); d != nil {
			return d
		}
	}
	return db.ConnPool
}

// dsnOf returns the DSN that a dialector was made with, if it has a field of that name.
func dsnOf(d gorm.Dialector) string {
	v := reflect.Indirect(reflect.ValueOf(d))
	if v.Kind() != reflect.Struct {
		return ""
	}
	if f := v.FieldByName("DSN"); f.IsValid() && f.Kind() == reflect.String {
		return f.String()
	}
	return ""
}

// introduce asks a database what it is, and what is in it, when the plugin is registered: later the only connection
// may be in use. If it cannot be asked now, it will be asked again. Nothing is asked of the store.
func (d *database) introduce(ctx context.Context) {
	if !catalog.Knows(d.dialect) {
		d.h.opt.Logger.WarnContext(ctx, "rediscache: this dialect is not known: answers are cached by the tables that they "+
			"name, and not row by row", "dialect", d.dialect)
	}
	d.learning.Lock()
	defer d.learning.Unlock()
	if _, err := d.read(ctx, nil, learnTimeout, introduction); err != nil {
		d.h.opt.Logger.WarnContext(ctx, "rediscache: nothing is cached until the database can be asked what it is",
			"dialect", d.dialect, "error", err)
	}
}

var (
	errLater     = errors.New("tried a moment ago")
	errUncertain = errors.New("the database does not tell which one it is (pg_control_system); set Config.Namespace " +
		"to a name that no other database shares")
)

// knowledge returns what is known of the database, or nil if that is nothing. A statement in a transaction asks on its
// own connection: there may be no other.
func (d *database) knowledge(ctx context.Context, held gorm.ConnPool) *knowledge {
	k := d.known.Load()
	if k != nil && !d.stale.Load() && !k.introduced {
		switch age := time.Since(k.read); {
		case age < k.believed:
			return d.grown(k)
		case age < 2*maxAge && !d.h.opt.Foreground:
			d.renew(ctx)
			return d.grown(k)
		}
	}
	timeout := learnTimeout
	if held != nil && (k == nil || !catalog.Knows(d.dialect)) {
		// A query that fails would end the application's transaction. Another connection may be long in coming.
		held, timeout = nil, unseenTimeout
	}
	k, err := d.learnAfter(ctx, held, k, timeout)
	if err != nil {
		return nil
	}
	return d.grown(k)
}

// renew reads the catalog in the background.
func (d *database) renew(ctx context.Context) {
	if !d.renewing.CompareAndSwap(false, true) {
		return
	}
	d.h.spawn(func() {
		defer d.renewing.Store(false)
		d.learning.Lock()
		defer d.learning.Unlock()
		_, _ = d.read(ctx, nil, learnTimeout, pinned)
	})
}

// learnAfter reads the catalog, unless another goroutine just did: if what was known before is all that is known.
func (d *database) learnAfter(
	ctx context.Context, held gorm.ConnPool, before *knowledge, timeout time.Duration,
) (*knowledge, error) {
	d.learning.Lock()
	defer d.learning.Unlock()
	if k := d.known.Load(); k != before && !d.stale.Load() {
		return k, nil
	}
	if time.Since(d.failed) < retryAge {
		return nil, errLater
	}
	return d.read(ctx, held, timeout, pinned)
}

// A reading of the catalog is pinned, unless it is the introduction.
type reading bool

const introduction, pinned reading = false, true

// read reads the catalog. The caller holds learning.
func (d *database) read(ctx context.Context, held gorm.ConnPool, timeout time.Duration, as reading) (*knowledge, error) {
	if held != nil && d.snapshot(ctx, held) {
		held, timeout = nil, unseenTimeout
	}
	via := d.pool
	if held != nil {
		via = held
	}
	ctx, cancel := context.WithTimeout(d.h.nobodys(ctx), timeout)
	defer cancel()
	id, err := d.identify(ctx, via, held == nil)
	if err != nil {
		d.failed = time.Now()
		return nil, err
	}
	// A change that comes later makes it stale again; one that Redis is told of changes a pin.
	d.stale.Store(false)
	var pins *consistency.Pins // without them nothing is served
	var unasked bool
	if as == pinned {
		var failed error
		pins, failed = d.h.opt.Protocol.Pin(ctx, id.names)
		unasked = failed != nil && !errors.Is(failed, consistency.ErrWriting)
	}
	c, err := d.load(ctx, held)
	var k *knowledge
	switch {
	case err == nil:
		k = d.learned(ctx, id, c, pins)
	case d.forbidden(err):
		k = d.partial(ctx, id, pins, err)
	default:
		d.stale.Store(true)
		d.failed = time.Now()
		return nil, err
	}
	k.introduced, k.unasked = as == introduction, unasked
	d.known.Store(k)
	return k, nil
}

// snapshot reports whether a transaction sees the catalog as it was when it began, or sees nothing any more.
func (d *database) snapshot(ctx context.Context, held gorm.ConnPool) bool {
	if d.dialect != catalog.Postgres {
		return false
	}
	level := ""
	err := held.QueryRowContext(ctx, "SHOW transaction_isolation").Scan(&level)
	return err != nil || !strings.HasPrefix(level, "read ")
}

// loads is how often the catalog is read again because somebody dropped what it was about to tell of.
const loads = 3

// load reads the catalog. An error must not end a transaction of the application's.
func (d *database) load(ctx context.Context, held gorm.ConnPool) (c *catalog.Catalog, err error) {
	if held == nil {
		for range loads {
			if c, err = catalog.Load(ctx, d.pool, d.dialect); err == nil || d.forbidden(err) {
				break
			}
		}
		return c, err
	}
	if d.dialect != catalog.Postgres {
		return catalog.Load(ctx, held, d.dialect)
	}
	if _, err := held.ExecContext(ctx, "SAVEPOINT rediscache"); err != nil {
		if _, tx := held.(gorm.TxCommitter); tx {
			return nil, err
		}
		return catalog.Load(ctx, held, d.dialect) // in autocommit, on a connection that the application holds
	}
	for range loads {
		if c, err = catalog.Load(ctx, held, d.dialect); err == nil {
			break
		}
		if _, err := held.ExecContext(ctx, "ROLLBACK TO SAVEPOINT rediscache"); err != nil {
			return nil, err
		}
		if d.forbidden(err) {
			break
		}
	}
	_, released := held.ExecContext(ctx, "RELEASE SAVEPOINT rediscache")
	return c, errors.Join(err, released)
}

// identify asks the database what it is: again, if it may be asked anew, as settings of its roles may have changed since,
// or another database may have taken its address.
func (d *database) identify(ctx context.Context, via gorm.ConnPool, anew bool) (*identity, error) {
	before := d.identity.Load()
	if before != nil && !anew {
		return before, before.refused
	}
	found, refused := catalog.Identify(ctx, via, catalog.Origin{Dialect: d.dialect, Host: d.h.opt.Host, DSN: d.dsn})
	if refused != nil && !errors.Is(refused, catalog.ErrSettings) {
		return nil, refused
	}
	if !found.Certain && !d.h.opt.OwnNamespace {
		return nil, errUncertain
	}
	if before != nil && before.found == found {
		return before, refused
	}
	name := found.Database
	if name == "" {
		name = d.memory()
	}
	names, err := keying.NewSpace(d.h.opt.Namespace, name)
	if err != nil {
		return nil, fmt.Errorf("namespace: %w", err)
	}
	id := &identity{
		found: found, names: names, session: found.Session, namespace: d.h.opt.Namespace, refused: refused,
		all: names.All(), everything: names.Everything(),
	}
	d.identity.Store(id)
	return id, refused
}

// process names this process, among all that there ever were.
var process = rand.Text() //nolint:gochecknoglobals // as it says

// memory names a database that lives in memory: each handle has its own, unless the DSN says that it is shared.
func (d *database) memory() string {
	if strings.Contains(d.dsn, "cache=shared") || strings.Contains(d.dsn, "vfs=memdb") {
		return "memory-" + process + "-" + string(keying.NewFingerprint(d.dsn).Variant()) // it may hold a key
	}
	return "memory-" + rand.Text()
}

// changed notes that the catalog may have changed.
func (d *database) changed() { d.stale.Store(true) }
