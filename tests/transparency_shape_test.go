package tests_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

// Two versions of an application, whose models of one table differ.
type articleV1 struct {
	ID    int
	Title string
	Price int
}

type articleV2 struct {
	ID       int
	Price    string // was a number
	Title    *string
	Subtitle string `gorm:"default:none"`
}

func (articleV1) TableName() string { return "articles" }
func (articleV2) TableName() string { return "articles" }

// The table changes while answers of its old shape are stored: nobody gets one afterwards.
func TestTableChangesWhileItIsCached(t *testing.T) {
	t.Parallel()
	// Statements that GORM prepared stay as they were when the table changes, with the plugin and without.
	for name, options := range map[string][]option{"extended": nil, "wrapped": {withPlugin(func(c *rediscache.Config) { c.WrapConnPool = true })}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.migrate(&articleV1{})
			require.NoError(t, plain.Create(&[]articleV1{{1, "a", 1}, {2, "b", 2}}).Error)
			h, other := w.cached(options...), w.cached(options...)
			reads := map[string]func(*gorm.DB) any{
				"old": func(db *gorm.DB) any {
					var a []articleV1
					var one articleV1
					err1, err2 := db.Order("id").Find(&a).Error, db.First(&one, 1).Error
					return fmt.Sprint(a, one, err1 != nil, err2 != nil)
				},
				"new": func(db *gorm.DB) any {
					var a []articleV2
					var one articleV2
					err1, err2 := db.Select("*").Order("id").Find(&a).Error, db.First(&one, 1).Error
					return fmt.Sprint(len(a), one.Price, one.Subtitle, one.Title != nil, err1 != nil, err2 != nil)
				},
				"maps": func(db *gorm.DB) any {
					var m []map[string]any
					err := db.Table("articles").Order("id").Find(&m).Error
					return fmt.Sprint(printed(m), err != nil)
				},
				"IN": func(db *gorm.DB) any {
					var m []map[string]any
					err := db.Table("articles").Where("id IN ?", []int{1, 2}).Order("id").Find(&m).Error
					return fmt.Sprint(printed(m), err != nil)
				},
				"row": func(db *gorm.DB) any {
					m := map[string]any{}
					err := db.Table("articles").Where("id = ?", 2).Take(&m).Error
					return fmt.Sprint(printed(m), err != nil)
				},
			}
			for i, change := range []func(*gorm.DB) error{
				func(*gorm.DB) error { return nil },
				func(db *gorm.DB) error { return db.AutoMigrate(&articleV2{}) },
				func(db *gorm.DB) error { return db.Migrator().DropColumn(&articleV2{}, "subtitle") },
				func(db *gorm.DB) error { return db.Migrator().AddColumn(&articleV2{}, "subtitle") },
				func(db *gorm.DB) error { return db.Migrator().RenameColumn(&articleV2{}, "title", "heading") },
				func(db *gorm.DB) error {
					return db.Exec("ALTER TABLE articles ALTER price TYPE float USING price::float / 2").Error
				},
				func(db *gorm.DB) error {
					return db.Transaction(func(tx *gorm.DB) error { return tx.Migrator().DropTable("articles") })
				},
				func(db *gorm.DB) error { return db.AutoMigrate(&articleV1{}) },
			} {
				require.NoError(t, change(h.DB), "change %d", i)
				plain := w.plain() // it has prepared nothing
				pool, err := plain.DB.DB()
				require.NoError(t, err)
				pool.SetMaxOpenConns(1)
				for reader, db := range map[string]*handle{"own": h, "other": other} {
					for read, f := range reads {
						want := f(plain.DB)
						for range 3 {
							got := f(db.DB)
							if got != want { // what was prepared before fails once, without the plugin as well
								got = f(db.Clauses(rediscache.Bypass))
							}
							require.Equal(t, want, f(db.DB), "%s, %s, change %d; from the database %v", reader, read, i, got)
						}
					}
				}
				require.NoError(t, pool.Close())
			}
		})
	}
}

