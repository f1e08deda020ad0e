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

// A database is one that a handle uses.
type database struct {
	h       *Hooks
	pool    gorm.ConnPool
	dialect string
	lexer   sqltext.Dialect
	// dsn is told by some dialectors; it matters for databases that live in memory.
	dsn string

	identity atomic.Pointer[identity]
	known    atomic.Pointer[knowledge] // learning.mu is held when it is set
	// stale is set when the catalog may have changed since it was read.
	stale atomic.Bool
	// sessions are those of the pool's connections, once a statement has changed a setting of its session. ofSession is
	// set for the database as one such session has it: its catalog is read on the connection that a query holds, never in
	// the background.
	sessions  sessions
	ofSession bool
	// unnamed is set when it was said that writes cannot be announced, until the database has been identified.
	unnamed atomic.Bool
	// ended is set when it was said that transactions are ended by texts; begun, when one was begun by a text.
	ended, begun atomic.Bool

	learning learning
	renewing atomic.Bool

	// relay is that of the database's outbox; nil if there is none.
	relay *outbox.Relay
}

// identity names a database and the way its sessions see it.
type identity struct {
	found catalog.Identity
	names keying.Space
	// all are the tags of all entries; everything, those and the schema's.
	all, everything []keying.Tag
	// refused says why nothing can be read or planned in the session; writes may be anything, and are announced as that.
	refused error
}

// elsewhere returns the tags of everything in another database of the same server.
func (id *identity) elsewhere(database string) []keying.Tag {
	return id.names.Elsewhere(database).Everything()
}

// knowledge is what a process knows of the schema of a database, and until when. It changes with each reading of the
// catalog; the snapshot in it, only with the schema.
type knowledge struct {
	*snapshot
	pins *consistency.Pins
	read time.Time
	// unread is set if the catalog has not been read since the plugin was registered: the first statement that needs the
	// schema has it read, with pins. unasked is set if the store did not answer when it was to be asked for them.
	unread, unasked bool
	// believed is how long it is, before the catalog is read again in the background.
	believed time.Duration
	// used is set by the statements that are planned by it; quiet is for how long there had been none when it was read.
	used  atomic.Bool
	quiet time.Duration
}

// A snapshot is what follows from a catalog, with what was planned by it.
type snapshot struct {
	*identity
	// digest stands for the catalog: see catalog.Catalog.Digest.
	digest string
	graph  *relations.Graph
	models *models
	plans  plans
	tables sync.Map // name → *keying.Table
	named  sync.Map // table and name → *scope, nil if there is none
	// opaque is set if there are triggers or rules of which it cannot be read what they do.
	opaque bool
	// partial is set if the catalog may not be read: then it is what models said, as of a version.
	partial bool
	version uint64
}

// table returns the names of a table's tags. They are remembered if there is such a table: statements may name any other.
func (k *snapshot) table(name string) *keying.Table {
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

// identify asks the database what it is: again, if that is not asked of a transaction, as settings of its roles may have
// changed since, or another database may have taken its address.
func (d *database) identify(ctx context.Context, from lender) (*identity, error) {
	before := d.identity.Load()
	if before != nil && from.held {
		return before, before.refused
	}
	var found catalog.Identity
	var refused error
	err := from.lend(ctx, func(ctx context.Context, q catalog.Querier) error {
		found, refused = catalog.Identify(ctx, q, catalog.Origin{Dialect: d.dialect, Host: d.h.opt.Host, DSN: d.dsn})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if refused == nil && !found.Certain && !d.h.opt.OwnNamespace {
		refused = catalog.ErrUncertain
	}
	d.warnRefused(ctx, found.Database, refused)
	if refused != nil && (found.Database == "" || !catalog.Knows(d.dialect)) {
		return nil, refused // nobody can be told of its writes, and nobody caches it
	}
	if before != nil && before.found == found && (before.refused == nil) == (refused == nil) {
		return before, refused
	}
	name := found.Database
	if name == "" {
		name = d.memory()
	}
	names, err := keying.NewSpace(d.h.opt.Namespace, name, d.h.opt.Layout)
	if err != nil {
		return nil, fmt.Errorf("namespace: %w", err)
	}
	id := &identity{
		found: found, names: names, refused: refused,
		all: names.All(), everything: names.Everything(),
	}
	d.identity.Store(id)
	d.unnamed.Store(false)
	return id, refused
}

// permanent reports whether an error says why nothing of a database can be cached, and what to do about it.
func permanent(err error) bool {
	return errors.Is(err, catalog.ErrSettings) || errors.Is(err, catalog.ErrUncertain)
}

// warnRefused says why nothing of a database is cached, if that stays so until somebody does something about it.
func (d *database) warnRefused(ctx context.Context, database string, refused error) {
	if permanent(refused) && d.h.first("refused", database, refused.Error()) {
		d.h.opt.Logger.WarnContext(ctx, "rediscache: nothing of this database is cached", "dialect", d.dialect, "error", refused)
	}
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
