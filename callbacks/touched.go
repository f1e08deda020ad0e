package callbacks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/relations"
)

// maxTouched is the greatest number of rows that are asked for one by one. Beyond it, it is any row.
const maxTouched = 2 * maxAnnounced

// A question asks PostgreSQL which rows an UPDATE or DELETE touches, and in which scopes they are: the statement returns
// them. If it assigns what tells scopes apart, the old values are read before it, in the same transaction. The rows are
// locked then, as the statement is about to do, so that nobody moves them in between.
type question struct {
	tw     tableWrite
	names  []string
	scopes []*scope
	// columns are those that are asked for: the primary key, then those of scopes.
	columns []string
	// moves is set if rows may leave a scope.
	moves bool
}

// question returns what is to be asked about a statement that returns no rows; nil if there is nothing, or it cannot be
// asked.
func (s *shim) question(st *statement) *question {
	if q := s.newQuestion(st); q != nil && !q.tw.change.Returning {
		return q
	}
	return nil
}

// questionOfReturned returns what the rows tell that a statement in a transaction returns to its caller.
func (s *shim) questionOfReturned(st *statement) *question {
	if !s.inTransaction() {
		return nil
	}
	if q := s.newQuestion(st); q != nil && q.tw.change.Output != nil {
		return q
	}
	return nil
}

// asks returns the one change of a table that PostgreSQL can be asked about.
func (st *statement) asks() (tw tableWrite, ok bool) {
	if st.blind || st.p.write == nil || st.d.lexer != sqltext.Postgres || !st.bound() || len(st.control.Touches) > 0 {
		return tw, false
	}
	w := st.p.write
	if w.everything || len(w.tables) != 1 || len(st.p.script.Parts) != 1 {
		return tw, false
	}
	tw = w.tables[0]
	return tw, tw.change != nil && tw.askable && tw.kinds != nil
}

func (s *shim) newQuestion(st *statement) (q *question) {
	defer s.rescueQuestion(st, &q)
	tw, ok := st.asks()
	if !ok {
		return nil
	}
	q = &question{tw: tw, names: s.namer(st.ctx)(tw.table)}
	if len(q.names) == 0 && !tw.bulk {
		return nil // the text says it all
	}
	for _, c := range tw.key {
		q.columns = append(q.columns, c.Name)
	}
	for _, name := range q.names {
		sc := st.k.scopeNamed(tw.name, name)
		if sc == nil {
			return nil
		}
		q.scopes = append(q.scopes, sc)
		columns := keying.ScopeColumns(name)
		for _, c := range columns {
			if !slices.Contains(q.columns, c) {
				q.columns = append(q.columns, c)
			}
		}
		q.moves = q.moves || tw.change.Op == sqltext.Update && (sc.retouched || assigns(tw.change, columns))
	}
	return q
}

// assigns reports whether a change may assign one of some columns.
func assigns(c *sqltext.Write, columns []string) bool {
	return c.AnyColumn || slices.ContainsFunc(c.Assigned, func(a string) bool { return slices.Contains(columns, a) })
}

// returning returns the statement's text, with what is asked for.
func (q *question) returning(st *statement) string {
	end := st.p.script.Parts[0].End
	return st.text[:end] + " RETURNING " + q.list() + st.text[end:]
}

func (q *question) list() string {
	quoted := make([]string, len(q.columns))
	for i, c := range q.columns {
		quoted[i] = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
	}
	return strings.Join(quoted, ", ")
}

// before returns a query for the rows as they are before the statement, with its arguments.
func (q *question) before(st *statement) (text string, args []any) {
	n := narrower{p: st.p, args: st.args, numbers: map[int]int{}}
	n.b.WriteString("SELECT " + q.list() + " FROM ")
	n.copy(q.tw.change.Place.Start, q.tw.change.Place.End)
	n.b.WriteString(" WHERE ")
	n.copy(q.tw.change.Where.Start, q.tw.change.Where.End)
	n.b.WriteString(" FOR NO KEY UPDATE")
	return n.b.String(), n.kept
}

// An answered question holds what is known of the rows that a statement touched.
type answered struct {
	*question
	// old holds the rows as they were, by primary key, if that was asked.
	old map[string][]driver.Value
	effect
}

// ask reads the rows as they are before the statement, if it may move them.
func (s *shim) ask(st *statement, q *question) (*answered, error) {
	a := &answered{question: q}
	a.knows(q.names)
	if !q.moves {
		return a, nil
	}
	text, args := q.before(st)
	rows, err := unprepared(s.ConnPool).QueryContext(st.ctx, text, args...)
	if err != nil {
		return nil, err
	}
	a.old = map[string][]driver.Value{}
	_, err = drain(rows, func(row []driver.Value) {
		if key, ok := a.keyOf(row); ok {
			a.old[key.String()] = row
			a.addScopesOf(row)
		} else {
			a.bulk = true
		}
	})
	return a, err
}

// drain reads rows to their end, hands the first of them to the function, and returns how many there are.
func drain(rows *sql.Rows, each func([]driver.Value)) (n int64, err error) {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	for ; rows.Next(); n++ {
		if n > maxTouched {
			continue
		}
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		row := make([]driver.Value, len(values))
		for i, v := range values {
			row[i] = v
		}
		each(row)
	}
	return n, rows.Err()
}

// touched adds a row that the statement has returned.
func (a *answered) touched(row []driver.Value) {
	key, ok := a.keyOf(row)
	if !ok || len(a.rows) > maxTouched {
		a.bulk = true
		return
	}
	a.addRow(key, false)
	a.addScopesOf(row)
	if a.moves && a.old[key.String()] == nil {
		a.unscoped = true // it was not there, or did not meet the condition, when it was looked for
	}
}

