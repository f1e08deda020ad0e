// Package catalog reads what a database says of itself: which database it is, and what is in it besides rows.
package catalog

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed" // the queries
	"encoding/json"
	"errors"
	"fmt"
)

// A Catalog is what is in a database besides rows. Names are as the database has them.
type Catalog struct {
	// Database is the schema that names without one are in, if the catalog is of one schema only.
	Database    string        `json:"database"`
	Tables      []Table       `json:"tables"`
	ForeignKeys []ForeignKey  `json:"foreign_keys"`
	Inherits    []Inheritance `json:"inherits"`
	Triggers    []Trigger     `json:"triggers"`
	Functions   []Function    `json:"functions"`
	// Operators are the names of operators that users or extensions have defined on functions which are not pure.
	Operators []string `json:"operators"`
	// Partial is set if there may be more in the database than the catalog says.
	Partial bool `json:"partial"`
	// Unsettled is set if something may have been about to come or to go while the catalog was read: an information schema
	// shows no instant, and what somebody makes, changes or drops meanwhile, also in another schema, only in parts. It may
	// also be what the role may not see.
	Unsettled bool `json:"unsettled"`
	// Casts is set if users or extensions have defined a cast by a function which is not pure.
	Casts bool `json:"casts"`
	// OwnOperators are the names of all operators that users or extensions have defined; OwnCasts is set if they have defined
	// casts by functions.
	OwnOperators []string `json:"own_operators"`
	OwnCasts     bool     `json:"own_casts"`
	// Definitions stands for the functions, operators and casts that users or extensions have defined. While it is the same,
	// nobody has changed one of them. It is empty where the database does not tell: no query that calls them is cached then.
	Definitions string `json:"definitions"`
}

// Digest stands for all that the catalog says.
func (c *Catalog) Digest() string {
	h := sha256.New()
	_ = json.NewEncoder(h).Encode(c) // neither fails: there is nothing in it that cannot be encoded
	return string(h.Sum(nil))
}

// A Table is a table or a view.
type Table struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Identity stands for the table as it is now: its columns, the file that its rows are in, the query of a view. While it is
	// the same, nobody has dropped the table and made it anew, nor changed it. It is empty where the database does not tell.
	Identity string `json:"identity"`
	// Hidden is set if a name without a schema does not mean this table in the session that read the catalog.
	Hidden bool `json:"hidden"`
	Kind   Kind `json:"kind"`
	// Temporary tables are seen by one connection only.
	Temporary bool `json:"temporary"`
	// RowSecurity is set if who asks decides what there is.
	RowSecurity bool `json:"row_security"`
	// Unreadable is set if the role may not read it: then a write of it cannot return rows.
	Unreadable bool `json:"unreadable"`
	// Rules is set if a write to the table may be turned into something else.
	Rules bool `json:"rules"`
	// Key is the primary key.
	Key []Column `json:"key"`
	// Columns are those of a base or partitioned table whose types have values that can be named: integers and texts.
	Columns []Column `json:"columns"`
	// Indexes are those by equality, and on columns only, of a base or partitioned table, its keys and unique
	// constraints among them.
	Indexes []Index `json:"indexes"`
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

// A Column is a column of a table.
type Column struct {
	Name string `json:"name"`
	// Type is the name of its type; of the base type, for a domain.
	Type string `json:"type"`
	Enum bool   `json:"enum"`
	// Generated is set if the database computes it from other columns. Not told of the columns of Table.Key.
	Generated bool `json:"generated"`
	// Default is set if a row that is inserted without it may have another value than NULL: it has a default, numbers
	// itself, or cannot be NULL in a database that then finds a value of its own. Not told of the columns of Table.Key.
	Default bool `json:"default"`
}

// An Index is an index or a unique constraint.
type Index struct {
	// Columns are in the order of the index. Of what the table cannot name the values of, they may be missing in
	// Table.Columns.
	Columns []string `json:"columns"`
	// Unique is set if no two rows of the table have equal values in all of the columns, NULL aside. A partial index
	// does not say so.
	Unique bool `json:"unique"`
}

// A ForeignKey makes the database change or remove rows of the child when rows of the parent change or go.
type ForeignKey struct {
	// Elsewhere is the schema of the child, if it is another one than Catalog.Database.
	Elsewhere string `json:"elsewhere"`

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
	ChildSchema  string `json:"child_schema"`
	Child        string `json:"child"`
	ParentSchema string `json:"parent_schema"`
	Parent       string `json:"parent"`
	Partition    bool   `json:"partition"`
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
	// Stable functions write nothing and, within one statement, depend on their arguments alone; every function of the
	// database's own with their name depends on its arguments alone.
	Stable bool `json:"stable"`
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
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// The dialects that are known, as GORM's dialectors name themselves.
const (
	Postgres = "postgres"
	SQLite   = "sqlite"
	MySQL    = "mysql" // and MariaDB
)

// Knows reports whether a dialect is known. Databases of others are asked for what the SQL standard says that they have.
func Knows(dialect string) bool { return dialect == Postgres || dialect == SQLite || dialect == MySQL }

var (
	//go:embed postgres.sql
	postgresCatalog string
	//go:embed sqlite.sql
	sqliteCatalog string
)

// Load reads the catalog of a database.
func Load(ctx context.Context, q Querier, dialect string) (c *Catalog, err error) {
	switch dialect {
	case Postgres:
		c, err = document(ctx, q, postgresCatalog)
	case SQLite:
		c, err = document(ctx, q, sqliteCatalog)
	case MySQL:
		c, err = loadMySQL(ctx, q)
	default:
		c, err = loadStandard(ctx, q)
	}
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	for i := range c.Tables {
		if t := &c.Tables[i]; t.Definition != "" {
			t.Identity = digest(identityBytes, t.Identity, t.Definition)
		}
	}
	return c, nil
}

// identityBytes is the length of a table's identity, where it is a digest.
const identityBytes = 16

// document reads a catalog that a query returns as one JSON document.
func document(ctx context.Context, q Querier, query string) (*Catalog, error) {
	text := ""
	if err := row(ctx, q, query, &text); err != nil {
		return nil, err
	}
	c := &Catalog{}
	if err := json.Unmarshal([]byte(text), c); err != nil {
		return nil, err
	}
	return c, nil
}

// row reads the one row that a query returns.
func row(ctx context.Context, q Querier, query string, into ...any) error {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	return only(rows, into...)
}

// only reads the only row.
func only(rows *sql.Rows, into ...any) error {
	defer rows.Close()
	if !rows.Next() {
		return errors.Join(rows.Err(), sql.ErrNoRows)
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	return rows.Close()
}
