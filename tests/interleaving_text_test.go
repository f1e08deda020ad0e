package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// A transaction that ends by a text of the program's, before GORM ends it: what was written is in the database from
// then on, whatever GORM does afterwards.
func TestTransactionThatEndsByAText(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*gorm.DB){
		"at once":          func(*gorm.DB) {},
		"then committed":   func(tx *gorm.DB) { tx.Commit() },
		"then rolled back": func(tx *gorm.DB) { tx.Rollback() },
	} {
		for _, text := range []string{"COMMIT", "END", "COMMIT AND CHAIN"} {
			t.Run(text+" "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				plain := w.members(2)
				h, other := w.cached(), w.cached()
				other.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
				tx := h.Begin()
				require.NoError(t, tx.Exec("UPDATE members SET name = 'written' WHERE id = 1").Error)
				require.NoError(t, tx.Exec(text).Error)
				require.Equal(t, "written", nameOf(t, plain.DB, 1))
				end(tx)
				require.Equal(t, "written", nameOf(t, other.DB, 1))
				tx.Rollback()
			})
		}
	}
}

// Several statements in one text, which the driver sends as they are if there are no arguments.
func TestSeveralStatementsInOneText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(3)
	h, other := w.cached(), w.cached()
	names := func(db *gorm.DB) any { return []string{nameOf(t, db, 1), nameOf(t, db, 2)} }
	for _, text := range []string{
		"UPDATE members SET name = 'a' WHERE id = 1; UPDATE members SET name = 'a' WHERE id = 2",
		"BEGIN; UPDATE members SET name = 'b' WHERE id = 1; COMMIT",
		"BEGIN; UPDATE members SET name = 'c' WHERE id = 1; ROLLBACK; UPDATE members SET name = 'c' WHERE id = 2",
		"SELECT 1; UPDATE members SET name = 'd' WHERE id = 1",
		"/* ; */ UPDATE members SET name = 'e;' WHERE id = 2;",
		"BEGIN; UPDATE members SET name = 'f' WHERE id = 1; COMMIT; SELECT 1 / 0",
		"UPDATE members SET name = 'g' WHERE id = 1; SELECT 1 / 0",
		"DO $$ BEGIN UPDATE members SET name = 'h' WHERE id = 1; END $$",
		"DO $$ BEGIN EXECUTE 'UPDATE mem' || 'bers SET name = ''i'' WHERE id = 2'; END $$",
	} {
		other.warm(t, func(db *gorm.DB) { names(db) })
		err := h.Exec(text).Error
		agrees(t, plain, other, text, names)
		agrees(t, plain, h, text, names)
		if err != nil {
			require.ErrorContains(t, err, "division by zero", text)
		}
	}
}

// A transaction that a text has begun, of which nobody knows but the database. What the cache asks there when the schema has to
// be learned fails, as the catalog is locked; the transaction goes on.
func TestCacheEndsNoTransactionThatATextHasBegun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t)
	plain := w.members(1)
	h := w.cached()
	lock := plain.Begin()
	t.Cleanup(func() { lock.Rollback() })
	require.NoError(t, h.Connection(func(c *gorm.DB) error {
		require.NoError(t, c.Exec("BEGIN").Error)
		require.NoError(t, c.Exec("SET LOCAL lock_timeout = '1ms'").Error)
		require.NoError(t, lock.Exec("LOCK TABLE pg_catalog.pg_trigger IN ACCESS EXCLUSIVE MODE").Error)
		require.NoError(t, c.Exec("UPDATE members SET name = 'written' WHERE id = 1").Error)
		return c.Exec("COMMIT").Error
	}))
	require.NoError(t, lock.Rollback().Error)
	require.Equal(t, "written", nameOf(t, plain.DB, 1))
}

// viewOfAMember makes a view of the first of two members, and a table that the view may be made to read in its place. It
// returns what reads the view.
func (w *world) viewOfAMember() (named func(*gorm.DB) string) {
	w.t.Helper()
	plain := w.members(2)
	require.NoError(w.t, plain.Exec("CREATE VIEW named AS SELECT name FROM members WHERE id = 1").Error)
	require.NoError(w.t, plain.Exec("CREATE TABLE others AS SELECT name FROM members WHERE id = 2").Error)
	return func(db *gorm.DB) (name string) {
		w.t.Helper()
		require.NoError(w.t, db.Raw("SELECT name FROM named").Scan(&name).Error)
		return name
	}
}

// Such a transaction sees one snapshot, also of the catalog: what it shows of a schema that has been changed since is not
// learned.
func TestSchemaIsNotLearnedFromASnapshotThatATextHasBegun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	named := w.viewOfAMember()
	h, migrates := w.cached(), w.cached()
	h.warm(t, func(db *gorm.DB) { named(db) })
	require.NoError(t, h.Connection(func(c *gorm.DB) error {
		require.NoError(t, c.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ").Error)
		require.Equal(t, "m1", nameOf(t, c, 1)) // its snapshot is taken
		require.NoError(t, migrates.Exec("CREATE OR REPLACE VIEW named AS SELECT name FROM others").Error)
		require.NoError(t, h.Exec("CREATE TABLE migrated (id integer)").Error) // so that the schema has to be learned here, too
		require.NoError(t, c.Exec("UPDATE members SET name = 'written' WHERE id = 2").Error)
		h.warm(t, func(db *gorm.DB) { named(db) })
		require.NoError(t, migrates.Exec("UPDATE others SET name = 'new'").Error)
		require.Equal(t, "new", named(h.DB))
		return c.Exec("COMMIT").Error
	}))
}

// The same where the application begins the transaction through database/sql, and the database has no level that says so: on
// SQLite every transaction sees one snapshot from its first statement on.
func TestSchemaIsNotLearnedFromASnapshot(t *testing.T) {
	t.Parallel()
	for _, d := range []*dialect{onSQLite(), onMySQL()} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, d)
			named := w.viewOfAMember()
			h, migrates := w.cached(), w.cached()
			h.warm(t, func(db *gorm.DB) { named(db) })
			tx := h.Begin()
			t.Cleanup(func() { tx.Rollback() })
			require.Equal(t, "m1", nameOf(t, tx, 1)) // its snapshot is taken
			require.NoError(t, migrates.Exec("DROP VIEW named").Error)
			require.NoError(t, migrates.Exec("CREATE VIEW named AS SELECT name FROM others").Error)
			require.NoError(t, h.Exec("CREATE TABLE migrated (id integer)").Error) // so that the schema has to be learned here, too
			_ = tx.Exec("UPDATE members SET name = 'written' WHERE id = 2").Error  // SQLite refuses it
			tx.Commit()
			h.warm(t, func(db *gorm.DB) { named(db) })
			require.NoError(t, migrates.Exec("UPDATE others SET name = 'new'").Error)
			require.Equal(t, "new", named(h.DB))
		})
	}
}
