package outbox

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
)

const (
	// idlePause and busyPause are how long a relay waits, give or take a quarter, before it looks again: without, and with
	// rows in the outbox.
	idlePause = time.Second
	busyPause = 250 * time.Millisecond
	// passTimeout bounds one look, and what follows from it.
	passTimeout = 10 * time.Second
	// batch is how many rows are relayed together.
	batch = 100
)

// Options says what a relay works with. All fields are required.
type Options struct {
	DB      *sql.DB
	Dialect string
	// Space is what the names of the database's tags begin with; empty, while that is not known.
	Space func() string
	// Tell tells the cache of the tags.
	Tell func(context.Context, []keying.Tag) error
	// Refuses reports whether Tell would fail at once.
	Refuses func() bool
	// OnChange is told when there are rows, and when there are none any more.
	OnChange func(open bool, table string)
	Logger   *slog.Logger
}

// A Relay takes rows out of the outbox of one database, and tells the cache. Many processes may do so at the same time.
type Relay struct {
	opt    Options
	wake   chan struct{}
	table  atomic.Pointer[Table]
	state  atomic.Pointer[State]
	passed atomic.Int64 // when Tick last looked, in nanoseconds since 1970

	passing chan struct{} // has one element while somebody looks
	open    bool          // of whoever looks
	failed  error         // the same
}

// NewRelay returns a relay. Run has to be called, or Tick.
func NewRelay(opt Options) *Relay {
	r := &Relay{opt: opt, wake: make(chan struct{}, 1), passing: make(chan struct{}, 1)}
	r.state.Store(&State{})
	return r
}

// Table returns the outbox. It is looked for until it was found.
func (r *Relay) Table(ctx context.Context) (*Table, error) {
	if t := r.table.Load(); t != nil {
		return t, nil
	}
	t, err := Locate(ctx, r.opt.DB, r.opt.Dialect)
	if err != nil {
		return nil, err
	}
	r.table.Store(t)
	return t, nil
}

// Found returns the outbox if it was found; nil, if it was not yet.
func (r *Relay) Found() *Table { return r.table.Load() }

// State returns what there was when the relay looked last.
func (r *Relay) State() State { return *r.state.Load() }

// Wake makes Run look now.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run relays until the context is over.
func (r *Relay) Run(ctx context.Context) {
	timer := time.NewTimer(jittered(busyPause))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
		}
		pause := idlePause
		if r.Pass(ctx) && r.State().Rows > 0 {
			pause = busyPause // others are at it, or it was too much for one look
		}
		timer.Reset(jittered(pause))
	}
}

// jittered keeps processes that began together from looking together.
func jittered(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2) }

// Tick is for who may do nothing in the background: it looks, if that was long ago.
func (r *Relay) Tick(ctx context.Context) {
	now, last := time.Now().UnixNano(), r.passed.Load()
	if now-last >= int64(idlePause) && r.passed.CompareAndSwap(last, now) {
		r.Pass(ctx)
	}
}

// Pass looks once, and relays what there is, if it can be. What fails is tried again with the next one. It reports whether
// nothing has failed.
func (r *Relay) Pass(ctx context.Context) bool {
	select {
	case r.passing <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-r.passing }()
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	err := r.pass(ctx)
	if err != nil && r.failed == nil && !errors.Is(err, context.Canceled) && !errors.Is(err, errUntold) {
		r.opt.Logger.WarnContext(ctx, "rediscache: the outbox could not be relayed; it is tried again", "error", err)
	}
	r.failed = err
	return err == nil
}

func (r *Relay) pass(ctx context.Context) error {
	space := r.opt.Space()
	if space == "" {
		return nil // nobody of this process has written anything that could be named
	}
	t, err := r.Table(ctx)
	if err != nil {
		return err
	}
	s, err := r.look(ctx, t, space)
	if err != nil {
		return err
	}
	var untold error
	for last := int64(0); s.Rows > 0 && !s.ReadOnly && !r.opt.Refuses(); {
		took, err := r.relay(ctx, t, space, last)
		if err != nil {
			return err
		}
		if took.last == 0 {
			break // there is nothing behind it, or others are at it
		}
		last, untold = took.last, cmp.Or(untold, took.untold)
		if s, err = r.look(ctx, t, space); err != nil {
			return err
		}
	}
	return untold
}

