package callbacks

import (
	"context"
	"database/sql"
	"reflect"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/keying"
)

// limits says how much of an answer is kept. GORM scans one row into a struct or a map: two rows are enough to know
// whether there are more.
func (q *query) limits() rowcodec.Limits {
	if q.kept != (rowcodec.Limits{}) {
		return q.kept
	}
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
		text, args = q.rows.narrow(q.st.p, q.st.d.lexer.Positional(), missing)
		if len(args) == 0 && len(q.st.args) > 0 { // the driver might deliver other values
			narrow, text, args = false, q.st.text, q.st.args
		}
	}
	var rows *sql.Rows
	var err error
	q.outside(func() { rows, err = q.source.QueryContext(ctx, text, args...) })
	switch {
	case err != nil && narrow:
		return nil, q.loadWhole(ctx) // whose error speaks of the arguments that the application knows
	case err != nil:
		return nil, err
	}
	q.cursor = rows
	var captured *rowcodec.Set
	var more bool
	q.outside(func() {
		captured, more, err = q.s.h.player.Capture(rows, q.limits())
		if err == nil && !more {
			err = rows.Close()
		}
	})
	results, ok := q.results(captured, missing)
	switch {
	case err == nil && !more && ok && q.settled():
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

// drop gives up the whole answer, if it was read, and what is left of it in the database.
func (q *query) drop() {
	if q.whole != nil && q.whole.Tail != nil {
		_ = q.whole.Tail.Close()
	}
	q.whole = nil
}

// loadWhole reads the whole answer from the database, for this query alone.
func (q *query) loadWhole(ctx context.Context) error {
	var rows *sql.Rows
	var err error
	q.outside(func() { rows, err = q.source.QueryContext(ctx, q.st.text, q.st.args...) })
	if err == nil {
		q.whole = &rowcodec.Playback{Tail: rows}
	}
	return err
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
	row := q.rows.scope == ""
	if len(q.entries) == 1 {
		return []consistency.Result{set{Set: captured, player: player, row: row}}, !row || len(captured.Rows) <= 1
	}
	return q.split(captured, missing)
}

// split gives each row to the entry that it is the answer for. The answer may hold more than what was missing.
func (q *query) split(captured *rowcodec.Set, missing []int) ([]consistency.Result, bool) {
	keys, ok := q.rows.keysOfRows(captured)
	if !ok {
		return nil, false
	}
	row := q.rows.scope == ""
	parts := make(map[string]*rowcodec.Set, len(q.entries))
	for _, key := range q.rows.keys {
		parts[key.String()] = q.s.h.player.NewSet(captured.Columns)
	}
	for i := range captured.Rows {
		part := parts[keys[i]]
		if part == nil || row && len(part.Rows) > 0 {
			return nil, false
		}
		part.Rows = append(part.Rows, captured.Rows[i])
	}
	results := make([]consistency.Result, len(missing))
	for n, i := range missing {
		results[n] = set{Set: parts[q.rows.keys[i].String()], player: q.s.h.player, row: row}
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
	for i := range s.Rows {
		for n, column := range at {
			values[n] = s.Value(i, column)
		}
		key, ok := keying.NewPrimaryKey(l.kinds, values...)
		if !ok {
			return nil, false
		}
		keys[i] = key.String()
	}
	return keys, true
}
