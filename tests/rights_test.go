package tests_test

import (
	"database/sql"
	"log/slog"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

type rack struct {
	ID     int64
	Name   string
	Folios []folio `gorm:"constraint:OnDelete:CASCADE"`
}

type folio struct {
	ID     int64
	RackID int64
	Title  string
}

// barred returns a world in a database of its own, and the same as a role sees it that may not read its catalog.
func barred(t *testing.T) (w, limited *world) {
	t.Helper()
	d := onPostgres()
	d.database = testkit.PostgresDatabase
	role := testkit.Unique(t)
	admin := testkit.OpenPostgres(t, testkit.Postgres(t))
	exec := func(db *sql.DB, list ...string) {
		for _, text := range list {
			_, err := db.Exec(text)
			require.NoError(t, err, text)
		}
	}
	exec(admin, "CREATE ROLE "+role+" LOGIN PASSWORD 'secret'")
	t.Cleanup(func() { _, _ = admin.Exec("DROP ROLE " + role) }) // after the database, in which it has rights
	w = newWorldOn(t, d)
	own := testkit.OpenPostgres(t, w.dsn)
	exec(own,
		"REVOKE SELECT ON pg_catalog.pg_trigger FROM PUBLIC",
		"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO "+role, "ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO "+role,
	)
	u, err := url.Parse(w.dsn)
	require.NoError(t, err)
	u.User = url.UserPassword(role, "secret")
	seen := *w
	seen.dsn = u.String()
	return w, &seen
}

// Without the right to read the catalog, what is known is what models say.
func TestModelsStandInForACatalogThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	w, limited := barred(t)
	plain := w.migrate(&rack{}, &folio{})
	require.NoError(t, plain.Exec("CREATE TABLE others (id int)").Error)
	require.NoError(t, plain.Create([]rack{
		{ID: 1, Name: "a", Folios: []folio{{Title: "x"}, {Title: "y"}}}, {ID: 2, Name: "b", Folios: []folio{{Title: "z"}}},
	}).Error)
	log := newJournal()
	logged := withPlugin(func(c *rediscache.Config) { c.Logger = slog.New(log) })
	h, writer := limited.cached(logged), limited.cached()
	count := func(table string) func(*gorm.DB) any {
		return func(db *gorm.DB) any {
			var n int64
			require.NoError(t, db.Table(table).Count(&n).Error)
			return n
		}
	}
	folios := func(db *gorm.DB) any {
		var list []folio
		require.NoError(t, db.Order("id").Find(&list).Error)
		return list
	}
	first := func(db *gorm.DB) any {
		var s rack
		require.NoError(t, db.Find(&s, 1).Error)
		return s
	}
	require.Equal(t, metrics.ReasonRelation, h.log.read(t, func() { count("folios")(h.DB) }).Reason, "no model names it yet")
	for name, read := range map[string]func(*gorm.DB) any{"rows": first, "lists": folios} {
		agreesFromCache(t, plain, h, name, read)
	}
	agreesFromCache(t, plain, h, "counts", count("folios"))
	require.Equal(t, metrics.ReasonRelation, h.log.read(t, func() { count("others")(h.DB) }).Reason, "no model names it")

	require.NoError(t, writer.Model(&rack{ID: 1}).Update("name", "c").Error)
	agreesFromCache(t, plain, h, "after an update", first)
	require.NoError(t, writer.Transaction(func(tx *gorm.DB) error { return tx.Delete(&rack{ID: 1}).Error }))
	for name, read := range map[string]func(*gorm.DB) any{"row": first, "list": folios, "count": count("folios")} {
		agreesFromCache(t, plain, h, name+" after a cascade", read)
	}
	require.Equal(t, 1, log.told("the catalog of this database may not be read"))
}

// A function of the application's may write, and nobody says what.
func TestFunctionsMayDoAnythingWhereTheCatalogMayNotBeRead(t *testing.T) {
	t.Parallel()
	w, limited := barred(t)
	plain := w.migrate(&rack{}, &folio{})
	require.NoError(t, plain.Create(&rack{ID: 1, Name: "a"}).Error)
	require.NoError(t, plain.Exec("CREATE FUNCTION empty() RETURNS void LANGUAGE sql AS 'DELETE FROM racks'").Error)
	h, writer := limited.cached(), limited.cached()
	racks := func(db *gorm.DB) any {
		var list []rack
		require.NoError(t, db.Find(&list).Error)
		return list
	}
	agreesFromCache(t, plain, h, "before", racks)
	require.NoError(t, writer.Exec("SELECT empty()").Error)
	require.Empty(t, racks(plain.DB))
	agreesFromCache(t, plain, h, "after", racks)
}
