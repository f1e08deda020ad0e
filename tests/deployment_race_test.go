package tests_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// allComments reads what may go with posts.
func allComments(t testing.TB, db *gorm.DB) (rows []map[string]any) {
	t.Helper()
	require.NoError(t, db.Table("comments").Order("id").Find(&rows).Error)
	return rows
}

// cascades are how a migration makes writes to posts change comments.
func cascades() map[string]string {
	return map[string]string{
		"foreign key": "ALTER TABLE comments ADD FOREIGN KEY (post_id) REFERENCES posts ON DELETE CASCADE",
		"trigger": `CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN DELETE FROM comments WHERE post_id = OLD.id; RETURN OLD; END $$;
			CREATE TRIGGER follow AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION follow()`,
	}
}

// migrated is a database of the test's own, with handles of a process that migrates, one that writes and one that reads.
func migrated(t *testing.T) (w *world, migrator, writer, reader *handle) {
	t.Helper()
	w = newWorld(t)
	w.dsn = testkit.PostgresDatabase(t)
	require.NoError(t, w.plain().Exec(migrationSchema).Error)
	return w, w.cached(), w.cached(), w.cached()
}

// requireOneComment requires that a deletion of two comments is seen, in the database and through the cache.
func requireOneComment(t testing.TB, plain, reader *handle) {
	t.Helper()
	require.Len(t, allComments(t, plain.DB), 1)
	require.Len(t, allComments(t, reader.DB), 1)
}

// A process that only writes learns of a migration before its next write, though nothing that it reads tells it.
func TestWriterLearnsOfAMigrationElsewhere(t *testing.T) {
	t.Parallel()
	for name, ddl := range cascades() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, migrator, writer, reader := migrated(t)
			require.NoError(t, writer.Exec("DELETE FROM posts WHERE id = ?", 3).Error) // its plan is known
			require.NoError(t, migrator.Exec(ddl).Error)
			reader.warm(t, func(db *gorm.DB) { require.Len(t, allComments(t, db), 3) })
			require.NoError(t, writer.Exec("DELETE FROM posts WHERE id = ?", 1).Error)
			requireOneComment(t, w.plain(), reader)
		})
	}
}

// A statement that waits for a migration is carried out in the new schema, though it began in the old one.
func TestWriteThatWaitsForAMigration(t *testing.T) {
	t.Parallel()
	for name, ddl := range cascades() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, migrator, writer, reader := migrated(t)
			plain := w.plain()
			migration := migrator.Begin()
			require.NoError(t, migration.Exec(ddl).Error)
			tx := writer.Begin()
			wait := async(t, func() { require.NoError(t, tx.Exec("DELETE FROM posts WHERE id = ?", 1).Error) })
			awaitLock(t, plain)
			require.NoError(t, migration.Commit().Error)
			wait()
			reader.warm(t, func(db *gorm.DB) { require.Len(t, allComments(t, db), 3) })
			require.NoError(t, tx.Commit().Error)
			requireOneComment(t, plain, reader)
		})
	}
}

// The same of a statement that commits by itself. It waits for a row, too, so that the answer that it makes old is stored
// meanwhile.
func TestStatementThatWaitsForAMigration(t *testing.T) {
	t.Parallel()
	for name, ddl := range cascades() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, migrator, writer, reader := migrated(t)
			plain := w.plain()
			row := plain.Begin()
			require.NoError(t, row.Exec("SELECT * FROM posts WHERE id = 1 FOR UPDATE").Error)
			migration := migrator.Begin()
			require.NoError(t, migration.Exec(ddl).Error)
			wait := async(t, func() { require.NoError(t, writer.Exec("DELETE FROM posts WHERE id = ?", 1).Error) })
			awaitLock(t, plain)
			require.NoError(t, migration.Commit().Error)
			reader.warm(t, func(db *gorm.DB) { require.Len(t, allComments(t, db), 3) })
			require.NoError(t, row.Rollback().Error)
			wait()
			requireOneComment(t, plain, reader)
		})
	}
}

// undone is how a migration takes the cascades away again.
func undone() map[string]string {
	return map[string]string{
		"foreign key": "ALTER TABLE comments DROP CONSTRAINT comments_post_id_fkey",
		"trigger":     "DROP TRIGGER follow ON posts",
	}
}

// What a transaction has learned of a schema that it made, and that was rolled back, is forgotten before the next write.
func TestWriteAfterAMigrationThatWasRolledBack(t *testing.T) {
	t.Parallel()
	for name, undo := range undone() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, migrator, _, reader := migrated(t)
			require.NoError(t, migrator.Exec(cascades()[name]).Error)
			migration := migrator.Begin()
			require.NoError(t, migration.Exec(undo).Error)
			require.NoError(t, migration.Exec("UPDATE authors SET name = ?", "x").Error) // it learns what it has made
			require.NoError(t, migration.Rollback().Error)
			reader.warm(t, func(db *gorm.DB) { require.Len(t, allComments(t, db), 3) })
			require.NoError(t, migrator.Exec("DELETE FROM posts WHERE id = ?", 1).Error)
			requireOneComment(t, w.plain(), reader)
		})
	}
}

