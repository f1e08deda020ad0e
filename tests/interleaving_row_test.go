package tests_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Rows that come, go, and come back under the same key; each step by another process, with the answers stored in
// between, in every way that a program may write it.
func TestRowsThatComeAndGo(t *testing.T) {
	t.Parallel()
	create := map[string]func(*gorm.DB, string) error{
		"create": func(db *gorm.DB, s string) error { return db.Create(&member{ID: 7, Name: s}).Error },
		"batch": func(db *gorm.DB, s string) error {
			db.Unscoped().Delete(&member{}, -7)
			return db.CreateInBatches(&[]member{{ID: 7, Name: s}, {ID: -7, Name: s}}, 1).Error
		},
		"map": func(db *gorm.DB, s string) error {
			return db.Model(&member{}).Create(map[string]any{"id": 7, "name": s}).Error
		},
		"autocommit": func(db *gorm.DB, s string) error {
			return db.Session(&gorm.Session{SkipDefaultTransaction: true}).Create(&member{ID: 7, Name: s}).Error
		},
		"upsert": func(db *gorm.DB, s string) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&member{ID: 7, Name: s}).Error
		},
		"save": func(db *gorm.DB, s string) error { return db.Save(&member{ID: 7, Name: s}).Error },
		"first or create": func(db *gorm.DB, s string) error {
			return db.Unscoped().FirstOrCreate(&member{}, member{ID: 7, Name: s}).Error
		},
		"text": func(db *gorm.DB, s string) error {
			return db.Exec("INSERT INTO members (id, name) VALUES (7, ?)", s).Error
		},
		"text returning": func(db *gorm.DB, s string) error {
			return db.Raw("INSERT INTO members (id, name) VALUES (3 + 4, ?) RETURNING id", s).Scan(new(int)).Error
		},
		"select": func(db *gorm.DB, s string) error {
			return db.Exec("INSERT INTO members (id, name) SELECT 7, ?", s).Error
		},
		"renumbering": func(db *gorm.DB, s string) error {
			return db.Exec("UPDATE members SET id = 7, name = ? WHERE id = (SELECT max(id) FROM members)", s).Error
		},
		"transaction": func(db *gorm.DB, s string) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Exec("INSERT INTO members (id, name) VALUES (?, ?)", 7, s).Error })
		},
	}
	remove := map[string]func(*gorm.DB) error{
		"delete":    func(db *gorm.DB) error { return db.Unscoped().Delete(&member{}, 7).Error },
		"condition": func(db *gorm.DB) error { return db.Unscoped().Where("id > ?", 6).Delete(&member{}).Error },
		"text":      func(db *gorm.DB) error { return db.Exec("DELETE FROM members WHERE id = 7").Error },
		"returning": func(db *gorm.DB) error {
			return db.Unscoped().Clauses(clause.Returning{}).Delete(&[]member{}, "id = 7").Error
		},
		"renumber": func(db *gorm.DB) error {
			return db.Exec("UPDATE members SET id = (SELECT min(id) - 10 FROM members) WHERE id = ?", 7).Error
		},
	}
	names := func(db *gorm.DB) any {
		var one, where, in, slice []member
		var absent member
		var n int64
		err := db.First(&absent, 7).Error
		db.Unscoped().Find(&one, 7)
		db.Where("id = ? AND name <> ?", 7, "").Find(&where)
		db.Order("id").Find(&in, []int{1, 7})
		db.Order("id DESC").Limit(2).Find(&slice)
		db.Model(&member{}).Where("id = ?", 7).Count(&n)
		return fmt.Sprint(err, absent, one, where, in, slice, n)
	}
	for c, create := range create {
		t.Run(c, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.members(5)
			h, writer := w.cached(), w.cached()
			for r, remove := range remove {
				for i := range 2 {
					h.warm(t, func(db *gorm.DB) { names(db) })
					require.NoError(t, create(writer.DB, fmt.Sprint(r, i)), r)
					agrees(t, plain, h, c, names)
					agrees(t, plain, writer, c, names)
					h.warm(t, func(db *gorm.DB) { names(db) })
					require.NoError(t, remove(writer.DB), r)
					agrees(t, plain, h, r, names)
					agrees(t, plain, writer, r, names)
				}
			}
		})
	}
}

type shelf struct {
	ID    int
	Name  string
	Books []volume `gorm:"foreignKey:ShelfID"`
	Lent  []volume `gorm:"many2many:shelf_lent"`
}

type volume struct {
	ID      int
	ShelfID *int
	Shelf   *shelf
	Title   string
}

