package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// second returns a database of its own, on the same Redis namespace, with the same tables and keys but other rows.
func (w *world) second(groups int) *world {
	w.t.Helper()
	other := &world{t: w.t, dialect: w.dialect, dsn: testkit.PostgresDatabase(w.t), redis: w.redis, namespace: w.namespace}
	h := other.wares(groups)
	require.NoError(w.t, h.Exec("UPDATE wares SET name = 'second'").Error)
	return other
}

// The resolver of a name has a database of its own: neither reads nor writes of the same tables and keys are mixed up.
func TestNamedResolverIsADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	eachOrder(t, func(t *testing.T, before bool, options ...option) {
		w := newWorld(t)
		plain := w.wares(1)
		second := w.second(1)
		other := second.plain()
		r := w.resolver(dbresolver.Config{Replicas: []gorm.Dialector{postgres.Open(w.dsn)}}).
			Register(dbresolver.Config{Sources: []gorm.Dialector{postgres.Open(second.dsn)}}, "second")
		h := w.resolved(before, r, options...)
		reader, otherReader := w.cached(), second.cached()
		find := func(db *gorm.DB) string {
			var i ware
			require.NoError(t, db.First(&i, 10).Error)
			return i.Name
		}
		list := func(db *gorm.DB) []string {
			var names []string
			require.NoError(t, db.Model(&ware{}).Order("id").Pluck("name", &names).Error)
			return names
		}
		check := func(first, second string) {
			t.Helper()
			for range 3 {
				require.Equal(t, first, find(h.DB))
				require.Equal(t, second, find(h.Clauses(dbresolver.Use("second"))))
				require.Equal(t, list(plain.DB), list(h.DB))
				require.Equal(t, list(other.DB), list(h.Clauses(dbresolver.Use("second"))))
				require.Equal(t, first, find(reader.DB))
				require.Equal(t, second, find(otherReader.DB))
			}
		}
		warm := func() {
			for _, warm := range []func(){
				func() { h.warm(t, func(db *gorm.DB) { find(db); list(db) }) },
				func() {
					h.warm(t, func(db *gorm.DB) {
						find(db.Clauses(dbresolver.Use("second")))
						list(db.Clauses(dbresolver.Use("second")))
					})
				},
				func() { reader.warm(t, func(db *gorm.DB) { find(db) }) },
				func() { otherReader.warm(t, func(db *gorm.DB) { find(db) }) },
			} {
				warm()
			}
		}
		check("old", "second")
		warm()
		require.NoError(t, h.Clauses(dbresolver.Use("second")).Model(&ware{}).Where("id = ?", 10).Update("name", "changed").Error)
		check("old", "changed")
		warm()
		require.NoError(t, h.Model(&ware{ID: 10}).Update("name", "new").Error)
		check("new", "changed")
		warm()
		tx := h.Clauses(dbresolver.Use("second"), dbresolver.Write).Begin()
		require.NoError(t, tx.Exec("UPDATE wares SET name = 'again' WHERE id = 10").Error)
		check("new", "changed")
		require.NoError(t, tx.Commit().Error)
		check("new", "again")
		warm()
		require.NoError(t, h.Clauses(dbresolver.Use("second")).Create(&ware{ID: 12, Name: "third"}).Error)
		require.NoError(t, h.Delete(&ware{}, 11).Error)
		check("new", "again")
	})
}