// look notes what there is. A replica's copy is not counted.
func (r *Relay) look(ctx context.Context, t *Table, space string) (State, error) {
	s, err := t.State(ctx, r.opt.DB, space)
	if err != nil {
		return s, err
	}
	if s.ReadOnly {
		s = State{ReadOnly: true}
	}
	r.state.Store(&s)
	if open := s.Rows > 0; open != r.open {
		r.open = open
		r.opt.OnChange(open, t.name)
	}
	return s, nil
}

// errUntold is the error of a cache that does not answer, of which the log hears from others.
var errUntold = errors.New("outbox: the cache could not be told")

// taken is what became of some rows.
type taken struct {
	last   int64 // the last of them; 0: there were none
	untold error // of those that are still there
}

// relay takes some rows out, of those behind one.
func (r *Relay) relay(ctx context.Context, t *Table, space string, behind int64) (took taken, err error) {
	if t.lock == "" { // SQLite: two may take the same rows, and delete them one after the other
		return r.take(ctx, t, r.opt.DB, space, behind)
	}
	// MySQL locks gaps at other levels, and then whoever adds a row would wait for the cache.
	tx, err := r.opt.DB.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return taken{}, fmt.Errorf("outbox: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // the error that counts is the one before
	if took, err = r.take(ctx, t, tx, space, behind); err != nil {
		return taken{}, err
	}
	if err := tx.Commit(); err != nil {
		return taken{}, fmt.Errorf("outbox: %w", err)
	}
	return took, nil
}

// take reads some rows, tells the cache of them, and deletes those that it was told of.
func (r *Relay) take(ctx context.Context, t *Table, tx interface {
	Execer
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, space string, behind int64,
) (took taken, err error) {
	found, err := tx.QueryContext(ctx, "SELECT id, tags FROM "+t.name+" WHERE space = "+t.first+" AND id > "+
		strconv.FormatInt(behind, 10)+" ORDER BY id LIMIT "+strconv.Itoa(batch)+t.lock, space)
	if err != nil {
		return took, fmt.Errorf("outbox: take: %w", err)
	}
	rows, err := read(found, space)
	if err != nil || len(rows) == 0 {
		return took, err
	}
	told, untold := r.tell(ctx, rows)
	if len(told) > 0 {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+t.name+" WHERE id IN ("+strings.Join(told, ", ")+")"); err != nil {
			return took, fmt.Errorf("outbox: delete: %w", err)
		}
	}
	return taken{last: rows[len(rows)-1].id, untold: untold}, nil
}

// tell tells the cache of rows, and returns the numbers of those that it was told of. If it cannot be told of all
// together, as one of several servers is away, it is told of each that does not need that one.
func (r *Relay) tell(ctx context.Context, rows []row) (told []string, untold error) {
	err := r.opt.Tell(ctx, tagsOf(rows...))
	for _, one := range rows {
		if err == nil || len(rows) > 1 && !r.opt.Refuses() && r.opt.Tell(ctx, tagsOf(one)) == nil {
			told = append(told, strconv.FormatInt(one.id, 10))
		}
	}
	if len(told) < len(rows) {
		untold = fmt.Errorf("%w: %w", errUntold, err)
	}
	return told, untold
}

// A row is one write that the cache has not been told of.
type row struct {
	id   int64
	tags []keying.Tag
}

// tagsOf returns the tags of rows, each once.
func tagsOf(rows ...row) (tags []keying.Tag) {
	seen := map[keying.Tag]bool{}
	for _, r := range rows {
		for _, tag := range r.tags {
			if !seen[tag] {
				seen[tag] = true
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// read reads rows. One whose tags cannot be read stands for everything.
func read(found *sql.Rows, space string) (rows []row, err error) {
	defer found.Close()
	for found.Next() {
		r, text := row{}, ""
		if err := found.Scan(&r.id, &text); err != nil {
			return nil, fmt.Errorf("outbox: take: %w", err)
		}
		if json.Unmarshal([]byte(text), &r.tags) != nil {
			r.tags = keying.Tag(space).Everything()
		}
		rows = append(rows, r)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("outbox: take: %w", err)
	}
	return rows, nil
}
