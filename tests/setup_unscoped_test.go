package tests_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// crate and bottle keep what was deleted.
type crate struct {
	gorm.Model
	Name    string
	Bottles []bottle
}

type bottle struct {
	gorm.Model
	Title   string
	CrateID uint
}

// unscopedReads read with what was deleted, without it, and each within the other.
func unscopedReads() map[string]func(*gorm.DB) (*gorm.DB, any) {
	return map[string]func(*gorm.DB) (*gorm.DB, any){
		"preload": func(db *gorm.DB) (*gorm.DB, any) {
			var s []crate
			return db.Preload("Bottles", func(db *gorm.DB) *gorm.DB { return db.Order("id") }).Order("id").Find(&s), &s
		},
		"unscoped preload": func(db *gorm.DB) (*gorm.DB, any) {
			var s []crate
			return db.Unscoped().Preload("Bottles", func(db *gorm.DB) *gorm.DB { return db.Order("id") }).Order("id").Find(&s), &s
		},
		"row":          func(db *gorm.DB) (*gorm.DB, any) { var v bottle; return db.First(&v, 2), &v },
		"unscoped row": func(db *gorm.DB) (*gorm.DB, any) { var v bottle; return db.Unscoped().First(&v, 2), &v },
		"subquery": func(db *gorm.DB) (*gorm.DB, any) {
			var v []bottle
			return db.Where("crate_id IN (?)", db.Model(&crate{}).Select("id")).Order("id").Find(&v), &v
		},
		"unscoped subquery": func(db *gorm.DB) (*gorm.DB, any) {
			var v []bottle
			db = db.Unscoped()
			return db.Where("crate_id IN (?)", db.Session(&gorm.Session{NewDB: true}).Model(&crate{}).Select("id")).Order("id").Find(&v), &v
		},
		"statement of a session": func(db *gorm.DB) (*gorm.DB, any) {
			var v []bottle
			return db.Unscoped().Session(&gorm.Session{NewDB: true}).Order("id").Find(&v), &v
		},
	}
}

// PropagateUnscoped changes what statements within statements ask for. Handles with it and without share a database,
// and neither is answered with what the other was.
func TestPropagateUnscoped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.migrate(&crate{}, &bottle{})
	set := withGORM(func(c *gorm.Config) { c.PropagateUnscoped = true })
	pairs := map[string][2]*handle{
		"without": {w.plain(), w.cached()}, "with": {w.plain(set), w.cached(set)},
	}
	session := func(db *gorm.DB) *gorm.DB { return db.Session(&gorm.Session{PropagateUnscoped: true}) }
	plain := pairs["without"][0]
	require.NoError(t, plain.Create(&[]crate{
		{Name: "a", Bottles: []bottle{{Title: "1"}, {Title: "2"}}}, {Name: "b", Bottles: []bottle{{Title: "3"}}},
	}).Error)
	check := func(step string) (seen map[string]string) {
		seen = map[string]string{}
		for kind, pair := range pairs {
			for name, read := range unscopedReads() {
				run := func(db *gorm.DB) any {
					tx, got := read(db)
					return fmt.Sprintf("%d %v %+v", tx.RowsAffected, tx.Error, got)
				}
				agreesFromCache(t, pair[0], pair[1], step+", "+kind+", "+name, run)
				bySession := func(db *gorm.DB) any { return run(session(db)) }
				agreesFromCache(t, pair[0], pair[1], step+", "+kind+", by session, "+name, bySession)
				seen[kind+", "+name] = fmt.Sprint(run(pair[1].DB))
			}
		}
		return seen
	}
	check("all there")
	for kind, pair := range pairs { // each writes once, and all see it
		for step, write := range map[string]func(*gorm.DB) error{
			"deleted":       func(db *gorm.DB) error { return db.Delete(&bottle{}, 2).Error },
			"crate deleted": func(db *gorm.DB) error { return db.Delete(&crate{}, 2).Error },
		} {
			require.NoError(t, pair[1].Unscoped().Model(&bottle{}).Where("true").Update("deleted_at", nil).Error)
			require.NoError(t, pair[1].Unscoped().Model(&crate{}).Where("true").Update("deleted_at", nil).Error)
			check(kind + ", restored")
			require.NoError(t, write(pair[1].DB))
			check(kind + ", " + step)
		}
	}
	require.NoError(t, pairs["with"][1].Delete(&bottle{}, 2).Error)
	seen := check("in the end")
	require.NotEqual(t, seen["with, statement of a session"], seen["without, statement of a session"], "the setting does nothing")
	require.NotEqual(t, seen["with, unscoped row"], seen["with, row"])
	require.NoError(t, pairs["with"][1].Unscoped().Select("Bottles").Delete(&crate{Model: gorm.Model{ID: 1}}).Error)
	check("gone")
}