// A resolver for a table: that table is on another database; the rest is not.
func TestResolverOfATable(t *testing.T) {
	t.Parallel()
	eachOrder(t, func(t *testing.T, before bool, options ...option) {
		w := newWorld(t)
		plain := w.wares(1)
		second := w.second(1)
		other := second.plain()
		require.NoError(t, plain.Create(&sticker{WareID: 10, Text: "first"}).Error)
		require.NoError(t, other.Create(&sticker{WareID: 10, Text: "second"}).Error)
		r := w.resolver(dbresolver.Config{Sources: []gorm.Dialector{postgres.Open(second.dsn)}}, &sticker{})
		h := w.resolved(before, r, options...)
		read := func(db *gorm.DB) (string, string) {
			var i ware
			require.NoError(t, db.Preload("Labels").First(&i, 10).Error)
			var text string
			require.NoError(t, db.Model(&sticker{}).Where("ware_id = 10").Pluck("text", &text).Error)
			require.Len(t, i.Labels, 1)
			require.Equal(t, text, i.Labels[0].Text)
			return i.Name, text
		}
		check := func(name, text string) {
			t.Helper()
			h.warm(t, func(db *gorm.DB) {
				n, x := read(db)
				require.Equal(t, name, n)
				require.Equal(t, text, x)
			})
		}
		check("old", "second")
		require.NoError(t, h.Model(&sticker{}).Where("ware_id = ?", 10).Update("text", "changed").Error)
		check("old", "changed")
		require.NoError(t, h.Exec("UPDATE stickers SET text = 'by text'").Error)
		check("old", "by text")
		require.NoError(t, second.cached().Model(&sticker{}).Where("ware_id = ?", 10).Update("text", "by another").Error)
		check("old", "by another")
		require.NoError(t, w.cached().Model(&ware{ID: 10}).Update("name", "new").Error)
		check("new", "by another")
		var text string
		require.NoError(t, plain.Model(&sticker{}).Pluck("text", &text).Error)
		require.Equal(t, "first", text)
	})
}

// All pools of a resolver share the plugin that the handle uses, and so its entries.
func TestPoolsOfAResolverShareOnePlugin(t *testing.T) {
	t.Parallel()
	eachOrder(t, func(t *testing.T, before bool, options ...option) {
		w := newWorld(t)
		plain := w.wares(1)
		r := w.resolver(dbresolver.Config{
			Sources:  []gorm.Dialector{postgres.Open(w.dsn), postgres.Open(w.dsn)},
			Replicas: []gorm.Dialector{postgres.Open(w.dsn), postgres.Open(w.dsn)},
		})
		h := w.resolved(before, r, options...)
		reader := w.cached()
		want := look(t, plain.DB, 1)
		h.warmView(t, 1, want)
		h.requireHits(t, 1, want)
		reader.requireHits(t, 1, want) // whichever pool it was stored from
		for i := range 8 {             // whichever source is chosen
			require.NoError(t, h.Model(&ware{ID: 10}).Update("grp", 1).Error)
			require.NoError(t, h.Model(&ware{ID: 11}).Update("name", string(rune('a'+i))).Error)
			want = look(t, plain.DB, 1)
			require.Equal(t, want, look(t, reader.DB, 1))
			require.Equal(t, want, look(t, h.DB, 1))
		}
		reader.warmView(t, 1, want)
	})
}

// Configurations may be added when the resolver is in use already.
func TestResolverThatIsExtendedLater(t *testing.T) {
	t.Parallel()
	eachOrder(t, func(t *testing.T, before bool, options ...option) {
		w := newWorld(t)
		w.wares(1)
		second := w.second(1)
		r := w.resolver(dbresolver.Config{Replicas: []gorm.Dialector{postgres.Open(w.dsn)}})
		h := w.resolved(before, r, options...)
		h.warm(t, func(db *gorm.DB) { look(t, db, 1) })
		r.Register(dbresolver.Config{Sources: []gorm.Dialector{postgres.Open(second.dsn)}}, "second")
		read := func(db *gorm.DB) string {
			var i ware
			require.NoError(t, db.Clauses(dbresolver.Use("second")).First(&i, 10).Error)
			return i.Name
		}
		h.warm(t, func(db *gorm.DB) { require.Equal(t, "second", read(db)) })
		require.NoError(t, h.Clauses(dbresolver.Use("second")).Model(&ware{}).Where("id = ?", 10).Update("name", "new").Error)
		h.warm(t, func(db *gorm.DB) { require.Equal(t, "new", read(db)) })
	})
}
