package tests_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// dependents are reads of every kind of entry: one row, several, a scope, several, a whole answer.
func dependents() map[string]func(*gorm.DB) error {
	return map[string]func(*gorm.DB) error{
		"row":    func(db *gorm.DB) error { return db.First(&bill{}, 1).Error },
		"rows":   func(db *gorm.DB) error { return db.Find(&[]bill{}, []int{1, 2}).Error },
		"scope":  func(db *gorm.DB) error { return db.Where("patron_id = ?", 1).Find(&[]bill{}).Error },
		"scopes": func(db *gorm.DB) error { return db.Where("patron_id IN ?", []int{1, 2}).Find(&[]bill{}).Error },
		"count":  func(db *gorm.DB) error { return db.Model(&bill{}).Where("patron_id = ?", 1).Count(new(int64)).Error },
		"list":   func(db *gorm.DB) error { return db.Order("id").Find(&[]bill{}).Error },
	}
}

// An answer that is said to depend on a table is unsettled by a write to it. The same query without that goes on being
// served, and so does one that is said to depend on something else.
func TestDeclaredTablesUnsettleTheirAnswersOnly(t *testing.T) {
	t.Parallel()
	for name, read := range dependents() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.billed()
			h, writer := w.cached(), w.cached()
			on := map[string]*gorm.DB{
				"nothing": h.DB,
				"ribbons": h.Session(&gorm.Session{}).Clauses(rediscache.DependsOn("ribbons")).Session(&gorm.Session{}),
				"patrons": h.Session(&gorm.Session{}).Clauses(rediscache.DependsOn("Public.Patrons", "bills")).
					Session(&gorm.Session{}),
			}
			keys := map[string]bool{}
			for _, db := range on {
				h.warm(t, func(*gorm.DB) { require.NoError(t, read(db)) })
				keys[h.log.read(t, func() { require.NoError(t, read(db)) }).Key] = true
			}
			require.Len(t, keys, len(on), "entries that depend on different tables must not be mixed")
			require.NoError(t, writer.Model(&ribbon{ID: 1}).Update("text", "other").Error)
			for said, db := range on {
				e := h.log.read(t, func() { require.NoError(t, read(db)) })
				require.Equal(t, said == "ribbons", e.Outcome == metrics.Miss, "depends on %s: %+v", said, e)
			}
			require.NoError(t, writer.Model(&patron{ID: 4}).Update("name", "other").Error)
			e := h.log.read(t, func() { require.NoError(t, read(on["patrons"])) })
			require.Equal(t, metrics.Miss, e.Outcome)
		})
	}
}

// A view that is declared stands for its tables, a parent for the tables that inherit from it, and an unknown name for
// a table that may be made.
func TestDeclaredNamesAreResolvedAsInAText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.billed()
	for _, text := range []string{
		"CREATE VIEW rich AS SELECT r.id FROM ribbons r JOIN patrons p ON p.id = r.id",
		"CREATE TABLE animals (name text)", "CREATE TABLE dogs () INHERITS (animals)",
		"CREATE VIEW moments AS SELECT id, now() AS at FROM ribbons",
	} {
		require.NoError(t, plain.Exec(text).Error)
	}
	h, writer := w.cached(), w.cached()
	read := func(db *gorm.DB) error { return db.Where("patron_id = ?", 1).Find(&[]bill{}).Error }
	for _, c := range []struct{ declared, write string }{
		{"rich", "UPDATE patrons SET name = 'x' WHERE id = 1"},
		{"rich", "DELETE FROM patron_ribbons; INSERT INTO ribbons (text) VALUES ('x')"},
		{"animals", "INSERT INTO dogs VALUES ('rex')"},
		{"later", "CREATE TABLE later (id int)"},
		{"later", "INSERT INTO later VALUES (1)"},
	} {
		h.warm(t, func(db *gorm.DB) { require.NoError(t, read(db.Clauses(rediscache.DependsOn(c.declared)))) })
		require.NoError(t, writer.Exec(c.write).Error)
		e := h.log.read(t, func() { require.NoError(t, read(h.Clauses(rediscache.DependsOn(c.declared)))) })
		require.Equal(t, metrics.Miss, e.Outcome, c.write)
	}
	for declared, reason := range map[string]metrics.Reason{
		"moments": metrics.ReasonVolatile, "pg_catalog.pg_class": metrics.ReasonRelation,
	} {
		e := h.log.read(t, func() { require.NoError(t, read(h.Clauses(rediscache.DependsOn(declared)))) })
		require.Equal(t, reason, e.Reason, declared)
	}
}

// A write to a table that is declared, but not known yet, is a write to it.
func TestUnknownTableThatIsDeclaredHasItsListTag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h, writer := w.cached(), w.cached()
	read := func(db *gorm.DB) error {
		_, err := gorm.G[member](db, rediscache.DependsOn("elsewhere")).Order("name").Find(t.Context())
		return err
	}
	h.warm(t, func(db *gorm.DB) { require.NoError(t, read(db)) })
	require.NoError(t, writer.Clauses(rediscache.Touches("elsewhere")).Exec("SELECT 1").Error)
	e := h.log.read(t, func() { require.NoError(t, read(h.DB)) })
	require.Equal(t, metrics.Miss, e.Outcome)
}

const opaqueFunctions = `
CREATE FUNCTION ribbons_of(bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM patron_ribbons WHERE patron_id = $1';
CREATE FUNCTION others() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM patrons WHERE name <> ''c1''';
CREATE FUNCTION draws() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT (random() * 1000000)::bigint';
CREATE FUNCTION either(bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT $1';
CREATE FUNCTION either(text) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT 1::bigint';
CREATE FUNCTION random(bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT $1';
CREATE VIEW decorated AS SELECT id, ribbons_of(id) AS n FROM patrons;
CREATE VIEW drawn AS SELECT id, draws() AS n FROM patrons;
`

