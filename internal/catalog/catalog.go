// Package catalog reads what a database says of itself: which database it is, and what is in it besides rows.
package catalog

import (
	"context"
	"database/sql"
	_ "embed" // the queries
	"encoding/json"
	"errors"
	"fmt"
)

// A Catalog is what is in a database besides rows. Names are as the database has them.
type Catalog struct {
	Tables      []Table       `json:"tables"`
	ForeignKeys []ForeignKey  `json:"foreign_keys"`
	Inherits    []Inheritance `json:"inherits"`
	Triggers    []Trigger     `json:"triggers"`
	Functions   []Function    `json:"functions"`
	// Operators are the names of operators that users or extensions have defined on functions which are not pure.
	Operators []string `json:"operators"`
	// Casts is set if users or extensions have defined a cast by a function which is not pure.
	Casts bool `json:"casts"`
}

// A Table is a table or a view.
type Table struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Kind   Kind   `json:"kind"`
	// Temporary tables are seen by one connection only.
	Temporary bool `json:"temporary"`
	// RowSecurity is set if who asks decides what there is.
	RowSecurity bool `json:"row_security"`
	// Rules is set if a write to the table may be turned into something else.
	Rules bool `json:"rules"`
	// Key is the primary key.
	Key []Column `json:"key"`
	// Definition is the query of a view.
	Definition string `json:"definition"`
}

// A Kind is what a table is, as PostgreSQL's pg_class.relkind.
type Kind string

// The kinds of tables.
const (
	Base             Kind = "r"
	Partitioned      Kind = "p"
	View             Kind = "v"
	MaterializedView Kind = "m"
	Foreign          Kind = "f"
)

// A Column is a column of a primary key.
type Column struct {
	Name string `json:"name"`
	// Type is the name of its type; of the base type, for a domain.
	Type string `json:"type"`
	Enum bool   `json:"enum"`
}

// A ForeignKey makes the database change or remove rows of the child when rows of the parent change or go.
type ForeignKey struct {
	Child  string `json:"child"`
	Parent string `json:"parent"`
	// OnDelete and OnUpdate are the actions: PostgreSQL's letters, or SQLite's words.
	OnDelete string `json:"on_delete"`
	OnUpdate string `json:"on_update"`
	// Columns are the child's, References the parent's. No References: the parent's primary key.
	Columns    []string `json:"columns"`
	References []string `json:"references"`
}

// An Inheritance makes the rows of the child rows of the parent.
type Inheritance struct {
	Child     string `json:"child"`
	Parent    string `json:"parent"`
	Partition bool   `json:"partition"`
}

// A Trigger runs a function, or a body of its own, when a table is written.
type Trigger struct {
	Table string `json:"table"`
	// Events are the bits of PostgreSQL's pg_trigger.tgtype, or 0 for any.
	Events   int    `json:"events"`
	Function string `json:"function"`
	Body     string `json:"body"`
}

// A Function was defined by a user or an extension.
type Function struct {
	Name string `json:"name"`
	// Pure functions depend on their arguments alone, as does every function of the database's own with their name.
	Pure bool `json:"pure"`
	// Attribute functions take a row, and may be written as if they were one of its columns.
	Attribute bool `json:"attribute"`
	// Volatile functions may write.
	Volatile bool   `json:"volatile"`
	Language string `json:"language"`
	// Body is the text of a volatile function in a language that can be read: sql, plpgsql.
	Body string `json:"body"`
}

// A Querier asks the database: a *sql.DB, a *sql.Tx, a GORM connection pool.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// The dialects that are known, as GORM's dialectors name themselves.
const (
	Postgres = "postgres"
	SQLite   = "sqlite"
)

// Knows reports whether databases of a dialect can be asked.
func Knows(dialect string) bool { return dialect == Postgres || dialect == SQLite }

// ErrDialect is returned for a database that cannot be asked.
var ErrDialect = errors.New("unknown dialect")

var (
	//go:embed postgres.sql
	postgresCatalog string
	//go:embed sqlite.sql
	sqliteCatalog string
)

// Load reads the catalog of a database, with one query.
func Load(ctx context.Context, q Querier, dialect string) (*Catalog, error) {
	var query string
	switch dialect {
	case Postgres:
		query = postgresCatalog
	case SQLite:
		query = sqliteCatalog
	default:
		return nil, fmt.Errorf("catalog: %w %q", ErrDialect, dialect)
	}
	document := ""
	if err := row(ctx, q, query, &document); err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	c := &Catalog{}
	if err := json.Unmarshal([]byte(document), c); err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	return c, nil
}

// row reads the one row that a query returns.
func row(ctx context.Context, q Querier, query string, into ...any) error {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return errors.Join(rows.Err(), sql.ErrNoRows)
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	return rows.Close()
}
