package callbacks

import (
	"context"
	"strings"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/relations"
)

// learned returns what follows from a catalog that was just read. While that says the same as before, what was planned
// is kept.
func (d *database) learned(ctx context.Context, id *identity, c *catalog.Catalog, pins *consistency.Pins) *knowledge {
	k := &knowledge{pins: pins, read: time.Now(), believed: d.believes(c)}
	digest := c.Digest()
	if before := d.known.Load(); before != nil && before.identity == id && before.digest == digest {
		k.snapshot = before.snapshot
		return k
	}
	k.snapshot = &snapshot{identity: id, digest: digest, graph: relations.New(c, d.lexer), models: d.h.models}
	d.warnOpaque(ctx, k.snapshot)
	return k
}

// unread returns the knowledge of a database whose catalog has not been read yet: it holds the database's identity alone. A
// statement that does not wait for the catalog is planned by its text. (SQLite's triggers change rows only: SQLite
// documentation, "CREATE TRIGGER".)
func (d *database) unread(id *identity) *knowledge {
	return &knowledge{read: time.Now(), unread: true, snapshot: &snapshot{
		identity: id, graph: relations.New(&catalog.Catalog{}, d.lexer), models: d.h.models, opaque: d.dialect != catalog.SQLite,
	}}
}

// believes returns how long a catalog is believed: one that was not settled is soon read again, less and less soon if it
// does not come to be.
func (d *database) believes(c *catalog.Catalog) time.Duration {
	l := &d.learning
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.Unsettled {
		l.unsettled = 0
		return maxAge
	}
	l.unsettled++
	return min(maxAge, retryAge<<min(l.unsettled-1, 10))
}

// warnOpaque notes, and names, the tables that cost the cache everything when they are written.
func (d *database) warnOpaque(ctx context.Context, k *snapshot) {
	tables := k.graph.Opaque()
	k.opaque = len(tables) > 0
	if k.opaque && d.h.first("opaque", k.found.Database, strings.Join(tables, " ")) {
		d.h.opt.Logger.WarnContext(ctx, "rediscache: what triggers or rules of these tables do cannot be read: each write that "+
			"fires them invalidates everything that is cached of the database", "tables", tables)
	}
}

// first reports whether something is said for the first time.
func (h *Hooks) first(words ...string) bool {
	_, again := h.said.LoadOrStore(strings.Join(words, "\x00"), true)
	return !again
}

// insufficientPrivilege is the SQLSTATE of what a role has no right to.
const insufficientPrivilege = "42501"

// forbidden reports whether the catalog cannot be read for want of a right.
func (d *database) forbidden(err error) bool {
	return err != nil && d.dialect == catalog.Postgres && stateOf(err) == insufficientPrivilege
}

// partial returns what follows from the models alone, in a database whose catalog may not be read.
func (d *database) partial(ctx context.Context, id *identity, pins *consistency.Pins, why error) *knowledge {
	if d.h.first("partial", id.found.Database) {
		d.h.opt.Logger.WarnContext(ctx, "rediscache: the catalog of this database may not be read: what is known of it is what "+
			"GORM's models say. Tables without a model are not cached. Not seen are triggers, rules, partitions, row-level "+
			"security, constraints that no model declares, and what a view reads, unless its model says so (CacheDependsOn): "+
			"grant the role SELECT on the tables of pg_catalog", "error", why)
	}
	if before := d.known.Load(); before != nil && before.identity == id && !before.outgrown(d.h.models) && before.partial {
		return &knowledge{snapshot: before.snapshot, pins: pins, read: time.Now(), believed: maxAge}
	}
	return &knowledge{snapshot: d.fromModels(id), pins: pins, read: time.Now(), believed: maxAge}
}

// fromModels returns what follows from the models that there are by now.
func (d *database) fromModels(id *identity) *snapshot {
	c, version := d.h.models.catalog()
	return &snapshot{
		identity: id, graph: relations.New(c, d.lexer), models: d.h.models, partial: true, version: version, opaque: true,
	}
}

// outgrown reports whether models have said more since.
func (k *snapshot) outgrown(m *models) bool { return k.partial && k.version != m.version() }

// grown returns what is known with what models have said since.
func (d *database) grown(k *knowledge) *knowledge {
	if !k.outgrown(d.h.models) {
		return k
	}
	d.learning.mu.Lock()
	defer d.learning.mu.Unlock()
	if now := d.known.Load(); now != nil && now != k {
		k = now
	}
	if k.outgrown(d.h.models) {
		k = &knowledge{snapshot: d.fromModels(k.identity), pins: k.pins, read: k.read, believed: k.believed, quiet: k.quiet}
		k.used.Store(true)
		d.known.Store(k)
	}
	return k
}
