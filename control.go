package rediscache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache/callbacks"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

const (
	// Bypass is a clause that lets a statement neither read from the cache nor store in it, nor its preloads. Writes are
	// announced all the same.
	Bypass control = iota
	// Refresh is a clause that reads the database even if the cache has the answer, and stores it. It is stored when the
	// statement is over: a read right after it may still be answered with what was there.
	Refresh
	// ReadOnly is a clause that lets a statement read from the cache, but not store in it, nor its preloads: what Redis does
	// not have, the database answers. It is for jobs and crawlers that read what nobody will ask for again, and would only
	// drive out what others need. With Refresh it is as Bypass. Writes are announced all the same.
	ReadOnly
)

// ErrControl is wrapped by the error of a statement that asks the cache for what it cannot do: a [TTL] or [StaleOK] that is
// no time. The statement is not sent.
var ErrControl = errors.New("rediscache: invalid control")

// TTL returns a clause for answers that are to be kept for another time than their policy says: for d, from 1 millisecond to
// 24 hours (ttlconfig.MaxTTL), less the policy's jitter. Any other d is an error of the statement, which wraps [ErrControl].
//
// The statement and its preloads are served nothing that was read from the database more than d ago, whoever stored it, by
// the clocks of the processes. What they store is served to all others that ask for the same, for d. An answer that says
// that there is no row is kept for the policy's AbsentTTL, if that is shorter. What the policy turns off stays off.
//
// Freshness does not depend on it: what was written is not served in any case. It bounds writes that the cache is not told
// of. For a write it means nothing.
func TTL(d time.Duration) clause.Expression { return asking{ttl(d)} }

func ttl(d time.Duration) callbacks.Control {
	return callbacks.Control{TTL: d, Wrong: wrongTime("TTL", d)}
}

// StaleOK returns a clause that relaxes the promise for one statement and its preloads: it may be served what has been
// written since, also by the application itself, if the database was read for that at most d ago, by the clocks of the
// processes. So it is stale by at most d. The first who is served such an answer has it read anew in the background; if
// there are arguments that could change meanwhile (pointers, structs), or too many such reads are under way, that one waits
// for the database. What Redis does not have is read from the database as usual. d is from 1 millisecond to 24 hours;
// another one is an error of the statement, which wraps [ErrControl].
//
// The answer of a statement with several rows may be of several moments, and a later answer may be older than this one.
// Nobody else is served anything stale by it: neither those who wait for the same, nor those who ask later. Inside a
// transaction the database answers, so that it reads what it wrote. After the schema has changed, nothing from before is
// served. It does not help while Redis is away, or while this process has to tell Redis of writes. With Refresh it means
// nothing; with ReadOnly, nothing is read anew.
func StaleOK(d time.Duration) clause.Expression { return asking{staleOK(d)} }

func staleOK(d time.Duration) callbacks.Control {
	return callbacks.Control{StaleOK: d, Wrong: wrongTime("StaleOK", d)}
}

// wrongTime returns what is wrong with the argument of a control.
func wrongTime(name string, d time.Duration) error {
	if err := ttlconfig.ValidTTL(d); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrControl, name, err)
	}
	return nil
}

// Touches returns a clause that says that a statement may change any row of these tables, besides what its text shows: that
// of a procedure that it calls, say. What the database changes by itself then counts, too.
func Touches(tables ...string) clause.Expression { return asking{callbacks.Control{Touches: tables}} }

// DependsOn returns a clause that says that the answer of a query depends on these tables besides those that its text
// shows, as if the text named them, too: a view stands for the tables that it reads, and what must not be cached may not be
// named. A write to any row of any of them makes the answer unservable. Answers with other dependencies are other answers.
// A schema in a name does not count, and a name that the database does not know is a table that may be made later.
//
// With it, a query may also call functions that PostgreSQL's catalog calls STABLE, and read views whose queries the catalog
// does not show. Otherwise such a query is not cached. The clause then declares that their results depend on nothing but
// their arguments, and on rows of these tables and of those that the text shows: not on the time, on the session or its
// settings, on chance, or on another table. The cache cannot see whether that is so; until the time to live is over it
// serves what it has. Functions that are VOLATILE, as they are if nothing else is said of them, and now(), random() and
// their like in the text or in a view, are not cached all the same.
//
// The clause holds for the preloads of the statement, too. For a write it means nothing: see [Touches].
func DependsOn(tables ...string) clause.Expression {
	return asking{callbacks.Control{DependsOn: tables}}
}

// WithBypass returns a context whose statements are all as with [Bypass].
func WithBypass(ctx context.Context) context.Context {
	return callbacks.WithControl(ctx, callbacks.Control{Bypass: true})
}

// WithRefresh returns a context whose statements are all as with [Refresh].
func WithRefresh(ctx context.Context) context.Context {
	return callbacks.WithControl(ctx, callbacks.Control{Refresh: true})
}

// WithReadOnly returns a context whose statements are all as with [ReadOnly].
func WithReadOnly(ctx context.Context) context.Context {
	return callbacks.WithControl(ctx, callbacks.Control{ReadOnly: true})
}

// WithTTL returns a context whose statements are all as with [TTL]. A clause of a statement's own goes before it.
func WithTTL(ctx context.Context, d time.Duration) context.Context {
	return callbacks.WithControl(ctx, ttl(d))
}

// WithStaleOK returns a context whose statements are all as with [StaleOK]. A clause of a statement's own goes before it.
func WithStaleOK(ctx context.Context, d time.Duration) context.Context {
	return callbacks.WithControl(ctx, staleOK(d))
}

// WithTouches returns a context whose statements are all as with [Touches]. Queries are then taken for writes, and not
// cached.
func WithTouches(ctx context.Context, tables ...string) context.Context {
	return callbacks.WithControl(ctx, callbacks.Control{Touches: tables})
}

// WithDependsOn returns a context whose statements are all as with [DependsOn].
func WithDependsOn(ctx context.Context, tables ...string) context.Context {
	return callbacks.WithControl(ctx, callbacks.Control{DependsOn: tables})
}

// control is a clause without an argument.
type control uint8

var (
	_ clause.Interface       = control(0)
	_ gorm.StatementModifier = control(0)
)

// Name implements [clause.Interface], as gorm.io/gen wants of a clause.
func (control) Name() string { return "" }

// MergeClause implements [clause.Interface].
func (control) MergeClause(*clause.Clause) {}

// Build implements [clause.Expression]. It adds nothing to the SQL.
func (control) Build(clause.Builder) {}

// ModifyStatement implements [gorm.StatementModifier].
func (c control) ModifyStatement(stmt *gorm.Statement) {
	callbacks.Amend(stmt, callbacks.Control{Bypass: c == Bypass, Refresh: c == Refresh, ReadOnly: c == ReadOnly})
}

// asking is a clause with arguments.
type asking struct{ control callbacks.Control }

// Name implements [clause.Interface], as gorm.io/gen wants of a clause.
func (asking) Name() string { return "" }

// MergeClause implements [clause.Interface].
func (asking) MergeClause(*clause.Clause) {}

// Build implements [clause.Expression]. It adds nothing to the SQL.
func (asking) Build(clause.Builder) {}

// ModifyStatement implements [gorm.StatementModifier].
func (a asking) ModifyStatement(stmt *gorm.Statement) { callbacks.Amend(stmt, a.control) }