// A migration that is rolled back has shown its own process a schema that will never be: a write that was planned with it
// is carried out in the one that is.
func TestWriteThatWaitsForAMigrationThatIsRolledBack(t *testing.T) {
	t.Parallel()
	for name, undo := range undone() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, migrator, _, reader := migrated(t)
			plain := w.plain()
			require.NoError(t, migrator.Exec(cascades()[name]).Error)
			migration := migrator.Begin()
			require.NoError(t, migration.Exec(undo).Error)
			require.NoError(t, migration.Exec("UPDATE authors SET name = ?", "x").Error) // it learns what it has made
			tx := migrator.Begin()
			wait := async(t, func() { require.NoError(t, tx.Exec("DELETE FROM posts WHERE id = ?", 1).Error) })
			awaitLock(t, plain)
			require.NoError(t, migration.Rollback().Error)
			wait()
			reader.warm(t, func(db *gorm.DB) { require.Len(t, allComments(t, db), 3) })
			require.NoError(t, tx.Commit().Error)
			requireOneComment(t, plain, reader)
		})
	}
}

// awaitLock waits until a session of the database waits for a lock.
func awaitLock(t testing.TB, plain *handle) {
	t.Helper()
	testkit.Eventually(t, "somebody waits for a lock", func() bool {
		var n int64
		require.NoError(t, plain.Raw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "+
			"AND wait_event_type = 'Lock'").Scan(&n).Error)
		return n > 0
	})
}

// A query calls a function that another process has made, or made another, since this one has read the catalog: what the
// function writes is seen.
func TestFunctionOfAMigrationElsewhereWrites(t *testing.T) {
	t.Parallel()
	const (
		mute = "CREATE OR REPLACE FUNCTION sweep() RETURNS int LANGUAGE sql AS 'SELECT 1'"
		loud = "CREATE OR REPLACE FUNCTION sweep() RETURNS int LANGUAGE sql AS 'DELETE FROM comments WHERE post_id = 1 RETURNING 1'"
	)
	query := func(db *gorm.DB) error { return db.Raw("SELECT sweep()").Scan(new(int)).Error }
	for name, call := range map[string]func(*gorm.DB) error{
		"Raw":  query,
		"Exec": func(db *gorm.DB) error { return db.Exec("SELECT sweep()").Error },
		"Row":  func(db *gorm.DB) error { return db.Raw("SELECT sweep()").Row().Scan(new(int)) },
		"Rows": func(db *gorm.DB) error {
			rows, err := db.Raw("SELECT sweep()").Rows()
			if err != nil {
				return err
			}
			for rows.Next() {
			}
			return rows.Close()
		},
		"transaction": func(db *gorm.DB) error { return db.Transaction(query) },
		"connection":  func(db *gorm.DB) error { return db.Connection(query) },
	} {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, known: %t", name, known), func(t *testing.T) {
				t.Parallel()
				w, migrator, writer, reader := migrated(t)
				if known {
					require.NoError(t, migrator.Exec(mute).Error)
					require.NoError(t, query(writer.DB))
				}
				require.NoError(t, migrator.Exec(loud).Error)
				reader.warm(t, func(db *gorm.DB) { require.Len(t, allComments(t, db), 3) })
				require.NoError(t, call(writer.DB))
				requireOneComment(t, w.plain(), reader)
			})
		}
	}
}

// Of two statements in one text, the first is carried out, and the second fails. Another process has made a trigger that the
// first one fires, since this process has read the catalog.
func TestTextThatFailsHalfWay(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, onMySQL())
	w.members(1)
	plain := w.wares(1)
	writer, migrator, reader := w.cached(), w.cached(), w.cached()
	warmMember(t, writer, 1)
	require.NoError(t, migrator.Exec("CREATE TRIGGER spread AFTER UPDATE ON members FOR EACH ROW UPDATE wares SET name = 'new'").Error)
	read := func(db *gorm.DB) any {
		var found ware
		require.NoError(t, db.First(&found, 10).Error)
		return found.Name
	}
	agreesFromCache(t, plain, reader, "before", read)
	require.Error(t, writer.Exec("UPDATE members SET name = 'new' WHERE id = 1; INSERT INTO members (id) VALUES (1)").Error)
	agreesFromCache(t, plain, reader, "afterwards", read)
}
