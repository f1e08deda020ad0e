package tests_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

// A program is told once which of its tables cost it the cache whenever they are written, and why.
func TestTablesWhoseTriggersCannotBeReadAreNamedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(1)
	for _, text := range []string{
		"CREATE TABLE quiet (id int PRIMARY KEY)", "CREATE TABLE loud (id int PRIMARY KEY)", "CREATE TABLE ruled (id int PRIMARY KEY)",
		"CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO members (name) VALUES (''x''); RETURN NEW; END'",
		"CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE ''DELETE FROM members''; RETURN NEW; END'",
		"CREATE TRIGGER t AFTER INSERT ON quiet FOR EACH ROW EXECUTE FUNCTION say()",
		"CREATE TRIGGER t AFTER INSERT ON loud FOR EACH ROW EXECUTE FUNCTION run()",
		"CREATE RULE r AS ON INSERT TO ruled DO ALSO DELETE FROM members",
	} {
		require.NoError(t, plain.Exec(text).Error, text)
	}
	log := newJournal()
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.Logger = slog.New(log) }))
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) }) // the schema is read
	const line = "triggers or rules of these tables"
	require.Equal(t, 1, log.told(line))
	require.Equal(t, []string{"[loud ruled]"}, log.values("tables"))
	members := func(db *gorm.DB) any {
		var n int64
		require.NoError(t, db.Model(&member{}).Count(&n).Error)
		return n
	}
	for _, text := range []string{"INSERT INTO quiet VALUES (1)", "INSERT INTO loud VALUES (1)", "INSERT INTO ruled VALUES (1)"} {
		require.NoError(t, h.Create(&member{Name: "y"}).Error)
		agreesFromCache(t, plain, h, "before "+text, members)
		require.NoError(t, h.Exec(text).Error)
		agreesFromCache(t, plain, h, "after "+text, members)
	}
	require.NoError(t, h.Exec("CREATE TABLE more (id int)").Error)
	agreesFromCache(t, plain, h, "the catalog was read again", members)
	require.Equal(t, 1, log.told(line))
	require.NoError(t, h.Exec("DROP TRIGGER t ON loud").Error)
	agreesFromCache(t, plain, h, "what is named has changed", members)
	require.Equal(t, []string{"[loud ruled]", "[ruled]"}, log.values("tables"))
}
