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
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/relations"
)

// maxAge is how long a catalog is believed that nobody is known to have changed. It bounds the time for which a change
// made by somebody else, of which the cache was not told, goes unseen.
const maxAge = time.Minute

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

	learning sync.Mutex
	failed   time.Time
	renewing atomic.Bool
}

// identity names a database and the way its sessions see it.
type identity struct {
	names   keying.Space
	session string
	all     []keying.Tag
}

// knowledge is what follows from one reading of the catalog.
type knowledge struct {
	*identity
	graph  *relations.Graph
	pins   consistency.Pins
	plans  plans
	tables sync.Map // name → *keying.Table
	read   time.Time
}

// table returns the names of a table's tags.
func (k *knowledge) table(name string) *keying.Table {
	if t, ok := k.tables.Load(name); ok {
		return t.(*keying.Table) //nolint:forcetypeassert // only tables are stored
	}
	t, _ := k.tables.LoadOrStore(name, k.names.Table(name))
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
	d := &database{h: h, dialect: db.Name(), dsn: dsnOf(db.Dialector), pool: found}
	if d.dialect == catalog.SQLite {
		d.lexer = sqltext.SQLite
	}
	stored, _ := h.databases.LoadOrStore(key, d)
	return stored.(*database) //nolint:forcetypeassert // only databases are stored
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
// may be in use. If it cannot be asked now, it will be asked again.
func (d *database) introduce(ctx context.Context) {
	if _, err := d.learnAfter(ctx, nil, d.known.Load(), learnTimeout); err != nil && !errors.Is(err, errLater) {
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
	if k != nil && !d.stale.Load() {
		switch age := time.Since(k.read); {
		case age < maxAge:
			return k
		case age < 2*maxAge:
			d.renew(ctx)
			return k
		}
	}
	timeout := learnTimeout
	if k == nil && held != nil {
		// A query that fails would end the application's transaction. Another connection may be long in coming.
		held, timeout = nil, unseenTimeout
	}
	k, err := d.learnAfter(ctx, held, k, timeout)
	if err != nil {
		return nil
	}
	return k
}

// renew reads the catalog in the background.
func (d *database) renew(ctx context.Context) {
	if !d.renewing.CompareAndSwap(false, true) {
		return
	}
	d.h.work.Go(func() {
		defer d.renewing.Store(false)
		d.learning.Lock()
		defer d.learning.Unlock()
		_, _ = d.read(ctx, nil, learnTimeout)
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
	return d.read(ctx, held, timeout)
}

// read reads the catalog. The caller holds learning.
func (d *database) read(ctx context.Context, held gorm.ConnPool, timeout time.Duration) (*knowledge, error) {
	via := d.pool
	if held != nil {
		via = held
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	id, err := d.identify(ctx, via)
	if err != nil {
		d.failed = time.Now()
		return nil, err
	}
	// A change that comes later makes it stale again; one that Redis is told of changes a pin.
	d.stale.Store(false)
	pins, _ := d.h.opt.Protocol.Pin(ctx, id.all) // without them nothing is served
	c, err := d.load(ctx, held)
	if err != nil {
		d.stale.Store(true)
		d.failed = time.Now()
		return nil, err
	}
	k := &knowledge{identity: id, graph: relations.New(c, d.lexer), pins: pins, read: time.Now()}
	d.known.Store(k)
	return k, nil
}

// loads is how often the catalog is read again because somebody dropped what it was about to tell of.
const loads = 3

// load reads the catalog. An error must not end a transaction of the application's.
func (d *database) load(ctx context.Context, held gorm.ConnPool) (c *catalog.Catalog, err error) {
	if held == nil {
		for range loads {
			if c, err = catalog.Load(ctx, d.pool, d.dialect); err == nil {
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
	}
	_, released := held.ExecContext(ctx, "RELEASE SAVEPOINT rediscache")
	return c, errors.Join(err, released)
}

// identify asks the database once what it is.
func (d *database) identify(ctx context.Context, via gorm.ConnPool) (*identity, error) {
	if id := d.identity.Load(); id != nil {
		return id, nil
	}
	found, err := catalog.Identify(ctx, via, d.dialect, d.h.opt.Host)
	if err != nil {
		return nil, err
	}
	if !found.Certain && !d.h.opt.OwnNamespace {
		return nil, errUncertain
	}
	if found.Database == "" {
		found.Database = d.memory()
	}
	names, err := keying.NewSpace(d.h.opt.Namespace, found.Database)
	if err != nil {
		return nil, fmt.Errorf("namespace: %w", err)
	}
	id := &identity{names: names, session: found.Session, all: names.All()}
	d.identity.Store(id)
	return id, nil
}

// process names this process, among all that there ever were.
var process = rand.Text() //nolint:gochecknoglobals // as it says

// memory names a database that lives in memory: each handle has its own, unless the DSN says that it is shared.
func (d *database) memory() string {
	if strings.Contains(d.dsn, "cache=shared") || strings.Contains(d.dsn, "vfs=memdb") {
		return "memory-" + process + "-" + d.dsn
	}
	return "memory-" + rand.Text()
}

// changed notes that the catalog may have changed.
func (d *database) changed() { d.stale.Store(true) }
