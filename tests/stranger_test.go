package tests_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// journal is a slog.Handler that keeps what is logged.
type journal struct {
	mu    *sync.Mutex
	lines *[]slog.Record
}

func newJournal() journal { return journal{&sync.Mutex{}, &[]slog.Record{}} }

func (journal) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (j journal) Handle(_ context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	*j.lines = append(*j.lines, r)
	return nil
}

// WithAttrs implements slog.Handler.
func (j journal) WithAttrs([]slog.Attr) slog.Handler { return j }

// WithGroup implements slog.Handler.
func (j journal) WithGroup(string) slog.Handler { return j }

// told returns how many lines have a text.
func (j journal) told(text string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range *j.lines {
		if strings.Contains(r.Message, text) {
			n++
		}
	}
	return n
}

// values returns what the lines say under a key.
func (j journal) values(key string) (found []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range *j.lines {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == key {
				found = append(found, a.Value.String())
			}
			return true
		})
	}
	return found
}

// dialects returns the dialects of which a line of the log says that they are not known.
func (j journal) dialects() (found []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range *j.lines {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "dialect" && r.Message[:len("rediscache: this dialect is not known")] == "rediscache: this dialect is not known" {
				found = append(found, a.Value.String())
			}
			return true
		})
	}
	return found
}

// A dialect that is not known is told of, once for each handle; those that are known are not.
func TestUnknownDialectIsLogged(t *testing.T) {
	t.Parallel()
	for _, d := range append(dialects(), strangers()...) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, d)
			w.members(2)
			log := newJournal()
			h := w.cached(withPlugin(func(c *rediscache.Config) { c.Logger = slog.New(log) }))
			for range 3 {
				nameOf(t, h.DB, 1)
				require.NoError(t, h.Model(&member{ID: 2}).Update("name", "new").Error)
			}
			if d.kin == "" {
				require.Empty(t, log.dialects())
			} else {
				require.Equal(t, []string{"strange"}, log.dialects())
			}
		})
	}
}

// A database of a dialect that is not known may be any other: without a Namespace, which says which one it is, nothing
// is stored, and so it is where it has no information schema. What is read and written is what it is without the plugin.
func TestUnknownDialectOfWhichTooLittleIsKnownIsPassedBy(t *testing.T) {
	t.Parallel()
	for _, d := range strangers() {
		options := map[string]string{"without a namespace": ""}
		if d.is("sqlite") {
			options["with a namespace"] = "strange"
		}
		for how, namespace := range options {
			t.Run(d.name+", "+how, func(t *testing.T) {
				t.Parallel()
				w := newWorldOn(t, d)
				plain := w.members(2)
				named := withPlugin(func(c *rediscache.Config) {
					if namespace == "" {
						c.Namespace = ""
					}
				})
				h, other := w.cached(named), w.cached(named)
				for i, write := range writesOfMembers() {
					require.NoError(t, write(h.DB), i)
					for _, h := range []*handle{h, other} {
						for _, v := range readings() {
							sent := h.sql.during(func() { require.Equal(t, v.read(t, plain.DB), v.read(t, h.DB), v.name) })
							require.Len(t, sent, 1, v.name)
						}
						require.NotEqual(t, metrics.Hit, h.log.lastOutcome())
					}
				}
			})
		}
	}
}

// writesOfMembers are some ways to write that every database has.
func writesOfMembers() []func(*gorm.DB) error {
	return []func(*gorm.DB) error{
		func(db *gorm.DB) error { return db.Model(&member{ID: 1}).Update("name", "by key").Error },
		func(db *gorm.DB) error { return db.Create(&member{ID: 101, Name: "created"}).Error },
		func(db *gorm.DB) error { return db.Exec("UPDATE members SET name = 'text' WHERE id = 2").Error },
		func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				return tx.Transaction(func(tx *gorm.DB) error { return tx.Delete(&member{}, 2).Error })
			})
		},
		func(db *gorm.DB) error { return db.Unscoped().Where("id > ?", 1).Delete(&member{}).Error },
	}
}

// With a Namespace answers are kept by the tables that they name: a write to another table leaves them, one that reaches
// a table of theirs, by whatever way, does not.
func TestUnknownDialectIsCachedByItsTables(t *testing.T) {
	t.Parallel()
	for _, d := range strangers()[:2] {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			m := newMatrix(t, d)
			reader, writer := m.readers[0], m.w.cached()
			for _, c := range []struct {
				read, write string
				stays       bool
			}{
				{read: "SELECT * FROM toys ORDER BY id", write: "UPDATE companies SET name = 'x'", stays: true},
				{read: "SELECT * FROM toys WHERE id = 1", write: "UPDATE toys SET name = 'x' WHERE id = 2"},
				{read: "SELECT * FROM companies ORDER BY id", write: "DELETE FROM items", stays: true},
				{read: "SELECT * FROM companies ORDER BY id", write: "UPDATE companies SET name = 'y' WHERE id = 1"},
				{read: "SELECT * FROM counters", write: "INSERT INTO toys (id, name) VALUES (50, 'trigger')"},
				{read: "SELECT * FROM items ORDER BY id", write: "INSERT INTO items (id, name) VALUES (9, 'x')"},
				{read: "SELECT * FROM profiles ORDER BY id", write: "DELETE FROM customers WHERE id = 3"},
				{read: "SELECT * FROM profiles ORDER BY id", write: "UPDATE customers SET id = 77 WHERE id = 2"},
				{read: "SELECT * FROM customers ORDER BY id", write: "DELETE FROM companies WHERE id = 1"},
				{read: "SELECT * FROM adults ORDER BY id", write: "UPDATE customers SET name = 'z' WHERE id = 1"},
				{read: "SELECT * FROM debtors ORDER BY id", write: "UPDATE purchases SET cents = 1"},
				{read: "SELECT * FROM customers ORDER BY id", write: "UPDATE adults SET name = 'v' WHERE id = 1"},
				{read: "SELECT * FROM labels ORDER BY id", write: "CALL close_purchases()"}, // may be anything
				{read: "SELECT * FROM purchases ORDER BY id", write: "CALL close_purchases()"},
				{read: "SELECT name FROM labels ORDER BY id", write: "ALTER TABLE labels ADD COLUMN more int"},
			} {
				read := func(db *gorm.DB) (v []map[string]any) {
					require.NoError(t, db.Raw(c.read).Scan(&v).Error)
					return v
				}
				reader.warm(t, func(db *gorm.DB) { read(db) })
				require.NoError(t, writer.Exec(c.write).Error, c.write)
				want := read(m.plain.DB)
				sent := reader.sql.during(func() { require.Equal(t, want, read(reader.DB), c.write) })
				require.Equal(t, c.stays, len(sent) == 0, c.write)
			}
		})
	}
}

// The matrix of a database under a name that is not known: coarser, and as true.
func TestMatrixOnUnknownDialects(t *testing.T) {
	t.Parallel()
	for _, d := range raced(strangers()[:2]) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			matrixOf(t, d)
		})
	}
}