// Parents and children are stored each by itself, and a write to either is seen, whatever was loaded with it.
func TestPreloadAcrossWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&shelf{}, &volume{})
	one := 1
	require.NoError(t, plain.Create(&[]shelf{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}}).Error)
	require.NoError(t, plain.Create(&[]volume{{1, &one, nil, "x"}, {2, &one, nil, "y"}, {3, nil, nil, "z"}}).Error)
	h, writer := w.cached(), w.cached()
	reads := map[string]func(*gorm.DB) any{
		"bare": func(db *gorm.DB) any { var s []shelf; db.Order("id").Find(&s); return s },
		"preload": func(db *gorm.DB) any {
			var s []shelf
			db.Preload("Books", func(db *gorm.DB) *gorm.DB { return db.Order("id") }).Preload("Lent").Order("id").Find(&s)
			return s
		},
		"one":   func(db *gorm.DB) any { var s shelf; db.Preload("Books", "title <> ?", "y").First(&s, 1); return s },
		"joins": func(db *gorm.DB) any { var v []volume; db.Joins("Shelf").Order("volumes.id").Find(&v); return v },
		"parent": func(db *gorm.DB) any {
			var v []volume
			db.Preload("Shelf.Books", func(db *gorm.DB) *gorm.DB { return db.Order("id") }).Order("id").Find(&v)
			return v
		},
		"association": func(db *gorm.DB) any {
			var v []volume
			err := db.Model(&shelf{ID: 1}).Order("volumes.id").Association("Books").Find(&v)
			return fmt.Sprint(len(v), err, db.Model(&shelf{ID: 1}).Association("Lent").Count())
		},
	}
	two := 2
	for i, write := range []func(*gorm.DB) error{
		func(*gorm.DB) error { return nil },
		func(db *gorm.DB) error { return db.Model(&volume{ID: 1}).Update("title", "changed").Error },
		func(db *gorm.DB) error { return db.Model(&shelf{ID: 1}).Update("name", "changed").Error },
		func(db *gorm.DB) error { return db.Model(&volume{ID: 2}).Update("shelf_id", &two).Error },
		func(db *gorm.DB) error { return db.Create(&volume{ID: 4, ShelfID: &one, Title: "new"}).Error },
		func(db *gorm.DB) error {
			return db.Model(&shelf{ID: 1}).Association("Books").Append(&volume{ID: 5, Title: "appended"})
		},
		func(db *gorm.DB) error {
			return db.Model(&shelf{ID: 1}).Association("Lent").Append(&[]volume{{ID: 3}, {ID: 4}})
		},
		func(db *gorm.DB) error {
			return db.Model(&shelf{ID: 1}).Association("Lent").Replace(&[]volume{{ID: 1}})
		},
		func(db *gorm.DB) error { return db.Model(&shelf{ID: 1}).Association("Lent").Clear() },
		func(db *gorm.DB) error { return db.Model(&shelf{ID: 1}).Association("Books").Delete(&volume{ID: 5}) },
		func(db *gorm.DB) error {
			return db.Session(&gorm.Session{FullSaveAssociations: true}).
				Save(&shelf{ID: 2, Name: "saved", Books: []volume{{ID: 2, Title: "saved too"}}}).Error
		},
		func(db *gorm.DB) error { return db.Delete(&volume{}, 4).Error },
		func(db *gorm.DB) error { return db.Select("Books", "Lent").Delete(&shelf{ID: 1}).Error },
	} {
		for _, read := range reads {
			h.warm(t, func(db *gorm.DB) { read(db) })
		}
		require.NoError(t, write(writer.DB), "write %d", i)
		for name, read := range reads {
			for _, reader := range []*handle{h, writer} {
				for range 2 {
					require.Equal(t, jsonOf(t, read(plain.DB)), jsonOf(t, read(reader.DB)), "%s after write %d", name, i)
				}
			}
		}
	}
}

// A parent that was read before a write, and its children after it: as without a cache, but never the other way round
// in the next read.
func TestWriteBetweenParentAndChildren(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&shelf{}, &volume{})
	one := 1
	require.NoError(t, plain.Create(&shelf{ID: 1, Name: "old"}).Error)
	require.NoError(t, plain.Create(&volume{ID: 1, ShelfID: &one, Title: "old"}).Error)
	reader, g := w.gated()
	writer := w.cached()
	read := func(db *gorm.DB) string {
		var s shelf
		require.NoError(t, db.Preload("Books").First(&s, 1).Error)
		return s.Name + " " + s.Books[0].Title
	}
	for i, moment := range []string{afterLoad, beforeMint, afterMint, beforePut} {
		old, next := strconv.Itoa(i), strconv.Itoa(i+1)
		set := func(s string) {
			require.NoError(t, writer.Transaction(func(tx *gorm.DB) error {
				require.NoError(t, tx.Model(&shelf{ID: 1}).Update("name", s).Error)
				return tx.Model(&volume{ID: 1}).Update("title", s).Error
			}))
		}
		set(old)
		held := g.hold(t, moment)
		var between string
		wait := async(t, func() { between = read(reader.DB) })
		held.await()
		set(next)
		held.resume()
		wait()
		require.Contains(t, []string{old + " " + old, old + " " + next, next + " " + next}, between)
		for range 3 {
			require.Equal(t, next+" "+next, read(reader.DB))
		}
	}
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