// keyOf names a row that was asked for.
func (a *answered) keyOf(row []driver.Value) (keying.PrimaryKey, bool) {
	values := make([]any, len(a.tw.key))
	for i := range values {
		values[i] = row[i]
	}
	return keying.NewPrimaryKey(a.tw.kinds, values...)
}

// addScopesOf adds the scopes of a row that was asked for.
func (a *answered) addScopesOf(row []driver.Value) {
	for _, sc := range a.question.scopes {
		values := make([]any, len(sc.columns))
		for j, c := range sc.columns {
			values[j] = row[slices.Index(a.columns, c.Name)]
		}
		a.addValues(a.tw.table, sc, values)
	}
}

// askable reports whether the database can be asked which rows a change touches, and these are likely to be few: it names
// them by key, or those of a scope.
func (k *snapshot) askable(c *sqltext.Write, t relations.Table) bool {
	if c.Op != sqltext.Update && c.Op != sqltext.Delete || c.Where.End == 0 || t.Unreadable || c.Op == sqltext.Update &&
		assignsKey(c, t) {
		return false
	}
	if tuples, _ := keyConditions(c.Conditions, t.Key); within(tuples, maxAnnounced) {
		return true
	}
	return slices.ContainsFunc(k.scopes(t.Name), func(s scope) bool {
		tuples, _ := keyConditions(c.Conditions, s.columns)
		return within(tuples, maxDependencies)
	})
}

// execAlone runs a statement in autocommit in a transaction of its own. It answers done if it has.
func (s *shim) execAlone(st *statement) (result sql.Result, done bool, err error) {
	pool, ok, err := s.begin(st.ctx, st.d)
	if !ok {
		return nil, err != nil, err
	}
	tx, ok := pool.(gorm.TxCommitter)
	if !ok {
		return nil, true, gorm.ErrInvalidTransaction
	}
	committing := false
	defer func() {
		if !committing {
			_ = tx.Rollback() // the error that counts is the statement's
		}
	}()
	inner := &shim{ConnPool: pool, h: s.h, db: s.db, use: s.use}
	defer func() { s.told = inner.told }()
	if result, err = inner.exec(st); err != nil {
		return nil, true, err
	}
	committing = true
	if err := tx.Commit(); err != nil {
		return nil, true, err
	}
	return result, true, nil
}

// execAsked runs the statement, which returns no rows to its caller.
func (s *shim) execAsked(st *statement) (sql.Result, error) {
	q := st.question
	a, err := s.ask(st, q)
	if err != nil {
		return nil, err
	}
	rows, err := s.ConnPool.QueryContext(st.ctx, q.returning(st), st.args...)
	if err != nil {
		return nil, err
	}
	n, err := drain(rows, a.touched)
	a.bulk = a.bulk || err != nil || n > maxTouched
	s.answer(st, a)
	if err != nil {
		return nil, err
	}
	return driver.RowsAffected(n), nil
}

// queryAsked runs the statement, which returns rows to its caller. They tell what was touched, if what is asked for is
// among their columns.
func (s *shim) queryAsked(st *statement) (*sql.Rows, error) {
	a, err := s.ask(st, st.question)
	if err != nil {
		return nil, err
	}
	rows, err := s.ConnPool.QueryContext(st.ctx, st.text, st.args...)
	if err != nil {
		return nil, err
	}
	set, more, err := s.h.player.Capture(rows, rowcodec.Limits{Rows: maxTouched, Bytes: s.h.opt.MaxBytes})
	a.bulk = a.bulk || more || err != nil || !a.touchedAll(set)
	s.answer(st, a)
	switch {
	case set == nil:
		_ = rows.Close() // the error that counts is the one that it ended with
		return nil, err
	case more:
		return s.h.player.Rows(rowcodec.Playback{Set: set, Tail: rows})
	case err == nil:
		err = rows.Close()
	}
	return s.h.player.Rows(rowcodec.Playback{Set: set, Err: err})
}

// touchedAll adds the rows of a set. It answers false if they do not tell what is asked for.
func (a *answered) touchedAll(set *rowcodec.Set) bool {
	if set == nil {
		return false
	}
	at := make([]int, len(a.columns))
	for i, c := range a.columns {
		if at[i] = set.Columns.Index(c); at[i] < 0 {
			return false
		}
	}
	for row := range set.Rows {
		asked := make([]driver.Value, len(at))
		for i, from := range at {
			asked[i] = set.Value(row, from)
		}
		a.touched(asked)
	}
	return true
}

// answer adds what a statement has touched to what its transaction touches.
func (s *shim) answer(st *statement, a *answered) {
	e := &effects{tables: map[*keying.Table]*effect{a.tw.table: &a.effect}}
	s.tell(st, e)
	s.inserted.touch(func(all *effects) { all.merge(e) }, false)
}

// begin begins a transaction of the plugin's own for one statement in autocommit, so that what it touches can be announced
// before it is committed. It answers false if that must not be: the pool cannot, or the application sends BEGIN as a text.
func (s *shim) begin(ctx context.Context, d *database) (tx gorm.ConnPool, ok bool, err error) {
	if s.pinned() || d.begun.Load() || !s.h.tracker.Works() && !s.h.opt.WrapConnPool {
		return nil, false, nil
	}
	switch pool := s.ConnPool.(type) {
	case gorm.TxBeginner:
		begun, err := pool.BeginTx(ctx, nil)
		return begun, err == nil, err
	case gorm.ConnPoolBeginner:
		begun, err := pool.BeginTx(ctx, nil)
		return begun, err == nil, err
	default:
		return nil, false, nil
	}
}