// Each version gets its own shape, and each one's writes are seen by the other.
func TestTwoVersionsOfAnApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&articleV1{})
	require.NoError(t, plain.Create(&[]articleV1{{1, "a", 1}, {2, "b", 2}}).Error)
	require.NoError(t, plain.Exec("ALTER TABLE articles ADD subtitle text DEFAULT 'none'").Error)
	v1, v2 := w.cached(), w.cached()
	old := func(db *gorm.DB) any {
		var one articleV1
		var all []articleV1
		var in []articleV1
		require.NoError(t, db.First(&one, 1).Error)
		require.NoError(t, db.Order("id").Find(&all).Error)
		require.NoError(t, db.Find(&in, []int{1, 2}).Error)
		return []any{one, all, len(in)}
	}
	next := func(db *gorm.DB) any {
		var one articleV2
		var all []articleV2
		var in []articleV2
		require.NoError(t, db.First(&one, 1).Error)
		require.NoError(t, db.Order("id").Find(&all).Error)
		require.NoError(t, db.Find(&in, []int{1, 2}).Error)
		return []any{one, all, len(in)}
	}
	agreesFromCache(t, plain, v1, "old", old)
	agreesFromCache(t, plain, v2, "new", next)
	require.NoError(t, v1.Model(&articleV1{ID: 1}).Update("price", 10).Error)
	agreesFromCache(t, plain, v2, "new, after the old one's write", next)
	agreesFromCache(t, plain, v1, "old, after its own", old)
	require.NoError(t, v2.Model(&articleV2{ID: 1}).Updates(map[string]any{"title": "changed", "subtitle": "too"}).Error)
	agreesFromCache(t, plain, v1, "old, after the new one's write", old)
	agreesFromCache(t, plain, v2, "new, after its own", next)
}

// A column is added without the plugin, and then a version of the application comes that knows it. What the old version
// has stored has no such column.
func TestColumnAddedElsewhereIsSeenByTheVersionThatKnowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.old = true
	plain := w.migrate(&articleV1{})
	require.NoError(t, plain.Create(&[]articleV1{{1, "a", 1}, {2, "b", 2}}).Error)
	v1 := w.cached()
	v1.warm(t, func(db *gorm.DB) {
		require.NoError(t, db.First(&articleV1{}, 1).Error)
		require.NoError(t, db.Order("id").Find(&[]articleV1{}).Error)
	})
	require.NoError(t, plain.Exec("ALTER TABLE articles ADD subtitle text DEFAULT 'none'").Error)
	agreesFromCache(t, w.plain(), w.cached(), "new", func(db *gorm.DB) any {
		var one articleV2
		var all []articleV2
		require.NoError(t, db.First(&one, 1).Error)
		require.NoError(t, db.Order("id").Find(&all).Error)
		require.Equal(t, "none", one.Subtitle)
		return []any{one, all}
	})
}

// Of two rows that are looked up together one was stored before a column was changed without the plugin, which the process
// does not know yet: the answer has one shape all the same.
func TestRowsOfOneAnswerHaveTheSameColumns(t *testing.T) {
	t.Parallel()
	rows := func(t *testing.T, db *gorm.DB, ids ...int) any {
		t.Helper()
		var m []map[string]any
		require.NoError(t, db.Table("articles").Where("id IN ?", ids).Order("id").Find(&m).Error)
		return printed(m)
	}
	for what, change := range map[string]string{
		"is added": "ALTER TABLE articles ADD added text DEFAULT 'none'", "has another type": "ALTER TABLE articles ALTER price TYPE text",
	} {
		for name, stored := range map[string]int{"first": 1, "second": 2} {
			t.Run("a column "+what+", the "+name+" is stored", func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.old = true
				plain := w.migrate(&articleV1{})
				require.NoError(t, plain.Create(&[]articleV1{{1, "a", 1}, {2, "b", 2}, {3, "c", 3}, {4, "d", 4}}).Error)
				h := w.cached()
				// By three keys: PostgreSQL refuses a statement that was prepared before its columns have changed.
				h.warm(t, func(db *gorm.DB) { rows(t, db, stored, 3, 4) })
				require.NoError(t, plain.Exec(change).Error)
				require.Equal(t, rows(t, w.plain().DB, 1, 2), rows(t, h.DB, 1, 2))
			})
		}
	}
}
