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

//go:embed postgres_identity.sql
var postgresIdentity string

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

func identifyPostgres(ctx context.Context, q Querier) (Identity, error) {
	var name, oid, user, settings string
	samples := make([]any, 12)
	into := []any{&name, &oid, &user, &settings}
	for i := range samples {
		into = append(into, &samples[i])
	}
	if err := row(ctx, q, postgresIdentity, into...); err != nil {
		return Identity{}, err
	}
	// Physical replicas have the identifier of their primary; a server that was restored from a copy, that of the
	// original.
	server := ""
	err := row(ctx, q, `SELECT system_identifier::text FROM pg_catalog.pg_control_system()`, &server)
	id := Identity{
		Database: name + "-" + digest(6, server, oid, name),
		Certain:  err == nil,
		Session:  digest(12, append([]string{user, settings}, types(samples)...)...),
	}
	if off := "standard_conforming_strings=off"; strings.Contains(settings, off) {
		return id, fmt.Errorf("%w: %s", ErrSettings, off)
	}
	return id, nil
}

// types tells how the driver hands values over.
func types(samples []any) []string {
	all := make([]string, len(samples))
	for i, v := range samples {
		all[i] = fmt.Sprintf("%T", v)
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
