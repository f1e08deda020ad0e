package tests_test

import (
	"database/sql"

	"github.com/glebarez/sqlite"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// strangers are dialects that the plugin does not know, of databases that the tests have: their dialectors are GORM's, but
// for the name.
func strangers() []*dialect {
	without := map[string][]string{
		"postgres": {"cast", "EXISTS of nothing", "materialized view", "partitioned table"},
		"mysql":    {"comment with a number sign", "index hint", "ledgers", "all ledgers"},
	}
	all := []*dialect{onPostgres(), onMySQL(), onSQLite()}
	for _, d := range all {
		d.without = without[d.name]
		d.kin = d.name
		d.name = "stranger of " + d.kin
		open := d.open
		d.open = func(dsn string, noted *statements) (gorm.Dialector, *sql.DB, error) {
			dialector, pool, err := open(dsn, noted)
			return strangerOf(dialector), pool, err
		}
	}
	return all
}

type (
	strangePostgres struct{ *postgres.Dialector }
	strangeMySQL    struct{ *mysql.Dialector }
	strangeSQLite   struct{ sqlite.Dialector }
)

// Name implements gorm.Dialector.
func (strangePostgres) Name() string { return "strange" }

// Name implements gorm.Dialector.
func (strangeMySQL) Name() string { return "strange" }

// Name implements gorm.Dialector.
func (strangeSQLite) Name() string { return "strange" }

func strangerOf(d gorm.Dialector) gorm.Dialector {
	switch d := d.(type) {
	case *postgres.Dialector:
		return strangePostgres{d}
	case *mysql.Dialector:
		return strangeMySQL{d}
	case *sqlite.Dialector:
		return strangeSQLite{*d}
	case sqlite.Dialector:
		return strangeSQLite{d}
	default:
		return d
	}
}