// A query that calls a stable function is cached if it says what the function reads. It then follows what the function
// reads, and any row of what the text names: the function may read that, too.
func TestStableFunctionsAreCachedIfDeclared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t) // functions of one name, whatever their schema, are taken for one
	plain := w.billed()
	for _, text := range splitStatements(opaqueFunctions) {
		require.NoError(t, plain.Exec(text).Error, text)
	}
	h, writer := w.cached(), w.cached()
	read := func(text string) func(*gorm.DB) any {
		return func(db *gorm.DB) any {
			var got []map[string]any
			require.NoError(t, db.Clauses(rediscache.DependsOn("patron_ribbons")).Raw(text).Scan(&got).Error, text)
			return got
		}
	}
	for text, write := range map[string]string{
		"SELECT name, ribbons_of(id) FROM patrons WHERE id = 1": "INSERT INTO patron_ribbons VALUES (1, 2)",
		"SELECT n FROM decorated WHERE id = 3":                  "INSERT INTO patron_ribbons VALUES (3, 3)",
		"SELECT ribbons_of(2)":                                  "DELETE FROM patron_ribbons WHERE patron_id = 2",
		"SELECT name, others() FROM patrons WHERE id = 2":       "UPDATE patrons SET name = 'c1' WHERE id = 4",
	} {
		e := h.log.read(t, func() { require.NoError(t, h.Raw(text).Scan(&[]map[string]any{}).Error) })
		require.Equal(t, metrics.ReasonVolatile, e.Reason, "%s, without saying so", text)
		before := read(text)(plain.DB)
		h.warm(t, func(db *gorm.DB) { require.Equal(t, before, read(text)(db)) })
		require.NoError(t, writer.Exec(write).Error)
		require.NotEqual(t, before, read(text)(plain.DB), text)
		agrees(t, plain, h, text, read(text))
	}
	for _, text := range []string{
		"SELECT id, draws() FROM patrons", "SELECT id, either(id) FROM patrons", "SELECT id, random(id) FROM patrons",
		"SELECT id, random() FROM patrons", "SELECT id, now() FROM patrons", "SELECT n FROM drawn",
		"SELECT id, ribbons_of(id), current_date FROM patrons",
	} {
		e := h.log.read(t, func() { read(text)(h.DB) })
		require.Equal(t, metrics.ReasonVolatile, e.Reason, text)
	}
}

// decorated is the model of a view that calls a function.
type decorated struct{ ID, N int }

func (decorated) TableName() string { return "decorated" }

// CacheDependsOn says what the view reads.
func (decorated) CacheDependsOn() []string { return []string{"patron_ribbons"} }

// What a model says of its view holds for that view, in every query that reads it, and for nothing else.
func TestModelDeclaresWhatItsViewReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t) // functions of one name, whatever their schema, are taken for one
	plain := w.billed()
	for _, text := range splitStatements(opaqueFunctions) {
		require.NoError(t, plain.Exec(text).Error, text)
	}
	h, writer := w.cached(), w.cached()
	reads := map[string]func(*gorm.DB) any{
		"model": func(db *gorm.DB) any {
			var all []decorated
			require.NoError(t, db.Order("id").Find(&all).Error)
			return all
		},
		"joined": func(db *gorm.DB) any {
			var n []int
			require.NoError(t, db.Model(&patron{}).Joins("JOIN decorated d ON d.id = patrons.id").Order("d.id").Pluck("d.n", &n).Error)
			return n
		},
	}
	for _, name := range []string{"model", "joined"} { // what a model says is known once it was used
		read := reads[name]
		before := read(plain.DB)
		h.warm(t, func(db *gorm.DB) { require.Equal(t, before, read(db)) })
		require.NoError(t, writer.Exec("DELETE FROM patron_ribbons WHERE ctid = (SELECT min(ctid) FROM patron_ribbons)").Error)
		require.NotEqual(t, before, read(plain.DB), name)
		agrees(t, plain, h, name, read)
	}
	e := h.log.read(t, func() {
		require.NoError(t, h.Model(&decorated{}).Select("n, others()").Scan(&[]map[string]any{}).Error)
	})
	require.Equal(t, metrics.ReasonVolatile, e.Reason, "the model does not speak for other functions")
}

type tongueTied struct{ ID int }

func (tongueTied) CacheDependsOn() []string { panic("nothing to say") }

// A model that does not tell what it reads: its table is not cached, the log says why, once, and the application goes on.
func TestModelThatPanicsWhenAskedWhatItReadsIsNotCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.migrate(&tongueTied{})
	log := newJournal()
	h := w.cached(loggedInto(log))
	for range 3 {
		require.NoError(t, h.Save(&tongueTied{ID: 1}).Error)
		require.Equal(t, metrics.ReasonPolicy, h.log.read(t, func() { require.NoError(t, h.Find(&[]tongueTied{}).Error) }).Reason)
	}
	require.Contains(t, log.values("error"), "CacheDependsOn of tests_test.tongueTied: it panicked: nothing to say; its table is not cached")
	require.Len(t, log.values("error"), 1)
	err := w.plain().Use(rediscache.New(rediscache.Config{
		Redis: w.redis, Namespace: w.namespace, Logger: slog.New(slog.DiscardHandler),
		Models: ttlconfig.Models{ttlconfig.For[tongueTied](): ttlconfig.Policy{TTL: time.Hour}},
	}))
	require.ErrorContains(t, err, "CacheDependsOn of tests_test.tongueTied: it panicked")
}
