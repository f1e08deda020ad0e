package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// nick is known by its name in any case, and each of its calls by the same.
type nick struct {
	Name  string `gorm:"primaryKey"`
	Email string
	Age   int
}

// Spellings of a key that are one to the database have entries of their own. A query that asks for several of them has one
// row all the same.
func TestSpellingsOfAKeyInOneQueryAreOneRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t)
	plain := w.plain()
	for _, text := range []string{
		"CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
		"CREATE TABLE nicks (name text COLLATE anycase PRIMARY KEY, email text COLLATE anycase UNIQUE, age int)",
		"INSERT INTO nicks VALUES ('Ann', 'Ann@x', 1), ('Ben', 'Ben@x', 2)",
	} {
		require.NoError(t, plain.Exec(text).Error)
	}
	h := w.cached()
	for column, spellings := range map[string][]string{"name": {"Ann", "ANN", "ann", "Ben"}, "email": {"Ann@x", "ANN@x", "ann@x", "Ben@x"}} {
		for _, s := range spellings {
			h.warm(t, func(db *gorm.DB) { require.NoError(t, db.Where(column+" = ?", s).Find(&[]nick{}).Error) })
		}
		for range 3 {
			agrees(t, plain, h, column, func(db *gorm.DB) any {
				var found []nick
				require.NoError(t, db.Where(column+" IN ?", spellings).Order("age").Find(&found).Error)
				var inAnyOrder []nick
				require.NoError(t, db.Where(column+" IN ?", spellings[:3]).Find(&inAnyOrder).Error)
				return append(found, inAnyOrder...)
			})
		}
	}
}
