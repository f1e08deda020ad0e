package tests_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// What GORM tells of a read besides the rows: RowsAffected, the error, what is left of the destination.
func TestResultsOfReadsAreTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(5)
	require.NoError(t, plain.Delete(&member{}, 5).Error)
	h := w.cached()
	type dto struct {
		Name string
		N    int64
	}
	for name, read := range map[string]func(*gorm.DB) (*gorm.DB, any){
		"first":      func(db *gorm.DB) (*gorm.DB, any) { var m member; return db.First(&m, 1), m },
		"first none": func(db *gorm.DB) (*gorm.DB, any) { m := member{Name: "kept"}; return db.First(&m, 99), &m },
		"last":       func(db *gorm.DB) (*gorm.DB, any) { var m member; tx := db.Last(&m); return tx, m },
		"take": func(db *gorm.DB) (*gorm.DB, any) {
			var m member
			tx := db.Where("name = ?", "m3").Take(&m)
			return tx, m
		},
		"find one":           func(db *gorm.DB) (*gorm.DB, any) { var m member; tx := db.Find(&m, 2); return tx, m },
		"find one of many":   func(db *gorm.DB) (*gorm.DB, any) { var m member; tx := db.Order("id DESC").Find(&m); return tx, m },
		"find none into one": func(db *gorm.DB) (*gorm.DB, any) { m := member{Name: "kept"}; tx := db.Find(&m, 99); return tx, m },
		"find into non-empty": func(db *gorm.DB) (*gorm.DB, any) {
			m := []member{{ID: 9, Age: 1}, {}, {}, {}, {}, {}, {}}
			tx := db.Order("id").Find(&m)
			return tx, m
		},
		"find none": func(db *gorm.DB) (*gorm.DB, any) { m := []member{{ID: 1}}; tx := db.Find(&m, 99); return tx, m },
		"find array": func(db *gorm.DB) (*gorm.DB, any) {
			var m [3]member
			tx := db.Order("id").Limit(3).Find(&m)
			return tx, m
		},
		"find array too short": func(db *gorm.DB) (*gorm.DB, any) { var m [2]member; tx := db.Order("id").Find(&m); return tx, m },
		"key set":              func(db *gorm.DB) (*gorm.DB, any) { m := member{ID: 3}; tx := db.First(&m); return tx, m },
		"key and condition": func(db *gorm.DB) (*gorm.DB, any) {
			m := member{ID: 3}
			tx := db.First(&m, "name = ?", "m1")
			return tx, m
		},
		"key set, other asked": func(db *gorm.DB) (*gorm.DB, any) { m := member{ID: 3}; tx := db.First(&m, 1); return tx, m },
		"ids twice": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Order("id").Find(&m, []int{2, 2, 1, 99})
			return tx, m
		},
		"no ids": func(db *gorm.DB) (*gorm.DB, any) { var m []member; tx := db.Find(&m, []int{}); return tx, m },
		"IN no ids": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Where("id IN ?", []int{}).Find(&m)
			return tx, m
		},
		"limit 0":         func(db *gorm.DB) (*gorm.DB, any) { var m []member; tx := db.Limit(0).Find(&m); return tx, m },
		"limit 0, one id": func(db *gorm.DB) (*gorm.DB, any) { var m []member; tx := db.Limit(0).Find(&m, 1); return tx, m },
		"limit -1": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Limit(-1).Order("id").Find(&m)
			return tx, m
		},
		"offset": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Order("id").Offset(2).Limit(1).Find(&m)
			return tx, m
		},
		"offset of one": func(db *gorm.DB) (*gorm.DB, any) { var m []member; tx := db.Offset(1).Find(&m, 1); return tx, m },
		"count":         func(db *gorm.DB) (*gorm.DB, any) { var n int64; tx := db.Model(&member{}).Count(&n); return tx, n },
		"count distinct": func(db *gorm.DB) (*gorm.DB, any) {
			var n int64
			tx := db.Model(&member{}).Distinct("age").Count(&n)
			return tx, n
		},
		"count groups": func(db *gorm.DB) (*gorm.DB, any) {
			var n int64
			tx := db.Model(&member{}).Group("age").Count(&n)
			return tx, n
		},
		"count limit": func(db *gorm.DB) (*gorm.DB, any) {
			var n int64
			tx := db.Model(&member{}).Limit(1).Count(&n)
			return tx, n
		},
		"pluck": func(db *gorm.DB) (*gorm.DB, any) {
			var s []string
			tx := db.Model(&member{}).Order("id").Pluck("name", &s)
			return tx, s
		},
		"pluck typed": func(db *gorm.DB) (*gorm.DB, any) {
			var s []uint16
			tx := db.Model(&member{}).Order("id").Pluck("age", &s)
			return tx, s
		},
		"pluck none": func(db *gorm.DB) (*gorm.DB, any) {
			s := []int{1}
			tx := db.Model(&member{}).Where("id = 99").Pluck("age", &s)
			return tx, s
		},
		"pluck wrong type": func(db *gorm.DB) (*gorm.DB, any) {
			var s []int
			tx := db.Model(&member{}).Order("id").Pluck("name", &s)
			return tx, s
		},
		"scan dto": func(db *gorm.DB) (*gorm.DB, any) {
			var d []dto
			tx := db.Model(&member{}).Select("name, age + 1 AS n").Order("id").Scan(&d)
			return tx, d
		},
		"scan one dto": func(db *gorm.DB) (*gorm.DB, any) {
			d := dto{"kept", 1}
			tx := db.Raw("SELECT age AS n FROM members WHERE id = 2").Scan(&d)
			return tx, d
		},
		"scan scalar": func(db *gorm.DB) (*gorm.DB, any) {
			var n int
			tx := db.Raw("SELECT sum(age) FROM members").Scan(&n)
			return tx, n
		},
		"scan nothing": func(db *gorm.DB) (*gorm.DB, any) {
			n := 7
			tx := db.Raw("SELECT age FROM members WHERE id = 99").Scan(&n)
			return tx, n
		},
		"scan NULL": func(db *gorm.DB) (*gorm.DB, any) {
			n := 7
			tx := db.Raw("SELECT max(age) FROM members WHERE id = 99").Scan(&n)
			return tx, n
		},
		"scan wrong type": func(db *gorm.DB) (*gorm.DB, any) {
			var n int
			tx := db.Raw("SELECT name FROM members WHERE id = 1").Scan(&n)
			return tx, n
		},
		"scopes": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Scopes(func(db *gorm.DB) *gorm.DB { return db.Where("age > ?", 21) }).Order("id").Find(&m)
			return tx, m
		},
		"or init": func(db *gorm.DB) (*gorm.DB, any) {
			var m member
			tx := db.Where(member{Name: "m1"}).Attrs(member{Age: 99}).FirstOrInit(&m)
			return tx, m
		},
		"or init none": func(db *gorm.DB) (*gorm.DB, any) {
			var m member
			tx := db.Where(member{Name: "?"}).Attrs(member{Age: 99}).FirstOrInit(&m)
			return tx, m
		},
		"or create found": func(db *gorm.DB) (*gorm.DB, any) {
			var m member
			tx := db.Where(member{Name: "m2"}).Attrs(member{Age: 99}).FirstOrCreate(&m)
			return tx, m
		},
		"division by zero": func(db *gorm.DB) (*gorm.DB, any) {
			var n []int
			tx := db.Raw("SELECT 1 / (age - 22) FROM members ORDER BY id").Scan(&n)
			return tx, n
		},
		"no such column": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Where("nothing = 1").Find(&m)
			return tx, m
		},
		"no such table": func(db *gorm.DB) (*gorm.DB, any) { var m []member; tx := db.Table("nothing").Find(&m); return tx, m },
		"syntax":        func(db *gorm.DB) (*gorm.DB, any) { var m []member; tx := db.Where("id = = 1").Find(&m); return tx, m },
		"two statements": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Raw("SELECT * FROM members; SELECT 1").Scan(&m)
			return tx, m
		},
		"missing argument": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Raw("SELECT * FROM members WHERE id = $1").Scan(&m)
			return tx, m
		},
		"columns fewer": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Select("id").Order("id").Find(&m)
			return tx, m
		},
		"columns more": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Select("*, 1 AS more").Order("id").Find(&m)
			return tx, m
		},
		"distinct": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Distinct("age", "name").Order("age").Find(&m)
			return tx, m
		},
		"having": func(db *gorm.DB) (*gorm.DB, any) {
			var d []dto
			tx := db.Model(&member{}).Select("name, count(*) AS n").Group("name").Having("count(*) > ?", 0).Order("name").Find(&d)
			return tx, d
		},
		"unscoped": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Unscoped().Order("id").Find(&m)
			return tx, len(m)
		},
		"deleted": func(db *gorm.DB) (*gorm.DB, any) { var m member; tx := db.First(&m, 5); return tx, m },
		"subquery": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Where("id IN (?)", db.Model(&member{}).Select("max(id)")).Find(&m)
			return tx, m
		},
		"failed before": func(db *gorm.DB) (*gorm.DB, any) {
			var m member
			tx := db.Session(&gorm.Session{})
			_ = tx.AddError(errHook)
			tx = tx.First(&m, 1)
			return tx, m
		},
		"query fields": func(db *gorm.DB) (*gorm.DB, any) {
			var m member
			tx := db.Session(&gorm.Session{QueryFields: true}).First(&m, 1)
			return tx, m
		},
		"full condition": func(db *gorm.DB) (*gorm.DB, any) {
			var m []member
			tx := db.Where(&member{Name: "m1", Age: 20}).Find(&m)
			return tx, m
		},
	} {
		agrees(t, plain, h, name, func(db *gorm.DB) any {
			tx, got := read(db)
			return fmt.Sprintf("%d rows, error %v, %#v", tx.RowsAffected, tx.Error, got)
		})
	}
}

func TestBatchesAndCursorsAreTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(7)
	h := w.cached()
	agrees(t, plain, h, "batches", func(db *gorm.DB) any {
		var all []string
		var m []member
		tx := db.FindInBatches(&m, 3, func(tx *gorm.DB, batch int) error {
			all = append(all, fmt.Sprint(batch, tx.RowsAffected, m))
			return nil
		})
		return fmt.Sprint(tx.Error, tx.RowsAffected, all)
	})
	agrees(t, plain, h, "batches that change what they read", func(db *gorm.DB) any {
		var m []member
		seen := 0
		tx := db.Where("age < ?", 1000).FindInBatches(&m, 2, func(tx *gorm.DB, _ int) error {
			for i := range m {
				m[i].Age++
			}
			seen += len(m)
			return tx.Save(&m).Error
		})
		return fmt.Sprint(tx.Error, tx.RowsAffected, seen)
	})
	agrees(t, plain, h, "rows", func(db *gorm.DB) any {
		rows, err := db.Model(&member{}).Order("id").Rows()
		require.NoError(t, err)
		defer func() { _ = rows.Close() }()
		var all []any
		for rows.Next() {
			var m member
			require.NoError(t, db.ScanRows(rows, &m))
			all = append(all, m.Name, m.ID)
		}
		return fmt.Sprint(all, rows.Err())
	})
	agrees(t, plain, h, "row", func(db *gorm.DB) any {
		var name string
		err := db.Table("members").Where("id = ?", 2).Select("name").Row().Scan(&name)
		none := db.Table("members").Where("id = ?", 99).Select("name").Row().Scan(&name)
		return fmt.Sprint(name, err, none)
	})
}

