// Package callbacks hooks the cache into GORM. It stands below GORM and above the connection pool: while one of GORM's
// own handlers runs, the statement's pool is replaced by a shim that sees the final SQL text and its arguments, and
// answers from the database or with rows that are played back. GORM notices nothing.
//
//	hooks.go        what is hooked, and with what
//	shim.go         the pool that GORM's handlers find
//	query.go        a statement that reads
//	partition.go    whose answer it is
//	panics.go       what becomes of a panic of the cache's own
//	annotate.go     what the application is told of it
//	write.go        a statement that writes
//	cause.go        why tables are written, for events
//	transaction.go  what a transaction touched, announced when it commits
//	outbox.go       what could not be announced, left in the database
//	plan.go         what a text says, kept by text
//	policies.go     how long answers are kept: what the configuration and the models say
//	times.go        the same, for one statement
//	detach.go       a read that goes on when its statement is over
//	models.go       what GORM's models say
//	knowledge.go    what is known of a database
//	learn.go        how that is learned, and who waits for it
//	partial.go      the same, where the catalog may not be read
package callbacks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/internal/background"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/outbox"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/txpool"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// Options says what the hooks work with. All fields but Models, Annotate and Partition are required.
type Options struct {
	Protocol  *consistency.Protocol
	Namespace string
	Layout    keying.Layout
	// OwnNamespace is set if the application chose the namespace: then it vouches for databases that cannot be told
	// apart.
	OwnNamespace bool
	Policy       ttlconfig.Policy
	Models       ttlconfig.Models
	// MaxRows and MaxBytes bound what is kept of an answer.
	MaxRows, MaxBytes int
	WrapConnPool      bool
	ReadReplicas      bool
	// Outbox leaves what could not be announced in the outbox of its database, and relays what is there.
	Outbox bool
	// Foreground leaves nothing to goroutines.
	Foreground bool
	// LearnTimeout is how long a statement waits for the schema to be read, or for a connection to read it on.
	LearnTimeout time.Duration
	// Host names the machine.
	Host     string
	Recorder metrics.Recorder
	// Advisor counts reads, for Plugin.Advice.
	Advisor *metrics.Advisor
	Logger  *slog.Logger
	// Annotate is told, with its context, what was done for each statement that reads; nil: nobody is.
	Annotate func(context.Context, []slog.Attr)
	// Partition says to whom an answer belongs; nil: answers are everybody's.
	Partition func(context.Context) string
}

// Hooks is what one plugin hangs into the handles that it is registered with. They share everything.
type Hooks struct {
	opt     Options
	player  *rowcodec.Player
	scanner *scanner
	tracker *txpool.Tracker
	closed  atomic.Bool
	active  atomic.Int64 // handlers that are running

	mu        sync.Mutex
	models    *models
	databases sync.Map // connection pool → *database
	said      sync.Map // what the log was told once
	work      *background.Group
	end       context.CancelFunc
	ending    context.Context //nolint:containedctx // ends with the hooks, not with a call
}

// New returns hooks.
func New(opt Options) *Hooks {
	h := &Hooks{
		opt: opt, player: rowcodec.NewPlayer(), scanner: newScanner(), tracker: txpool.New(),
		models: newModels(newPolicies(opt.Policy), opt.Logger),
	}
	h.work = background.New(func(value any) { opt.Protocol.Panicked(h.ending, value) })
	h.ending, h.end = context.WithCancel(context.Background()) //nolint:forbidigo // as above
	h.models.declare("", opt.Policy.Scopes())
	_ = h.models.configure(outbox.Name, outbox.Name, ttlconfig.Never) // the first; what is written to it, nobody is told of
	if !h.tracker.Works() && !opt.WrapConnPool {
		opt.Logger.Warn("rediscache: this version of database/sql does not let transactions be observed; what a " +
			"transaction writes is not cached for a while (Config.WrapConnPool is the alternative)")
	}
	return h
}

