package callbacks

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
)

// detach returns what reads the same from the database when the statement is over; nil, if arguments may be changed by
// then. GORM uses its statements again: nothing of them is looked at.
func (q *query) detach() consistency.Load {
	args, ok := frozen(q.st.args)
	if !ok || q.s.own { // the connection is given back
		return nil
	}
	st, s := *q.st, &shim{h: q.s.h}
	st.args = args
	later := &query{s: s, st: &st, source: q.source, entries: q.entries, kept: q.limits()}
	if q.rows != nil {
		rows := *q.rows
		rows.args = args
		later.rows = &rows
	}
	return func(ctx context.Context, missing []int) ([]consistency.Result, error) {
		if !s.h.enter() {
			return nil, context.Canceled // the plugin is closed
		}
		defer s.h.exit()
		results, err := later.load(ctx, missing)
		if later.whole != nil && later.whole.Tail != nil {
			_ = later.whole.Tail.Close() // too large to be kept: nobody reads on
		}
		return results, err
	}
}

// frozen returns arguments that nobody can change any more; it answers false if there are others.
func frozen(args []any) ([]any, bool) {
	args = slices.Clone(args)
	for i, arg := range args {
		switch v := arg.(type) {
		case nil, time.Time:
			continue
		case []byte:
			args[i] = slices.Clone(v)
			continue
		default:
		}
		if !plain(reflect.TypeOf(arg)) {
			return nil, false
		}
	}
	return args, true
}

// plain reports whether values of a type are all that there is to them: copies have nothing in common.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return plain(t.Elem())
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	default:
		return false
	}
}
