package catalog

import (
	"context"
	"crypto/sha256"
	_ "embed" // the queries
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// An Identity tells databases apart, and sessions that get different answers from one of them.
type Identity struct {
	// Database names the database. Every process that uses it finds the same name, whatever road it takes. It is
	// empty if the database is nobody else's: one that lives in the memory of one handle.
	Database string
	// Certain is false if two databases might have this name: the database did not tell what it is.
	Certain bool
	// Sessions are the same for sessions that get the same answers, as the same Go values.
	Sessions Sessions
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

// Tells reports whether the identity of a session on PostgreSQL is another one if this setting is.
func Tells(setting string) bool {
	return strings.Contains(strings.ToLower(postgresSettings), "'"+setting+"'")
}

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
		id = Identity{Database: "database"}
		for way := range ways { // no more is known of it
			id.Sessions[way] = digest(12, from.Dialect, from.DSN, strconv.Itoa(int(way)))
		}
	}
	if err != nil {
		err = fmt.Errorf("catalog: identify: %w", err)
	}
	return id, err
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
	values, err := postgresSamples().take(ctx, q)
	if err != nil {
		return id, err
	}
	// Physical have the identifier of their primary; a server that was restored from a copy, that of the
	// original. Asked last: a transaction in which it fails has failed.
	server := ""
	uncertain := row(ctx, q, `SELECT system_identifier::text FROM pg_catalog.pg_control_system()`, &server)
	id.Certain, id.Sessions = uncertain == nil, values.sessions(server, user, settings)
	if off := "standard_conforming_strings=off"; strings.Contains(settings, off) {
		return id, fmt.Errorf("%w: %s; set it to on, in the DSN or by ALTER ROLE or ALTER DATABASE", ErrSettings, off)
	}
	return id, nil
}

func identifySQLite(ctx context.Context, q Querier, host string) (Identity, error) {
	var file string
	err := row(ctx, q, `SELECT coalesce(file, '') FROM pragma_database_list WHERE name = 'main'`, &file)
	if err != nil {
		return Identity{}, err
	}
	id := Identity{Certain: true}
	values, err := sqliteSamples().take(ctx, q)
	if err != nil {
		return id, err
	}
	id.Sessions = values.sessions()
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