// Close makes every statement pass by. Those that are under way, and rows that are still open, go on. It waits for what goes
// on in the background, until the context is over.
func (h *Hooks) Close(ctx context.Context) error {
	h.closed.Store(true)
	h.work.Close()
	h.end()
	h.databases.Range(func(_, d any) bool {
		d.(*database).forget() //nolint:forcetypeassert // only databases are stored
		return true
	})
	err := h.work.Wait(ctx)
	if h.active.Load() > 0 {
		return err // the last one closes
	}
	return errors.Join(err, h.player.Close())
}

// spawn runs f in the background; Close waits for it. After Close it does nothing, and answers false.
func (h *Hooks) spawn(f func()) bool {
	h.active.Add(1) // if Close gives up waiting, the last one closes
	begun := h.work.Go(func() {
		defer h.exit()
		f()
	})
	if !begun {
		h.exit()
	}
	return begun
}

// enter is called before a handler runs, and exit when it is through. It answers false after Close.
func (h *Hooks) enter() bool {
	h.active.Add(1)
	if h.closed.Load() {
		h.exit()
		return false
	}
	return true
}

func (h *Hooks) exit() {
	if h.active.Add(-1) == 0 && h.closed.Load() {
		_ = h.player.Close() // may be closed already
	}
}

// A handler is one of GORM's.
type handler struct {
	name    string
	get     func(string) func(*gorm.DB)
	replace func(string, func(*gorm.DB)) error
	around  func(h *Hooks, inner func(*gorm.DB)) func(*gorm.DB)
}

// handlers is the table of what is hooked. Their places in GORM's order stay as they are.
func handlers(db *gorm.DB) []handler {
	cb := db.Callback()
	return []handler{
		{"gorm:query", cb.Query().Get, cb.Query().Replace, (*Hooks).aroundQuery},
		{"gorm:row", cb.Row().Get, cb.Row().Replace, (*Hooks).aroundRow},
		{"gorm:create", cb.Create().Get, cb.Create().Replace, (*Hooks).aroundCreate},
		{"gorm:update", cb.Update().Get, cb.Update().Replace, (*Hooks).aroundUpdate},
		{"gorm:delete", cb.Delete().Get, cb.Delete().Replace, (*Hooks).aroundDelete},
		{"gorm:raw", cb.Raw().Get, cb.Raw().Replace, (*Hooks).aroundRaw},
	}
}

// ErrHandler is returned by Register if one of GORM's handlers is missing.
var ErrHandler = errors.New("GORM has no handler of this name")

// Register hooks into a handle. It may be called for several: those of several databases, and those that dbresolver
// opens for its sources and replicas.
func (h *Hooks) Register(ctx context.Context, db *gorm.DB) error {
	if err := h.learnPolicies(db); err != nil {
		return err
	}
	if h.opt.WrapConnPool {
		db.ConnPool = h.tracker.Wrap(db.ConnPool)
		db.Statement.ConnPool = db.ConnPool
	}
	d := h.database(db, db.ConnPool)
	d.introduce(ctx)
	if err := d.locateOutbox(ctx); err != nil {
		return fmt.Errorf("Config.OnOutage: Outbox: %w", err)
	}
	h.introduceResolved(ctx, db)

	// Replace says at level Info that it replaces; that is nothing to tell the application.
	log := db.Logger
	db.Logger = logger.Discard
	defer func() { db.Logger = log }()
	for _, x := range handlers(db) {
		inner := x.get(x.name)
		if inner == nil {
			return fmt.Errorf("%w: %s", ErrHandler, x.name)
		}
		if err := x.replace(x.name, x.around(h, inner)); err != nil {
			return fmt.Errorf("hook %s: %w", x.name, err)
		}
	}
	return errors.Join(h.registerLearning(db), h.registerGuards(db))
}

