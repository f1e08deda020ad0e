package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// Times that PostgreSQL takes for the moment, however they are written: what is between the words does not matter to
// it.
func TestSpellingsOfTheMomentAreNotCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate()
	require.NoError(t, plain.Exec("CREATE TABLE appointments (id int PRIMARY KEY, at timestamp)").Error)
	require.NoError(t, plain.Exec("INSERT INTO appointments VALUES (1, '2001-01-01')").Error)
	h := w.cached()
	for _, moment := range []string{
		"now", "NOW", " now ", "now()", "(now)", "today", "today 10:30", "10:30 today", "today allballs", "today,",
		"yesterday 23:59", "tomorrow 04:05 UTC",
	} {
		var at string
		require.NoError(t, plain.Raw("SELECT '"+moment+"'::timestamp::text").Scan(&at).Error, "PostgreSQL takes %q", moment)
		for name, read := range map[string]func(*gorm.DB) error{
			"literal": func(db *gorm.DB) error {
				return db.Raw("SELECT id, '" + moment + "'::timestamp AS at FROM appointments").Scan(&[]map[string]any{}).Error
			},
			"argument": func(db *gorm.DB) error {
				return db.Raw("SELECT id FROM appointments WHERE at < ?::text::timestamp", moment).Scan(&[]map[string]any{}).Error
			},
		} {
			e := h.log.read(t, func() { require.NoError(t, read(h.DB), moment) })
			require.Equal(t, "volatile", string(e.Reason), "%s %q", name, moment)
		}
	}
}

// PostgreSQL calls a function of one row also when it is written as a column, and its name may be a keyword elsewhere.
func TestFunctionsThatDoNotLookLikeCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ function, query string }{
		"as a column": {
			"CREATE FUNCTION places(members) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM seats WHERE name = $1.name'",
			"SELECT m.name, m.places FROM members m WHERE m.id = 1",
		},
		"as a column of a table": {
			"CREATE FUNCTION places(members) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM seats WHERE name = $1.name'",
			"SELECT members.name, members.places FROM members ORDER BY id",
		},
		"as a field of a row": {
			"CREATE FUNCTION places(members) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM seats WHERE name = $1.name'",
			"SELECT name, (m).places FROM members m ORDER BY id",
		},
		"match": {
			"CREATE FUNCTION match(bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM seats'",
			"SELECT name, match(id) FROM members ORDER BY id",
		},
		"range": {
			"CREATE FUNCTION range(bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM seats'",
			"SELECT name, range(id) FROM members ORDER BY id",
		},
		"key": {
			"CREATE FUNCTION key(bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM seats'",
			"SELECT name, key(id) FROM members ORDER BY id",
		},
		"text": {
			"CREATE FUNCTION text(members) RETURNS text LANGUAGE sql STABLE AS 'SELECT count(*)::text FROM seats'",
			"SELECT name, text(m) FROM members m ORDER BY id",
		},
		"operator": {
			"CREATE FUNCTION places_of(bigint, bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM seats';" +
				"CREATE OPERATOR <#> (FUNCTION = places_of, LEFTARG = bigint, RIGHTARG = bigint)",
			"SELECT name, id <#> age FROM members ORDER BY id",
		},
		"cast": {
			"CREATE FUNCTION places_of(members) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM seats';" +
				"CREATE CAST (members AS bigint) WITH FUNCTION places_of(members)",
			"SELECT name, m::bigint FROM members m ORDER BY id",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.dsn = testkit.PostgresDatabase(t) // what hides a function there makes every query suspect
			plain := w.members(2)
			require.NoError(t, plain.AutoMigrate(&seat{}))
			pool, err := plain.DB.DB()
			require.NoError(t, err)
			_, err = pool.ExecContext(t.Context(), c.function)
			require.NoError(t, err)
			h := w.cached()
			read := func(db *gorm.DB) (got []map[string]any) {
				require.NoError(t, db.Raw(c.query).Scan(&got).Error)
				return got
			}
			for range 3 {
				require.Equal(t, read(plain.DB), read(h.DB))
			}
			waitFor(t, func() bool { return h.log.lastOutcome() != "miss" || len(read(h.DB)) == 0 })
			read(h.DB)
			require.NoError(t, h.Create(&seat{Hall: "a", No: 1, Name: "m1"}).Error)
			require.Equal(t, read(plain.DB), read(h.DB), "what the function reads has changed")
		})
	}
}
