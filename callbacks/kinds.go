package callbacks

import (
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
)

// kindsOf returns how the database compares the columns of a primary key; nil if rows cannot be named by it.
func kindsOf(key []catalog.Column, d sqltext.Dialect) []keying.KeyKind {
	kinds := make([]keying.KeyKind, len(key))
	for i, c := range key {
		if kinds[i] = kindOf(c, d); kinds[i] == keying.Opaque {
			return nil
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	return kinds
}

func kindOf(c catalog.Column, d sqltext.Dialect) keying.KeyKind {
	switch d {
	case sqltext.Postgres:
		return postgresKind(c)
	case sqltext.SQLite:
		return sqliteKind(c.Type)
	case sqltext.MySQL:
		return mysqlKind(c.Type)
	case sqltext.Standard:
	}
	return keying.Opaque
}

func postgresKind(c catalog.Column) keying.KeyKind {
	if c.Enum {
		return keying.Text
	}
	switch c.Type {
	case "int2", "int4", "int8":
		return keying.Integer
	case "text", "varchar", "bpchar", "uuid", "name", "citext":
		return keying.Text
	default:
		return keying.Opaque
	}
}

// sqliteKind reads a type as SQLite does ("Determination Of Column Affinity").
func sqliteKind(t string) keying.KeyKind {
	switch {
	case strings.Contains(t, "int"):
		return keying.Integer
	case strings.Contains(t, "char"), strings.Contains(t, "clob"), strings.Contains(t, "text"):
		return keying.Text
	default:
		return keying.Opaque
	}
}

func mysqlKind(t string) keying.KeyKind {
	switch t {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		return keying.LooseInteger
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "uuid":
		return keying.Text
	default:
		return keying.Opaque
	}
}