// introduceResolved makes the databases known that dbresolver has opened already.
func (h *Hooks) introduceResolved(ctx context.Context, db *gorm.DB) {
	resolver, ok := db.Plugins[resolverName].(interface {
		Call(fn func(gorm.ConnPool) error) error
	})
	if !ok {
		return
	}
	_ = resolver.Call(func(pool gorm.ConnPool) error { // returns what the function returns
		h.database(db, pool).introduce(ctx)
		return nil
	})
}

// learnPolicies finds the tables of the models that have policies of their own.
func (h *Hooks) learnPolicies(db *gorm.DB) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var parsed []*schema.Schema
	for model, policy := range h.opt.Models {
		stmt := &gorm.Statement{DB: db}
		if err := stmt.Parse(model.New()); err != nil {
			return fmt.Errorf("model %s in Models: %w", model, err)
		}
		table := bare(stmt.Schema.Table)
		if err := h.models.configure(table, model.String(), policy); err != nil {
			return fmt.Errorf("Config.Models: %w", err)
		}
		h.models.declare(table, policy.Scopes())
		parsed = append(parsed, stmt.Schema)
	}
	var wrong []error
	for _, s := range parsed { // when all is known that goes before what they say
		_, err := h.models.consult(s)
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// bare returns the name of a table without its schema, in lower case.
func bare(table string) string {
	return strings.ToLower(table[strings.LastIndexByte(table, '.')+1:])
}

// idle reports whether a statement is none of the cache's business.
func (h *Hooks) idle(db *gorm.DB) bool {
	return db.Error != nil || db.DryRun || db.Statement.ConnPool == nil
}

// aroundQuery hooks queries whose answer GORM itself scans.
func (h *Hooks) aroundQuery(inner func(*gorm.DB)) func(*gorm.DB) {
	run := func(_ *shim, db *gorm.DB) { inner(db) }
	if isGORMs(inner) {
		run = (*shim).query
	}
	return func(db *gorm.DB) { h.aroundWith(db, inner, scanned, run) }
}

// aroundRow hooks Scan, Rows and Row. The last two hand a cursor to the application, which must be a live one; Scan is
// told from them by the logger that it installs.
func (h *Hooks) aroundRow(inner func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) {
		if isRecorder(db.Logger) {
			h.around(db, inner, rowScanned)
		} else {
			h.around(db, inner, handedOut)
		}
	}
}

// aroundRaw hooks texts that do not return rows.
func (h *Hooks) aroundRaw(inner func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) { h.around(db, inner, written) }
}

// aroundUpdate hooks what updates rows, and perhaps returns those that it wrote.
func (h *Hooks) aroundUpdate(inner func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) { h.around(db, inner, updating) }
}

// aroundDelete hooks what deletes rows.
func (h *Hooks) aroundDelete(inner func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) { h.around(db, inner, deleting) }
}

// aroundCreate hooks the creation of rows from models.
func (h *Hooks) aroundCreate(inner func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) { h.around(db, inner, creating) }
}

// around runs one of GORM's handlers with a shim in the place of the statement's pool.
func (h *Hooks) around(db *gorm.DB, inner func(*gorm.DB), use use) {
	h.aroundWith(db, inner, use, func(_ *shim, db *gorm.DB) { inner(db) })
}

// aroundWith does the same, and runs something else than the handler where the shim is there.
func (h *Hooks) aroundWith(db *gorm.DB, inner func(*gorm.DB), use use, run func(*shim, *gorm.DB)) {
	if h.idle(db) || !h.enter() {
		inner(db)
		return
	}
	defer h.exit()
	s := h.shim(db, use)
	if s.control.Wrong != nil {
		_ = db.AddError(s.control.Wrong)
		if use == handedOut { // Row has no other way to tell
			db.Statement.Dest = h.player.Row(rowcodec.Playback{Err: s.control.Wrong})
		}
		return
	}
	if use >= written {
		ran(db)
	}
	db.Statement.ConnPool = s
	// Before preloads, hooks and the end of the transaction; and if the handler panics.
	defer s.leave()
	run(s, db)
}