// The other interface of GORM, by type parameters.
func TestGenericsAreTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(4)
	h := w.cached()
	for name, read := range map[string]func(gorm.Interface[member]) (any, error){
		"first": func(g gorm.Interface[member]) (any, error) { return g.Where("id = ?", 1).First(t.Context()) },
		"none":  func(g gorm.Interface[member]) (any, error) { return g.Where("id = ?", 99).First(t.Context()) },
		"take":  func(g gorm.Interface[member]) (any, error) { return g.Where("name = ?", "m2").Take(t.Context()) },
		"last":  func(g gorm.Interface[member]) (any, error) { return g.Last(t.Context()) },
		"find":  func(g gorm.Interface[member]) (any, error) { return g.Order("id").Find(t.Context()) },
		"count": func(g gorm.Interface[member]) (any, error) { return g.Count(t.Context(), "*") },
		"scan": func(g gorm.Interface[member]) (any, error) {
			var s []string
			err := g.Select("name").Order("id").Scan(t.Context(), &s)
			return s, err
		},
		"raw": func(g gorm.Interface[member]) (any, error) {
			return g.Raw("SELECT * FROM members WHERE age > ? ORDER BY id", 21).Find(t.Context())
		},
		"batches": func(g gorm.Interface[member]) (any, error) {
			var all []member
			err := g.Order("id").FindInBatches(t.Context(), 3, func(m []member, _ int) error { all = append(all, m...); return nil })
			return all, err
		},
	} {
		agrees(t, plain, h, name, func(db *gorm.DB) any {
			got, err := read(gorm.G[member](db))
			return fmt.Sprint(got, err)
		})
	}
	other := w.cached()
	_, err := gorm.G[member](other.DB).Where("id = ?", 1).Update(t.Context(), "name", "changed")
	require.NoError(t, err)
	require.Equal(t, "changed", nameOf(t, h.DB, 1))
	_, err = gorm.G[member](other.DB).Where("id = ?", 1).Delete(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, h.First(&member{}, 1).Error, gorm.ErrRecordNotFound)
	require.NoError(t, gorm.G[member](other.DB).Create(t.Context(), &member{ID: 50, Name: "new"}))
	require.Equal(t, "new", nameOf(t, h.DB, 50))
}

// A context that is over is told as the database's driver tells it, also if the answer is stored.
func TestContextThatIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(3)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	h.warm(t, func(db *gorm.DB) { db.Order("id").Find(&[]member{}) })
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(errHook)
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	for name, ctx := range map[string]context.Context{"canceled": canceled, "late": late} {
		agrees(t, plain, h, name, func(db *gorm.DB) any {
			var m member
			var all []member
			db = db.WithContext(ctx)
			return fmt.Sprint(db.First(&m, 1).Error, db.Order("id").Find(&all).Error, m, all, db.Raw("SELECT name FROM members").Scan(&m).Error)
		})
	}
	require.Equal(t, "m1", nameOf(t, h.DB, 1))
}
