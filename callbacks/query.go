package callbacks

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// read answers a statement that reads.
func (s *shim) read(st *statement) (*sql.Rows, error) {
	start := time.Now()
	if reason := s.refuse(st); reason != "" {
		return s.passBy(st, reason, start)
	}
	if err := st.ctx.Err(); err != nil {
		return nil, err // as the database would
	}
	source := s.source()
	if d := s.h.database(s.db, source); d != st.d {
		// A replica was chosen. Entries are its source's.
		st.d = d
		if st.k, st.p = s.planned(st.ctx, d, st.text); st.p == nil || st.p.read == nil {
			return s.passBy(st, metrics.ReasonDatabase, start)
		}
	}
	q := &query{s: s, st: st, source: source, start: start}
	return q.answer()
}

// refuse says why the cache has nothing to do with a statement that reads.
func (s *shim) refuse(st *statement) metrics.Reason {
	switch {
	case st.control.Bypass:
		return metrics.ReasonControl
	case s.inTransaction():
		return metrics.ReasonTransaction
	case s.pinned():
		return metrics.ReasonConnection
	case s.use == handedOut:
		return metrics.ReasonCursor
	case st.p == nil:
		return metrics.ReasonDatabase
	case st.p.read == nil:
		return st.p.reason
	case st.d.altered.Load():
		return metrics.ReasonSession
	case !st.bound():
		return metrics.ReasonArgument
	default:
		return ""
	}
}

// passBy asks the pool that GORM chose, as if there were no cache.
func (s *shim) passBy(st *statement, reason metrics.Reason, start time.Time) (*sql.Rows, error) {
	st.note()
	rows, err := s.ConnPool.QueryContext(st.ctx, st.text, st.args...)
	s.record(st, metrics.ReadEvent{Outcome: metrics.Bypass, Reason: reason, Duration: time.Since(start)})
	return rows, err
}

// record reports a read.
func (s *shim) record(st *statement, e metrics.ReadEvent) {
	e.Kind = metrics.Query
	if st.p != nil && st.p.read != nil {
		e.Table = st.p.read.names[0]
		if st.p.read.point != nil {
			e.Kind = metrics.Row
		}
	} else if s.db.Statement.Table != "" {
		e.Table = bare(s.db.Statement.Table)
	}
	s.h.opt.Recorder.Read(e)
}

// resolverName is the name of dbresolver's plugin and of its callbacks.
const resolverName = "gorm:db_resolver"

// source returns the pool that the answer is to come from: a primary. dbresolver may have chosen a replica, which may
// not have seen the latest writes; it is asked again, for a write.
func (s *shim) source() gorm.ConnPool {
	if s.db.Plugins[resolverName] == nil {
		return s.ConnPool
	}
	resolve := s.db.Callback().Update().Get(resolverName)
	if resolve == nil {
		return s.ConnPool
	}
	stmt := s.db.Statement
	chosen := stmt.ConnPool
	defer func() { stmt.ConnPool = chosen }()
	stmt.ConnPool = s.ConnPool
	resolve(s.db)
	return stmt.ConnPool
}

// A query is a statement that the cache may answer.
type query struct {
	s      *shim
	st     *statement
	source gorm.ConnPool
	start  time.Time

	entries []consistency.Entry
	// rows is set if the entries are rows that are looked up one by one.
	rows *lookup
	// whole is the whole answer, if it was read from the database by this query.
	whole *rowcodec.Playback
	// refresh makes it read the database in any case.
	refresh bool
}

// attempts is how often a query is begun again because what is known of the database was out of date.
const attempts = 2

