package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Way is one in which a statement is sent. A driver may deliver other values for each: MySQL's protocol sends text to a
// statement without arguments, and binary values to one that has arguments or is prepared; pgx has five modes, and in each
// of them prepares the statements that database/sql asks it to prepare.
type Way uint8

// The ways. Two are mostly one: how is measured, and not derived from the driver.
const (
	Plain         Way = iota // without arguments
	WithArguments            // which the driver may write into the text
	Prepared                 // by sql.DB.PrepareContext
	ways
)

// Sessions are, for each way of a session, the same as those of others that get the same answers, as the same Go values.
type Sessions [ways]string

// samples are values of each kind that a database or a driver may deliver in more than one way: which, depends on settings,
// and on the protocol that the driver uses.
type samples struct {
	// name asks for the name of the database: by that, who looks at statements tells the cache's own.
	name string
	// from is what the values are selected from, if it must be anything.
	from        string
	expressions []string
	// argument is a placeholder for a number.
	argument string
}

func postgresSamples() samples {
	return samples{
		name: "pg_catalog.current_database()", argument: "$1::int8",
		expressions: []string{
			"1::int8", "1::float8", "0.1::float4", "1.5::numeric", "true", "'x'::text",
			`pg_catalog.decode('00ff5c', 'hex')`, "'{}'::jsonb", "'{1}'::int4[]",
			"'00000000-0000-0000-0000-000000000001'::uuid", "'2001-02-03'::date", "'2001-02-03 04:05:06'::timestamp",
			"'2001-02-03 04:05:06+00'::timestamptz", "'1 day 02:00'::interval", "'04:05:06'::time", "'1.50'::money",
		},
	}
}

func mysqlSamples() samples {
	return samples{
		name: "DATABASE()", argument: "?",
		expressions: []string{
			"1", "1.5", "1e0", "CAST(16777216 AS FLOAT)", "'x'", "CAST(18446744073709551615 AS UNSIGNED)",
			"CAST('2001-02-03' AS DATE)", "CAST('2001-02-03 04:05:06' AS DATETIME)", "CAST('04:05:06' AS TIME)",
			"CAST('x' AS BINARY)",
		},
	}
}

func sqliteSamples() samples {
	return samples{
		name: "1", from: " FROM pragma_database_list WHERE name = 'main'", argument: "?",
		expressions: []string{"1", "1.5", "'x'", "x'00'"},
	}
}

// delivered tells how a driver delivers values, in each way.
type delivered [ways][]string

// sessions returns what stands for a session of which some parts are known.
func (d delivered) sessions(parts ...string) (all Sessions) {
	for way := range ways {
		all[way] = digest(12, slices.Concat(parts, d[way])...)
	}
	return all
}

func (s samples) take(ctx context.Context, q Querier) (d delivered, err error) {
	for way := range ways {
		if d[way], err = s.takeOne(ctx, q, way); err != nil {
			return d, err
		}
	}
	return d, nil
}

// takeOne tells how the driver delivers values: as which types, and as which values of them. The first query asks for all of
// them; where that fails, as the driver does not understand a value, each is asked for by itself. What it does not
// understand is one way, too: the application cannot read such values either.
func (s samples) takeOne(ctx context.Context, q Querier, way Way) ([]string, error) {
	values, err := s.ask(ctx, q, way, s.expressions)
	if err == nil {
		return values, nil
	}
	values = nil
	for _, e := range s.expressions {
		one, err := s.ask(ctx, q, way, []string{e})
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			one = []string{"not understood"}
		}
		values = append(values, one...)
	}
	return values, nil
}

func (s samples) ask(ctx context.Context, q Querier, way Way, expressions []string) (told []string, err error) {
	text, values := "SELECT "+s.name+", "+strings.Join(expressions, ", "), make([]any, len(expressions))
	into := []any{new(any)}
	for i := range values {
		into = append(into, &values[i])
	}
	var rows *sql.Rows
	switch way {
	case Plain:
		rows, err = q.QueryContext(ctx, text+s.from)
	case WithArguments:
		into = append(into, new(any))
		rows, err = q.QueryContext(ctx, text+", "+s.argument+s.from, int64(1))
	default:
		prepared, failed := q.PrepareContext(ctx, text+s.from)
		if failed != nil {
			return nil, failed
		}
		defer func() { err = errors.Join(err, prepared.Close()) }()
		rows, err = prepared.QueryContext(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := only(rows, into...); err != nil {
		return nil, err
	}
	return types(values), nil
}

// types tells how the driver hands values over.
func types(values []any) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = fmt.Sprintf("%T %v", v, v)
		if t, ok := v.(time.Time); ok {
			all[i] += t.Location().String()
		}
	}
	return all
}
