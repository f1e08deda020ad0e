package catalog

import (
	"context"
	"crypto/sha256"
	_ "embed" // the queries
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// An Identity tells databases apart, and sessions that get different answers from one of them.
type Identity struct {
	// Database names the database. Every process that uses it finds the same name, whatever road it takes. It is
	// empty if the database is nobody else's: one that lives in the memory of one handle.
	Database string
	// Certain is false if two databases might have this name: the database did not tell what it is.
	Certain bool
	// Session is the same for sessions that get the same answers, as the same Go values.
	Session string
}

// ErrSettings is returned, with the identity, for a session whose settings make SQL text mean something else, or let it
// read what is not committed.
var ErrSettings = errors.New("setting of the session under which nothing can be cached")

// ErrUncertain is returned, with the identity, for a database that does not tell which server it is on: two databases might
// have this identity, so nothing may be shared with anybody. Writes can be announced all the same.
var ErrUncertain = errors.New("the database does not tell which server it is on (pg_control_system); " +
	"set Config.Namespace to a name that no other database shares")

//go:embed postgres_settings.sql
var postgresSettings string

// An Origin is what is known of a database without asking it.
type Origin struct {
	Dialect string
	// Host names this machine: a file on it is its own.
	Host string
	// DSN is what the application opened, if that is known.
	DSN string
}

// Identify asks a database what it is.
func Identify(ctx context.Context, q Querier, from Origin) (id Identity, err error) {
	switch from.Dialect {
	case Postgres:
		id, err = identifyPostgres(ctx, q)
	case SQLite:
		id, err = identifySQLite(ctx, q, from.Host)
	case MySQL:
		id, err = identifyMySQL(ctx, q, from.DSN)
	default:
		id = Identity{Database: "database", Session: digest(12, from.Dialect, from.DSN)}
	}
	if err != nil {
		err = fmt.Errorf("catalog: identify: %w", err)
	}
	return id, err
}

// postgresSamples are values of each kind that PostgreSQL or a driver may deliver in more than one way: which way, depends
// on settings, and on the protocol that the driver uses. The first query asks for all of them; where that fails, as a driver
// does not understand a value, each is asked for by itself: the application cannot read such values either.
var postgresSamples = []string{ //nolint:gochecknoglobals // does not change
	"1::int8", "1::float8", "0.1::float4", "1.5::numeric", "true", "'x'::text", `pg_catalog.decode('00ff5c', 'hex')`,
	"'{}'::jsonb",
	"'{1}'::int4[]", "'00000000-0000-0000-0000-000000000001'::uuid", "'2001-02-03'::date", "'2001-02-03 04:05:06'::timestamp",
	"'2001-02-03 04:05:06+00'::timestamptz", "'1 day 02:00'::interval", "'04:05:06'::time", "'1.50'::money",
}

// identifyPostgres asks for the name first: a write can be announced to all who may cache the database, whatever else cannot
// be found out. The name is that of the database and its oid, without the server: what tells servers apart is part of the
// session, so that databases of one name on two servers share tags, and no entries.
func identifyPostgres(ctx context.Context, q Querier) (Identity, error) {
	var name, oid, user string
	err := row(ctx, q, `SELECT pg_catalog.current_database()::text, d.oid::text, current_user::text `+
		`FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`, &name, &oid, &user)
	if err != nil {
		return Identity{}, err
	}
	id := Identity{Database: name + "-" + digest(6, oid, name)}
	var settings string
	if err = row(ctx, q, postgresSettings, &settings); err != nil {
		return id, err
	}
	samples, err := sample(ctx, q, "pg_catalog.current_database()", postgresSamples)
	if err != nil {
		return id, err
	}
	// Physical replicas have the identifier of their primary; a server that was restored from a copy, that of the
	// original. Asked last: a transaction in which it fails has failed.
	server := ""
	uncertain := row(ctx, q, `SELECT system_identifier::text FROM pg_catalog.pg_control_system()`, &server)
	id.Certain = uncertain == nil
	id.Session = digest(12, append([]string{server, user, settings}, samples...)...)
	if off := "standard_conforming_strings=off"; strings.Contains(settings, off) {
		return id, fmt.Errorf("%w: %s", ErrSettings, off)
	}
	return id, nil
}

// sample tells how the driver delivers values: as which types, and as which values of them. What it does not understand is
// one way, too. Each query also asks for the name of the database: by that, who looks at statements tells the cache's own.
func sample(ctx context.Context, q Querier, name string, expressions []string) ([]string, error) {
	values, err := sampled(ctx, q, name, expressions)
	if err == nil {
		return values, nil
	}
	values = nil
	for _, e := range expressions {
		one, err := sampled(ctx, q, name, []string{e})
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

func sampled(ctx context.Context, q Querier, name string, expressions []string) ([]string, error) {
	values := make([]any, len(expressions))
	into := []any{new(any)}
	for i := range values {
		into = append(into, &values[i])
	}
	if err := row(ctx, q, "SELECT "+name+", "+strings.Join(expressions, ", "), into...); err != nil {
		return nil, err
	}
	return types(values), nil
}

// types tells how the driver hands values over.
func types(samples []any) []string {
	all := make([]string, len(samples))
	for i, v := range samples {
		all[i] = fmt.Sprintf("%T %v", v, v)
		if t, ok := v.(time.Time); ok {
			all[i] += t.Location().String()
		}
	}
	return all
}

func identifySQLite(ctx context.Context, q Querier, host string) (Identity, error) {
	var file string
	var samples [4]any
	err := row(ctx, q, `SELECT coalesce(file, ''), 1, 1.5, 'x', x'00' FROM pragma_database_list WHERE name = 'main'`,
		&file, &samples[0], &samples[1], &samples[2], &samples[3])
	if err != nil {
		return Identity{}, err
	}
	id := Identity{Certain: true, Session: digest(12, types(samples[:])...)}
	if file != "" {
		base := file[strings.LastIndexAny(file, `/\`)+1:]
		id.Database = base + "-" + digest(6, host, file)
	}
	return id, nil
}

// digest returns n bytes, in hexadecimal, that stand for the parts.
func digest(n int, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:n])
}
