package callbacks

import (
	"database/sql"
	"errors"
	"reflect"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// An answer is that of a statement that reads: rows of the database's, or if there are none, rows that are to be played.
type answer struct {
	rows *sql.Rows
	play rowcodec.Playback
}

// fromDatabase is the answer of the database itself.
func fromDatabase(rows *sql.Rows, err error) (answer, error) { return answer{rows: rows}, err }

// open returns the rows of an answer.
func (s *shim) open(a answer, err error) (*sql.Rows, error) {
	if err != nil || a.rows != nil {
		return a.rows, err
	}
	return s.h.player.Rows(a.play)
}

// read answers a statement that reads.
func (s *shim) read(st *statement) (answer, error) {
	start := time.Now()
	source, reason := s.consider(st)
	if reason != "" {
		return fromDatabase(s.passBy(st, reason, start))
	}
	if err := st.ctx.Err(); err != nil {
		return answer{}, err // as the database would
	}
	q := &query{s: s, st: st, source: source, start: start}
	if st.d.sessions.altered.Load() > 0 {
		return s.answerOnOne(q)
	}
	return q.answer()
}

// consider finds the pool that the answer is to come from, or says why the cache has nothing to do with a statement that
// reads.
func (s *shim) consider(st *statement) (source gorm.ConnPool, reason metrics.Reason) {
	defer s.rescueReason(st, &reason)
	if reason = s.refuse(st); reason != "" {
		return nil, reason
	}
	source = s.source()
	if d, prepared := s.h.database(s.db, source), prepares(source); d != st.d || prepared != st.prepared {
		// A replica was chosen. Entries are its source's.
		st.d, st.prepared = d, prepared
		if s.plan(st); st.blind || st.p.read == nil {
			return nil, metrics.ReasonDatabase
		}
	}
	if s.h.opt.Partition != nil {
		st.partition, reason = s.h.partition(st.ctx)
	}
	return source, reason
}

// refuse says why the cache has nothing to do with a statement that reads.
func (s *shim) refuse(st *statement) metrics.Reason {
	switch {
	case st.control.Bypass:
		return metrics.ReasonControl
	case s.inTransaction():
		s.warnHidden()
		return metrics.ReasonTransaction
	case s.pinned():
		return metrics.ReasonConnection
	case s.use == handedOut:
		return metrics.ReasonCursor
	case st.blind:
		return metrics.ReasonDatabase
	case st.p.read == nil:
		return st.p.reason
	case s.unsettled(st):
		return metrics.ReasonSession
	case !st.bound():
		return metrics.ReasonArgument
	default:
		return ""
	}
}

// passBy asks the pool that GORM chose, as if there were no cache.
func (s *shim) passBy(st *statement, reason metrics.Reason, start time.Time) (*sql.Rows, error) {
	pass := s.watched
	if st.calls() {
		pass = s.queryWrite
	}
	st.note()
	rows, err := pass(st)
	s.record(st, metrics.ReadEvent{Outcome: metrics.Bypass, Reason: reason, Duration: time.Since(start)})
	return rows, err
}

// record reports a read.
func (s *shim) record(st *statement, e metrics.ReadEvent) {
	e.Table, e.Kind = s.subject(st)
	s.h.opt.Recorder.Read(e)
	s.h.opt.Advisor.Read(e)
	s.annotate(st, e)
	if x := st.control.Explain; x != nil {
		x.add(s.db.Statement, s.explainRead(st, e))
	}
}

// subject returns the table that a read is about, and the kind of its entries.
func (s *shim) subject(st *statement) (table string, kind metrics.Kind) {
	if st.p == nil || st.p.read == nil {
		return bare(s.db.Statement.Table), metrics.Query
	}
	return st.p.read.names[0], st.p.read.metric()
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
	scopes  []consistency.Scope
	// rows is set if the entries are rows that are looked up one by one.
	rows *lookup
	// whole is the whole answer, if it was read from the database by this query.
	whole *rowcodec.Playback
	// refresh makes it read the database in any case.
	refresh bool
	// kept is how much of an answer is kept, if that was settled before.
	kept rowcodec.Limits
	// cursor holds the rows that the database was asked for last.
	cursor *sql.Rows
	// foreign is set while code runs that is not the cache's: see panics.go.
	foreign bool
}

// attempts is how often a query is begun because what is known of the database, or of its scopes, was out of date.
const attempts = 3

func (q *query) answer() (a answer, err error) {
	defer q.rescue(&a, &err)
	q.refresh = q.st.control.Refresh
	learned := false
	for range attempts {
		if reason := q.s.h.opt.Protocol.Unusable(); reason != "" {
			return fromDatabase(q.bypass(reason)) // before anything is named
		}
		if reason := q.bind(); reason != "" {
			return fromDatabase(q.bypass(reason))
		}
		if q.st.k.unasked && time.Since(q.st.k.read) < retryAge {
			return fromDatabase(q.bypass(metrics.ReasonStore)) // it has just not answered
		}
		reading, err := q.s.h.opt.Protocol.Read(q.st.ctx, q.request(), q.load)
		if errors.Is(err, consistency.ErrOutdated) {
			if learned { // it has waited for the schema once
				return fromDatabase(q.bypass(metrics.ReasonDatabase))
			}
			learned = true
			q.st.d.changed()
			q.drop() // read, if it was, before the database had changed
			if q.s.plan(q.st); q.st.blind {
				return fromDatabase(q.bypass(metrics.ReasonDatabase))
			}
			if q.st.p.read == nil {
				return fromDatabase(q.bypass(q.st.p.reason))
			}
			continue
		}
		if err != nil {
			q.drop()
			return answer{}, err
		}
		if reading.Reason == metrics.ReasonScopes && !q.st.p.read.crowded.Swap(true) {
			continue
		}
		if reading.Outcome == metrics.Bypass {
			q.drop()
			return fromDatabase(q.bypass(reading.Reason))
		}
		play, err := q.play(reading)
		switch {
		case errors.Is(err, errUnordered): // it was found out too late: from now on the answer has one entry
			q.st.p.read.unordered.Store(true)
			continue
		case err != nil: // read the entry anew
			q.refresh = true
			continue
		}
		q.record(reading)
		play.Context = q.st.ctx
		return answer{play: play}, nil
	}
	return fromDatabase(q.bypass(metrics.ReasonDatabase))
}

// readOnly says why nothing is stored; nothing, if the answer may be.
func (q *query) readOnly() metrics.Reason {
	switch {
	case q.st.control.ReadOnly:
		return metrics.ReasonControl
	case q.s.h.opt.ReadReplicas && q.replicated():
		return metrics.ReasonReplica
	default:
		return ""
	}
}

// request asks the protocol for the entries.
func (q *query) request() consistency.Request {
	table, kind := q.s.subject(q.st)
	req := consistency.Request{
		Table: table, Kind: kind, Entries: q.entries, Scopes: q.scopes, Pins: q.st.k.pins, Refresh: q.refresh,
		ReadOnly: q.readOnly(), MaxAge: q.st.control.TTL, StaleFor: q.st.control.StaleOK,
	}
	if req.StaleFor > 0 {
		req.Detach = q.detach
	}
	return req
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
	var rows *sql.Rows
	var err error
	q.outside(func() { rows, err = pool.QueryContext(q.st.ctx, q.st.text, q.st.args...) })
	q.s.record(q.st, metrics.ReadEvent{Outcome: metrics.Bypass, Reason: reason, Duration: time.Since(q.start)})
	return rows, err
}

// bind names the entries that the answer consists of.
func (q *query) bind() metrics.Reason {
	r := q.st.p.read
	q.rows, q.entries, q.scopes = nil, nil, nil
	if r.point != nil && (r.point.scope == "" || !r.crowded.Load() && !r.unordered.Load()) {
		if rows, ok := r.point.bind(q.st.args); ok {
			t := q.times(r.point.kind())
			if t.ttl == ttlconfig.Off {
				return metrics.ReasonPolicy
			}
			rows.variant = rows.variant.In(q.st.partition)
			q.rows = rows
			q.entries = rows.entries(r, t)
			if rows.scope != "" {
				q.scopes = []consistency.Scope{scopeOf(rows.table, rows.scope)}
			}
			return ""
		}
	}
	t := q.times(r.kind)
	if t.ttl == ttlconfig.Off {
		return metrics.ReasonPolicy
	}
	f := keying.NewFingerprint(r.seed)
	for _, arg := range q.st.args {
		if err := addArg(f, arg); errors.Is(err, errMoment) {
			return metrics.ReasonVolatile
		} else if err != nil {
			return metrics.ReasonArgument
		}
	}
	ttl := t.policy.Jittered(t.ttl)
	entry := consistency.Entry{TTL: ttl, AbsentTTL: ttl}
	entry.Key, entry.Tags = q.depend(f.Query().In(q.st.partition))
	q.entries = []consistency.Entry{entry}
	return ""
}

// depend names the entry of a whole answer, and what it depends on. One that depends on a single scope is in the slot of
// that.
func (q *query) depend(digest keying.Digest) (key keying.Key, tags []keying.Tag) {
	r := q.st.p.read
	key, all := r.table.QueryEntry(digest)
	for i := range r.depends {
		d := &r.depends[i]
		values, ok := d.values(q.st.args)
		if !ok || d.scope != "" && r.crowded.Load() {
			tags = append(tags, d.table.List())
			continue
		}
		if d.scope != "" {
			q.scopes = append(q.scopes, scopeOf(d.table, d.scope))
			if len(r.depends) == 1 && len(values) == 1 {
				key, tags := d.table.ScopeEntry(d.scope, values[0], digest)
				return key, tags[:]
			}
		}
		tags = append(tags, d.tags(values)...)
	}
	return key, append(tags, all)
}

// maxEntryTags is how many tags an entry of a lookup depends on at most, of its own table.
const maxEntryTags = 4

// entries names the rows of a lookup.
func (l *lookup) entries(r *readPlan, t times) []consistency.Entry {
	entries := make([]consistency.Entry, len(l.keys))
	all := make([]keying.Tag, 0, 1+len(l.keys)*(maxEntryTags+len(r.besides)))
	all = append(all, l.table.Absent())
	absent := all[:1:1]
	for i, key := range l.keys {
		first := len(all)
		e := &entries[i]
		if l.scope != "" {
			name, tags := l.table.ScopeEntry(l.scope, key, l.variant)
			e.Key, e.TTL, all = name, t.policy.Jittered(t.ttl), append(all, tags[:]...)
			e.AbsentTTL = e.TTL
		} else {
			name, tags := l.table.RowEntry(key, l.variant)
			e.Key, e.TTL, all = name, t.policy.Jittered(t.ttl), append(all, tags[:]...)
			e.AbsentTags, e.AbsentTTL = absent, t.policy.Jittered(t.absent)
		}
		all = append(all, r.besides...)
		e.Tags = all[first:len(all):len(all)]
	}
	return entries
}

func (q *query) record(r consistency.Reading) {
	e := metrics.ReadEvent{
		Outcome: r.Outcome, Key: string(q.entries[0].Key), Entries: len(q.entries), Found: r.Found, Joined: r.Joined,
		Stale: r.Stale, Written: r.Written, Ended: r.Ended, Duration: time.Since(q.start),
	}
	e.Age, e.TTL = q.age(r)
	if metrics.WantsReadTags(q.s.h.opt.Recorder) || q.st.control.Explain != nil {
		for _, tag := range q.entries[0].Tags {
			e.Tags = append(e.Tags, tag.String())
		}
	}
	q.s.record(q.st, e)
}

// age returns how long ago the oldest part of an answer was read, and how long it is served. Clocks of processes differ.
func (q *query) age(r consistency.Reading) (age, ttl time.Duration) {
	for i, result := range r.Results {
		if result != nil {
			ttl = q.entries[i].TTL
			if result.Absent() {
				ttl = max(q.entries[i].AbsentTTL, 0)
			}
			break
		}
	}
	now := time.Now()
	for _, p := range r.Payloads {
		if since := max(now.Sub(p.Read), 0); p.Hit && (ttl == 0 || since > age) {
			age, ttl = since, p.TTL
		}
	}
	return age, ttl
}