func (q *query) answer() (*sql.Rows, error) {
	q.refresh = q.st.control.Refresh
	for range attempts {
		if reason := q.bind(); reason != "" {
			return q.bypass(reason)
		}
		reading, err := q.s.h.opt.Protocol.Read(q.st.ctx, consistency.Request{
			Entries: q.entries, Pins: q.st.k.pins, Refresh: q.refresh, ReadOnly: q.s.h.opt.ReadReplicas && q.replicated(),
		}, q.load)
		if errors.Is(err, consistency.ErrOutdated) {
			q.st.d.changed()
			if q.st.k, q.st.p = q.s.planned(q.st.ctx, q.st.d, q.st.text); q.st.p == nil {
				return q.bypass(metrics.ReasonDatabase)
			}
			if q.st.p.read == nil {
				return q.bypass(q.st.p.reason)
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if reading.Outcome == metrics.Bypass {
			return q.bypass(reading.Reason)
		}
		play, ok := q.play(reading)
		if !ok { // an entry that does not decode: read it anew
			q.refresh, q.whole = true, nil
			continue
		}
		q.record(reading)
		return q.s.h.player.Rows(play)
	}
	return q.bypass(metrics.ReasonDatabase)
}

// replicated reports whether dbresolver has chosen another pool than the source.
func (q *query) replicated() bool {
	return reflect.ValueOf(q.source).Comparable() && q.source != q.s.ConnPool
}

// bypass asks the database, without storing the answer. If that is because of a write that is under way, the primary
// is asked: a replica may not have seen what an earlier answer has shown.
func (q *query) bypass(reason metrics.Reason) (*sql.Rows, error) {
	pool := q.s.ConnPool
	switch reason {
	case metrics.ReasonWriting, metrics.ReasonTorn, metrics.ReasonJournal:
		pool = q.source
	default:
	}
	rows, err := pool.QueryContext(q.st.ctx, q.st.text, q.st.args...)
	q.s.record(q.st, metrics.ReadEvent{Outcome: metrics.Bypass, Reason: reason, Duration: time.Since(q.start)})
	return rows, err
}

// bind names the entries that the answer consists of.
func (q *query) bind() metrics.Reason {
	r := q.st.p.read
	q.rows, q.entries = nil, nil
	if r.point != nil {
		if rows, ok := r.point.bind(q.st.args); ok {
			q.rows = rows
			q.entries = rows.entries(r.policy)
			return ""
		}
	}
	f := keying.NewFingerprint(r.seed)
	for _, arg := range q.st.args {
		if err := addArg(f, arg); errors.Is(err, errMoment) {
			return metrics.ReasonVolatile
		} else if err != nil {
			return metrics.ReasonArgument
		}
	}
	key, all := r.table.QueryEntry(f.Query())
	ttl := ttlconfig.Jittered(r.policy.TTL)
	q.entries = []consistency.Entry{{
		Key: key, Tags: append(slices.Clip(slices.Clone(r.tags)), all), TTL: ttl, AbsentTTL: ttl,
	}}
	return ""
}

// entries names the rows of a lookup.
func (l *lookup) entries(policy ttlconfig.Policy) []consistency.Entry {
	entries := make([]consistency.Entry, len(l.keys))
	absent := []keying.Tag{l.table.Absent()}
	for i, key := range l.keys {
		name, tags := l.table.RowEntry(key, l.variant)
		entries[i] = consistency.Entry{
			Key: name, Tags: tags[:], AbsentTags: absent,
			TTL: ttlconfig.Jittered(policy.TTL), AbsentTTL: ttlconfig.Jittered(policy.AbsentTTL),
		}
	}
	return entries
}

func (q *query) record(r consistency.Reading) {
	e := metrics.ReadEvent{
		Outcome: r.Outcome, Key: string(q.entries[0].Key), Entries: len(q.entries), Found: r.Found, Joined: r.Joined,
		Duration: time.Since(q.start),
	}
	if _, forgets := q.s.h.opt.Recorder.(metrics.Nop); !forgets {
		for _, tag := range q.entries[0].Tags {
			e.Tags = append(e.Tags, tag.String())
		}
	}
	q.s.record(q.st, e)
}

// limits says how much of an answer is kept. GORM scans one row into a struct or a map: two rows are enough to know
// whether there are more.
func (q *query) limits() rowcodec.Limits {
	l := rowcodec.Limits{Rows: q.s.h.opt.MaxRows, Bytes: q.s.h.opt.MaxBytes}
	if q.s.use == scanned {
		switch q.s.db.Statement.ReflectValue.Kind() {
		case reflect.Struct, reflect.Map:
			l.Rows = 2
		default:
		}
	}
	return l
}

// set is a part of an answer that was read from the database.
type set struct {
	*rowcodec.Set
	player *rowcodec.Player
	// row is set if it is the answer for one row.
	row bool
}

// Absent implements consistency.Result.
func (s set) Absent() bool { return s.row && len(s.Rows) == 0 }

// Append implements consistency.Result.
func (s set) Append(b []byte) ([]byte, error) { return s.player.Encode(b, s.Set) }

// load reads the missing entries from the database. What cannot be stored is left in whole, complete.
func (q *query) load(ctx context.Context, missing []int) ([]consistency.Result, error) {
	text, args := q.st.text, q.st.args
	narrow := len(missing) < len(q.entries)
	if narrow = narrow && q.rows.list != nil; narrow {
		text, args = q.rows.narrow(q.st.p, q.st.d.lexer == sqltext.SQLite, missing)
	}
	rows, err := q.source.QueryContext(ctx, text, args...)
	switch {
	case err != nil && narrow:
		return nil, q.loadWhole(ctx) // whose error speaks of the arguments that the application knows
	case err != nil:
		return nil, err
	}
	captured, more, err := q.s.h.player.Capture(rows, q.limits())
	if err == nil && !more {
		err = rows.Close()
	}
	results, ok := q.results(captured, missing)
	switch {
	case err == nil && !more && ok:
		if !narrow {
			q.whole = &rowcodec.Playback{Set: captured}
		}
		return results, nil
	case narrow:
		_ = rows.Close() // the whole answer is read instead, and tells what is wrong
		return nil, q.loadWhole(ctx)
	case more:
		q.whole = &rowcodec.Playback{Set: captured, Tail: rows}
	default:
		_ = rows.Close() // the error that counts is the one that it ended with
		q.whole = &rowcodec.Playback{Set: captured, Err: err}
	}
	return nil, nil
}

// loadWhole reads the whole answer from the database, for this query alone.
func (q *query) loadWhole(ctx context.Context) error {
	rows, err := q.source.QueryContext(ctx, q.st.text, q.st.args...)
	if err != nil {
		return err
	}
	q.whole = &rowcodec.Playback{Tail: rows}
	return nil
}

// results splits an answer into those for the entries that were missing. It answers false if a row cannot be
// attributed to one of them.
func (q *query) results(captured *rowcodec.Set, missing []int) ([]consistency.Result, bool) {
	if captured == nil {
		return nil, false
	}
	player := q.s.h.player
	if q.rows == nil {
		return []consistency.Result{set{Set: captured, player: player}}, true
	}
	if len(q.entries) == 1 {
		return []consistency.Result{set{Set: captured, player: player, row: true}}, len(captured.Rows) <= 1
	}
	return q.split(captured, missing)
}

// split gives each row to the entry that it is the answer for. The answer may hold more than what was missing.
func (q *query) split(captured *rowcodec.Set, missing []int) ([]consistency.Result, bool) {
	keys, ok := q.rows.keysOfRows(captured)
	if !ok {
		return nil, false
	}
	parts := make(map[string]*rowcodec.Set, len(q.entries))
	for _, key := range q.rows.keys {
		parts[key.String()] = &rowcodec.Set{Columns: captured.Columns}
	}
	for i := range captured.Rows {
		part := parts[keys[i]]
		if part == nil || len(part.Rows) > 0 {
			return nil, false
		}
		part.Rows = captured.Rows[i : i+1]
	}
	results := make([]consistency.Result, len(missing))
	for n, i := range missing {
		results[n] = set{Set: parts[q.rows.keys[i].String()], player: q.s.h.player, row: true}
	}
	return results, true
}

// keysOfRows returns the primary key of each row.
func (l *lookup) keysOfRows(s *rowcodec.Set) (keys []string, ok bool) {
	at := make([]int, len(l.key))
	for i, c := range l.key {
		if at[i] = s.Columns.Index(c.Name); at[i] < 0 {
			return nil, false
		}
	}
	keys = make([]string, len(s.Rows))
	values := make([]any, len(at))
	for i, row := range s.Rows {
		for n, column := range at {
			values[n] = row[column]
		}
		key, ok := keying.NewPrimaryKey(l.kinds, values...)
		if !ok {
			return nil, false
		}
		keys[i] = key.String()
	}
	return keys, true
}
