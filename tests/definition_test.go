package tests_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// Somebody else makes tables while the application runs: what it did not know yet it asks for when it meets it.
func TestTablesMadeElsewhereAreCachedSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, scan := w.cached(), w.cached() // there is nothing yet
	w.members(1)
	first.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
	scan.warm(t, func(db *gorm.DB) {
		var name string
		require.NoError(t, db.Model(&member{}).Where("id = ?", 1).Select("name").Scan(&name).Error)
	})
}

// A process that does not know a table yet must not forget what the database changes with it.
func TestWriteToATableMadeElsewhereReachesWhatFollowsFromIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.cached()
	began := time.Now()
	plain := w.plain()
	for _, ddl := range []string{
		`CREATE TABLE houses (id int PRIMARY KEY)`,
		`CREATE TABLE cats (id int PRIMARY KEY, house_id int REFERENCES houses ON DELETE CASCADE)`,
		`INSERT INTO houses VALUES (1), (2)`, `INSERT INTO cats VALUES (1, 1), (2, 2)`,
	} {
		require.NoError(t, plain.Exec(ddl).Error)
	}
	cats := func(db *gorm.DB) (n int64) {
		require.NoError(t, db.Table("cats").Count(&n).Error)
		return n
	}
	other := w.cached()
	other.warm(t, func(db *gorm.DB) { require.Equal(t, int64(2), cats(db)) })
	testkit.Eventually(t, "the catalog may be asked again", func() bool { return time.Since(began) > 1100*time.Millisecond })
	require.NoError(t, h.Exec("DELETE FROM houses WHERE id = ?", 1).Error)
	require.Equal(t, int64(1), cats(other.DB))
}

// What a transaction saw of its own definitions is not believed any more when it was rolled back.
func TestDefinitionThatWasRolledBackIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.plain()
	for _, ddl := range []string{
		`CREATE TABLE houses (id int PRIMARY KEY)`,
		`CREATE TABLE cats (id int PRIMARY KEY, house_id int CONSTRAINT home REFERENCES houses ON DELETE CASCADE)`,
		`INSERT INTO houses VALUES (1), (2)`, `INSERT INTO cats VALUES (1, 1), (2, 2)`,
	} {
		require.NoError(t, plain.Exec(ddl).Error)
	}
	cats := func(db *gorm.DB) (n int64) {
		require.NoError(t, db.Table("cats").Count(&n).Error)
		return n
	}
	h, other := w.cached(), w.cached()
	tx := h.Begin()
	require.NoError(t, tx.Exec("ALTER TABLE cats DROP CONSTRAINT home").Error)
	require.NoError(t, tx.Exec("DELETE FROM houses WHERE id = ?", 1).Error) // nothing follows from it, here
	require.NoError(t, tx.Rollback().Error)
	other.warm(t, func(db *gorm.DB) { require.Equal(t, int64(2), cats(db)) })
	require.NoError(t, h.Exec("DELETE FROM houses WHERE id = ?", 1).Error)
	require.Equal(t, int64(1), cats(other.DB))
}

// A write that was planned before the schema changed, and commits after it, may have reached any table. That makes nobody read the
// schema again, or the next write would find its own one changed, and so on: unless it may have changed the schema itself.
func TestWritesPlannedBeforeTheSchemaChanged(t *testing.T) {
	t.Parallel()
	const unreadable = `
		CREATE FUNCTION grow() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN EXECUTE 'CREATE TABLE IF NOT EXISTS grown (id int)'; RETURN NULL; END $$;
		CREATE TABLE plants (id int); CREATE TRIGGER grow AFTER INSERT ON plants EXECUTE FUNCTION grow()`
	for name, c := range map[string]struct {
		setup  string
		writes func(*gorm.DB) error
		schema bool
	}{
		"rows alone": {
			writes: func(tx *gorm.DB) error { return tx.Model(&member{ID: 1}).Update("name", "new").Error },
		},
		"a function that may be another one by now": {
			setup:  `CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
			writes: func(tx *gorm.DB) error { return tx.Raw("SELECT one()").Scan(new(int)).Error },
			schema: true,
		},
		"where it cannot be read what a trigger does": {
			setup:  unreadable,
			writes: func(tx *gorm.DB) error { return tx.Model(&member{ID: 1}).Update("name", "new").Error },
			schema: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.dsn = testkit.PostgresDatabase(t) // triggers of other tests would be in the catalog, too
			w.members(1)
			if c.setup != "" {
				require.NoError(t, w.plain().Exec(c.setup).Error)
			}
			writer, reader, owner := w.cached(), w.cached(), w.cached()
			read := func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) }
			reader.warm(t, read)
			tx := writer.Begin()
			require.NoError(t, c.writes(tx))
			require.NoError(t, owner.Exec("CREATE TABLE others (id int)").Error)
			reader.warm(t, read)
			var kinds []string
			for _, e := range writer.log.wrote(func() { require.NoError(t, tx.Commit().Error) }) {
				kinds = append(kinds, e.Tags...)
			}
			require.Contains(t, kinds, "all")
			require.Equal(t, c.schema, slices.Contains(kinds, "schema"), kinds)
			reader.warm(t, read)
		})
	}
}
