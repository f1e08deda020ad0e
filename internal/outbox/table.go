// Package outbox keeps, in a table of the application's database, of which writes the cache still has to be told. A row
// commits with the write that it is for, so it outlives the process that wrote both; any process relays it.
//
//	table.go  the table, as each dialect has it
//	relay.go  who takes rows out
//
// The protocol has the reasons: package consistency, Faults.
package outbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/keying"
)

// Name is the table's. Its schema is the application's affair.
const Name = "rediscache_outbox"

var (
	// ErrMissing is returned by Locate if there is no such table where names without a schema are looked for.
	ErrMissing = errors.New("there is no table " + Name + ": call rediscache.CreateOutbox(db) before db.Use, or give a " +
		"migration what rediscache.OutboxSQL returns")
	// ErrDialect is returned for dialects that have no outbox.
	ErrDialect = errors.New("an outbox needs PostgreSQL, MySQL 8.0, MariaDB 10.6 or SQLite")
	// ErrLost is returned by Leave if the transaction cannot be committed any more.
	ErrLost = errors.New("rediscache: outbox: the transaction is lost")
)

// An Execer carries out statements: a pool, or a transaction.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// A Querier asks the database.
type Querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A sqlDialect is what a dialect says otherwise than others.
type sqlDialect struct {
	create string
	// locate finds the schema that the table is in.
	locate string
	// quote begins and ends a name.
	quote string
	// first and second are arguments.
	first, second string
	// state tells how old the oldest of some rows is, in seconds, and whether the server takes no writes.
	state string
	// free fails if the table is locked by others, so that nobody waits for it; empty where that cannot be said.
	free string
	// lock makes rows of a query one's own, without those that others have.
	lock string
}

func dialectOf(name string) (sqlDialect, error) {
	switch name {
	case catalog.Postgres:
		return sqlDialect{
			create: `CREATE TABLE IF NOT EXISTS rediscache_outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	space text NOT NULL,
	tags text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp()
)`,
			// Asks no catalog, which a role may not be allowed to read.
			locate: `SELECT s FROM unnest(current_schemas(true)) WITH ORDINALITY AS path(s, place)
WHERE to_regclass(format('%I.rediscache_outbox', s)) IS NOT NULL ORDER BY place LIMIT 1`,
			quote: `"`, first: "$1", second: "$2",
			free:  "LOCK TABLE %s IN ROW EXCLUSIVE MODE NOWAIT",
			state: "coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8, pg_is_in_recovery()",
			lock:  " FOR UPDATE SKIP LOCKED",
		}, nil
	case catalog.MySQL:
		return sqlDialect{
			create: `CREATE TABLE IF NOT EXISTS rediscache_outbox (
	id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
	space varchar(500) NOT NULL,
	tags mediumtext NOT NULL,
	created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
			locate: `SELECT table_schema FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_name = 'rediscache_outbox'`,
			quote: "`", first: "?", second: "?",
			state: "COALESCE(UNIX_TIMESTAMP(NOW(6)) - UNIX_TIMESTAMP(MIN(created_at)), 0), " +
				"CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF')",
			lock: " FOR UPDATE SKIP LOCKED",
		}, nil
	case catalog.SQLite:
		return sqlDialect{
			create: `CREATE TABLE IF NOT EXISTS rediscache_outbox (
	id integer PRIMARY KEY AUTOINCREMENT,
	space text NOT NULL,
	tags text NOT NULL,
	created_at text NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
)`,
			locate: `SELECT 'main' FROM main.sqlite_master WHERE type = 'table' AND name = 'rediscache_outbox'`,
			quote:  `"`, first: "?", second: "?",
			state: "coalesce((julianday('now') - julianday(min(created_at))) * 86400.0, 0.0), 0",
		}, nil
	default:
		return sqlDialect{}, ErrDialect
	}
}

// Statement returns the statement that creates the table, if it is not there.
func Statement(dialect string) (string, error) {
	d, err := dialectOf(dialect)
	return d.create, err
}

// A Table is the outbox of one database, as it was found.
type Table struct {
	sqlDialect
	// name is quoted, and has its schema: a session may look for names elsewhere.
	name string
}

// Locate finds the table.
func Locate(ctx context.Context, q Querier, dialect string) (*Table, error) {
	d, err := dialectOf(dialect)
	if err != nil {
		return nil, err
	}
	schema := ""
	if err := q.QueryRowContext(ctx, d.locate).Scan(&schema); errors.Is(err, sql.ErrNoRows) {
		return nil, ErrMissing
	} else if err != nil {
		return nil, fmt.Errorf("outbox: locate: %w", err)
	}
	quoted := d.quote + strings.ReplaceAll(schema, d.quote, d.quote+d.quote) + d.quote
	return &Table{sqlDialect: d, name: quoted + "." + Name}, nil
}

// Name returns the table's name, with its schema.
func (t *Table) Name() string { return t.name }

// Add writes a row with the tags of a space.
func (t *Table) Add(ctx context.Context, tx Execer, space string, tags []keying.Tag) error {
	text, err := json.Marshal(tags)
	if err == nil {
		_, err = tx.ExecContext(ctx, "INSERT INTO "+t.name+" (space, tags) VALUES ("+t.first+", "+t.second+")",
			space, string(text))
	}
	if err != nil {
		return fmt.Errorf("outbox: add: %w", err)
	}
	return nil
}

// Leave writes a row in a transaction that is not the outbox's own. If that fails, the transaction is what it was before; if
// it is not, the error is ErrLost.
func (t *Table) Leave(ctx context.Context, tx Execer, space string, tags []keying.Tag) error {
	const point = "SAVEPOINT rediscache_outbox"
	if _, err := tx.ExecContext(ctx, point); err != nil {
		return fmt.Errorf("outbox: %w", err) // it has failed before
	}
	var err error
	if t.free != "" {
		_, err = tx.ExecContext(ctx, fmt.Sprintf(t.free, t.name))
	}
	if err == nil {
		err = t.Add(ctx, tx, space, tags)
	}
	if err == nil {
		return nil
	}
	if _, back := tx.ExecContext(ctx, "ROLLBACK TO "+point); back != nil { // MySQL's deadlocks end transactions
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return err
}

// maxCounted is how many rows are counted.
const maxCounted = 10_000

// A State is what the outbox holds for a space.
type State struct {
	// Rows are counted up to 10 000. Age is that of the oldest of them.
	Rows int
	Age  time.Duration
	// ReadOnly is set if the server takes no writes: it is a replica.
	ReadOnly bool
}

// State looks what there is.
func (t *Table) State(ctx context.Context, q Querier, space string) (s State, err error) {
	age := 0.0
	err = q.QueryRowContext(ctx, "SELECT count(*), "+t.state+" FROM (SELECT created_at FROM "+t.name+" WHERE space = "+t.first+
		" ORDER BY id LIMIT "+strconv.Itoa(maxCounted)+") AS oldest", space).Scan(&s.Rows, &age, &s.ReadOnly)
	if err != nil {
		return s, fmt.Errorf("outbox: look: %w", err)
	}
	s.Age = max(time.Duration(age*float64(time.Second)), 0)
	return s, nil
}
