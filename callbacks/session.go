package callbacks

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// What is read from the cache when a statement has changed a setting of its session on a pooled connection, as SET
// search_path does.
//
// On which of the pool's connections the setting holds is not known: the pool opens and closes them as it likes, and
// gives any of them to a statement. So from then on a read takes its connection from the pool before the cache is asked.
// A connection is asked once what it is set to; that is part of what names entries (catalog.Identity.Sessions), so the
// answer is the one that the database would give on this connection, and what has to be read from the database is read
// on it. While a statement that changes a setting is under way, nothing is read from the cache, and what was known of
// connections is forgotten when it has ended.

// sessions are those of the connections of a database's pool.
type sessions struct {
	// altering counts the statements under way that change a setting, altered those that have. Both are changed together.
	altering, altered atomic.Int64

	mu sync.Mutex
	// lost is set when a setting was changed which the identity of a session does not tell.
	lost bool
	// last is when a setting was changed.
	last time.Time
	// of holds the session of each connection, by the driver's own: what is held is not freed, so none has the address of
	// another.
	of map[any]asked
	// found holds the sessions by what they are set to.
	found map[catalog.Identity]*database
}

// asked is the session that a connection had when it was asked.
type asked struct {
	session *database
	at      time.Time
}

// maxConnections bounds for how many connections it is remembered what they are set to.
const maxConnections = 200

// begin takes notice, before it runs, of a statement that changes settings.
func (s *sessions) begin() {
	s.altering.Add(1)
	s.altered.Add(1)
}

// end takes notice that it has run, and whether it was refused: then it has changed nothing.
func (s *sessions) end(refused, told bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused {
		s.altered.Add(-1)
	} else {
		s.lost, s.last = s.lost || !told, time.Now()
		clear(s.of)
	}
	s.altering.Add(-1)
}

// maxPause is for how long connections are not looked at after a setting was changed, at most.
const maxPause = time.Hour

// settled reports whether connections may be looked at: not while a setting is being changed, nor soon after, if that
// happens again and again. Then looking at them would cost more than the cache saves.
func (s *sessions) settled(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	pause := min(maxPause, time.Second<<min(s.altered.Load()-1, 20)-time.Second) // none after the first
	return !s.lost && s.altering.Load() == 0 && now.Sub(s.last) >= pause
}

// get returns the session of a connection, which the caller holds; nil, if it has to be asked. It answers false while a
// setting is being changed: that may have happened on this connection, before the caller got it.
func (s *sessions) get(conn any, now time.Time) (d *database, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.of[conn]; now.Sub(a.at) < maxAge {
		d = a.session
	}
	return d, s.altering.Load() == 0
}

// put remembers the session of a connection, which the caller holds. It returns the one of another connection that is set to
// the same.
func (s *sessions) put(conn any, d *database, now time.Time) *database {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil || len(s.of) >= maxConnections {
		s.of, s.found = map[any]asked{}, map[catalog.Identity]*database{}
	}
	key := d.identity.Load().found
	if same := s.found[key]; same != nil {
		d = same
	}
	s.found[key], s.of[conn] = d, asked{d, now}
	return d
}

// alters takes notice, before a statement runs, that it changes a setting of its session: others may get its connection
// before it has returned. The function that it returns takes the statement's error: what the database has refused has
// changed nothing.
func (st *statement) alters() (ended func(error)) {
	if st.p == nil || !st.p.session && (len(st.p.settings) == 0 || st.d.sessions.altered.Load() == 0) {
		return func(error) {}
	}
	d := st.d
	d.sessions.begin()
	unknown := func(setting string) bool { return !catalog.Tells(setting) }
	told := d.dialect == catalog.Postgres && !slices.ContainsFunc(st.p.settings, unknown)
	return func(err error) {
		refused := outcome(err, d.dialect) == metrics.RolledBack && len(st.p.script.Parts) == 1
		d.sessions.end(refused, told)
		if refused {
			return
		}
		what := "nothing of this database is read from the cache any more"
		if told {
			what = "from now on each read takes its connection before the cache is asked, and is answered by what that is set to"
		}
		if d.h.first("altered", what, st.k.found.Database) {
			d.h.opt.Logger.WarnContext(st.ctx, "rediscache: a setting of the session was changed on a pooled connection; "+what,
				"statement", st.shown())
		}
	}
}

// unsettled reports whether settings of sessions were changed, so that the answer of a statement depends on which of
// them gives it, and that cannot be seen now.
func (s *shim) unsettled(st *statement) bool {
	if st.d.sessions.altered.Load() == 0 {
		return false
	}
	_, ok := s.ConnPool.(*sql.DB)
	return !ok || !st.d.sessions.settled(time.Now())
}

var errSession = errors.New("what the connection is set to cannot be told")

// answerOnOne answers a query on one connection of the pool, by what that is set to.
func (s *shim) answerOnOne(q *query) (a answer, err error) {
	pool, ok := s.ConnPool.(*sql.DB)
	if !ok || q.source != gorm.ConnPool(pool) { // a replica was chosen
		return fromDatabase(q.bypass(metrics.ReasonSession))
	}
	conn, err := pool.Conn(q.st.ctx)
	if err != nil {
		return answer{}, err // as the database's own
	}
	release := func() { _ = conn.Close() }
	defer func() { s.ConnPool, s.own = pool, false }()
	s.ConnPool, s.own, q.source = conn, true, conn
	if q.st.d, err = q.st.d.session(q.st.ctx, conn); err != nil {
		a, err = fromDatabase(q.bypass(metrics.ReasonSession))
	} else if s.plan(q.st); q.st.blind || q.st.p.read == nil {
		a, err = fromDatabase(q.bypass(metrics.ReasonDatabase))
	} else {
		a, err = q.answer()
	}
	if a.rows != nil {
		a = answer{play: rowcodec.Playback{Tail: a.rows}}
	}
	// Not if the driver panics: to give the connection back would wait for rows that nobody closes.
	if a.play.Tail == nil {
		release()
	} else {
		a.play.Closed = release // they are read from the connection
	}
	return a, err
}

// settled reports whether the rows that a query has just read are an answer of the session that it was planned for: not if a
// setting was changed meanwhile, perhaps on the connection that the query was sent on.
func (q *query) settled() bool { return q.s.own || q.st.d.sessions.altered.Load() == 0 }

// session returns the database as the session of a connection has it: its names mean the tables on that session's
// search_path, and its entries are that session's. A connection is asked again when what it said is as old as a catalog may
// be: a server that reads its configuration again changes settings of open sessions, too.
func (d *database) session(ctx context.Context, conn *sql.Conn) (*database, error) {
	var own any
	if err := conn.Raw(func(c any) error { own = c; return nil }); err != nil {
		return d, err
	}
	if !reflect.ValueOf(own).Comparable() {
		return d, errSession
	}
	switch known, ok := d.sessions.get(own, time.Now()); {
	case !ok:
		return d, errSession
	case known != nil:
		return known, nil
	}
	s := &database{h: d.h, pool: d.pool, dialect: d.dialect, lexer: d.lexer, dsn: d.dsn, ofSession: true}
	if _, err := s.identify(ctx, lender{conn: conn, bound: readTimeout}); err != nil {
		return d, err
	}
	return d.sessions.put(own, s, time.Now()), nil
}
