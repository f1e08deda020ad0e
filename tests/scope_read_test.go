package tests_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// patron and bill are a parent and its children; a ribbon is joined to patrons by a table.
type patron struct {
	ID      int
	Email   string `gorm:"uniqueIndex"`
	Name    string
	Bills   []bill
	Ribbons []ribbon `gorm:"many2many:patron_ribbons"`
}

type bill struct {
	ID       int
	PatronID int `gorm:"index"`
	Amount   int
	Status   string
}

type ribbon struct {
	ID   int
	Text string
}

func (w *world) billed() *handle {
	w.t.Helper()
	h := w.migrate(&patron{}, &bill{}, &ribbon{})
	ribbons := []ribbon{{Text: "new"}, {Text: "good"}, {Text: "old"}}
	require.NoError(w.t, h.Create(&ribbons).Error)
	for i := 1; i <= 4; i++ {
		c := patron{Name: fmt.Sprintf("c%d", i), Email: fmt.Sprintf("c%d@x.org", i), Ribbons: ribbons[:i%3]}
		for j := range 3 {
			c.Bills = append(c.Bills, bill{Amount: 10*i + j, Status: "paid"})
		}
		require.NoError(w.t, h.Create(&c).Error)
	}
	return h
}

// billsOf are spellings of a query whose answer depends on the bills of one patron.
func billsOf(id int) map[string]func(*gorm.DB) error {
	return map[string]func(*gorm.DB) error{
		"text":   func(db *gorm.DB) error { return db.Where("patron_id = ?", id).Find(&[]bill{}).Error },
		"struct": func(db *gorm.DB) error { return db.Where(&bill{PatronID: id}).Find(&[]bill{}).Error },
		"map":    func(db *gorm.DB) error { return db.Where(map[string]any{"patron_id": id}).Find(&[]bill{}).Error },
		"clause": func(db *gorm.DB) error {
			return db.Clauses(clause.Eq{Column: "patron_id", Value: id}).Find(&[]bill{}).Error
		},
		"in": func(db *gorm.DB) error { return db.Where("patron_id IN ?", []int{id}).Find(&[]bill{}).Error },
		"limited": func(db *gorm.DB) error {
			return db.Where("patron_id = ?", id).Order("id DESC").Limit(2).Find(&[]bill{}).Error
		},
		"more":  func(db *gorm.DB) error { return db.Where("patron_id = ? AND amount > 5", id).Find(&[]bill{}).Error },
		"first": func(db *gorm.DB) error { return db.Where("patron_id = ?", id).Limit(1).Find(&bill{}).Error },
		"count": func(db *gorm.DB) error {
			return db.Model(&bill{}).Where("patron_id = ?", id).Count(new(int64)).Error
		},
		"sum": func(db *gorm.DB) error {
			return db.Model(&bill{}).Select("coalesce(sum(amount), 0)").Where("patron_id = ?", id).Scan(new(int64)).Error
		},
		"pluck": func(db *gorm.DB) error {
			return db.Model(&bill{}).Where("patron_id = ?", id).Order("id").Pluck("amount", &[]int{}).Error
		},
		"grouped": func(db *gorm.DB) error {
			return db.Model(&bill{}).Select("status, count(*)").Where("patron_id = ?", id).Group("status").
				Scan(&[]map[string]any{}).Error
		},
		"association": func(db *gorm.DB) error {
			return db.Model(&patron{ID: id}).Association("Bills").Find(&[]bill{})
		},
		"raw": func(db *gorm.DB) error {
			return db.Raw("SELECT amount FROM bills AS p WHERE p.patron_id = ?", id).Scan(&[]int{}).Error
		},
		"joined": func(db *gorm.DB) error {
			return db.Raw("SELECT p.* FROM bills p JOIN patrons c ON c.id = p.patron_id "+
				"WHERE p.patron_id = ? AND c.id = ?", id, id).Scan(&[]bill{}).Error
		},
		"generics": func(db *gorm.DB) error {
			_, err := gorm.G[bill](db).Where("patron_id = ?", id).Find(db.Statement.Context)
			return err
		},
	}
}

// A write to the bills of one patron unsettles what was asked of them, in every spelling, and nothing that was asked
// of another's.
func TestWriteUnsettlesItsOwnScopeOnly(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*gorm.DB) error{
		"create":      func(db *gorm.DB) error { return db.Create(&bill{PatronID: 1, Amount: 7}).Error },
		"create many": func(db *gorm.DB) error { return db.Create(&[]bill{{PatronID: 1}, {PatronID: 1}}).Error },
		"create map": func(db *gorm.DB) error {
			return db.Model(&bill{}).Create(map[string]any{"patron_id": 1, "amount": 3}).Error
		},
		"update by key": func(db *gorm.DB) error { return db.Model(&bill{ID: 1}).Update("amount", 77).Error },
		"update by scope": func(db *gorm.DB) error {
			return db.Model(&bill{}).Where("patron_id = 1").Update("amount", 5).Error
		},
		"save":            func(db *gorm.DB) error { return db.Save(&bill{ID: 1, PatronID: 1, Amount: 8}).Error },
		"delete by key":   func(db *gorm.DB) error { return db.Delete(&bill{}, 1).Error },
		"delete by scope": func(db *gorm.DB) error { return db.Where("patron_id = ?", 1).Delete(&bill{}).Error },
		"raw update": func(db *gorm.DB) error {
			return db.Exec("UPDATE bills SET amount = amount + 1 WHERE id = ?", 1).Error
		},
		"raw delete": func(db *gorm.DB) error { return db.Exec("DELETE FROM bills WHERE id = 1").Error },
		"raw insert": func(db *gorm.DB) error {
			return db.Exec("INSERT INTO bills (patron_id, amount, status) VALUES (1, 2, '')").Error
		},
		"returning all": func(db *gorm.DB) error {
			return db.Model(&bill{ID: 1}).Clauses(clause.Returning{}).Update("amount", 6).Error
		},
		"in one transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				if err := tx.Create(&bill{PatronID: 1}).Error; err != nil {
					return err
				}
				return tx.Model(&bill{ID: 2}).Update("amount", 66).Error
			})
		},
		"without a transaction": func(db *gorm.DB) error {
			db = db.Session(&gorm.Session{SkipDefaultTransaction: true})
			return db.Model(&bill{ID: 1}).Update("amount", 44).Error
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.billed()
			reader, writer := w.cached(), w.cached()
			for _, id := range []int{1, 2} {
				for _, read := range billsOf(id) {
					reader.warm(t, func(db *gorm.DB) { require.NoError(t, read(db)) })
				}
			}
			require.NoError(t, write(writer.DB))
			anew := map[string]bool{} // entries that several spellings share
			for _, id := range []int{1, 2} {
				for spelling, read := range billsOf(id) {
					e := reader.log.read(t, func() { require.NoError(t, read(reader.DB)) })
					hit := e.Outcome == metrics.Hit && !anew[e.Key]
					anew[e.Key] = anew[e.Key] || id == 1
					require.Equal(t, id == 2, hit, "%s of patron %d: %+v", spelling, id, e)
				}
			}
		})
	}
}

// A bill that moves unsettles both patrons.
func TestMovedRowUnsettlesTheOldAndTheNewScope(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*gorm.DB) error{
		"update": func(db *gorm.DB) error { return db.Model(&bill{ID: 1}).Update("patron_id", 2).Error },
		"save":   func(db *gorm.DB) error { return db.Save(&bill{ID: 1, PatronID: 2}).Error },
		"by scope": func(db *gorm.DB) error {
			return db.Model(&bill{}).Where("patron_id = 1").Update("patron_id", 2).Error
		},
		"raw": func(db *gorm.DB) error { return db.Exec("UPDATE bills SET patron_id = 2 WHERE id = 1").Error },
		"expression": func(db *gorm.DB) error {
			return db.Exec("UPDATE bills p SET patron_id = p.patron_id + 1 WHERE p.id = ?", 1).Error
		},
		"returning": func(db *gorm.DB) error {
			return db.Model(&bill{ID: 1}).Clauses(clause.Returning{}).Update("patron_id", 2).Error
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.billed()
			reader, writer := w.cached(), w.cached()
			for _, id := range []int{1, 2, 3} {
				reader.warm(t, func(db *gorm.DB) { require.NoError(t, billsOf(id)["text"](db)) })
			}
			require.NoError(t, write(writer.DB))
			for _, id := range []int{1, 2, 3} {
				e := reader.log.read(t, func() { require.NoError(t, billsOf(id)["text"](reader.DB)) })
				require.Equal(t, id == 3, e.Outcome == metrics.Hit, "patron %d: %+v", id, e)
			}
		})
	}
}

// A preload has one entry for each parent, and asks the database for those that are missing.
func TestPreloadIsServedParentByParent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	reader, writer := w.cached(), w.cached()
	load := func(db *gorm.DB) (all []patron) {
		require.NoError(t, db.Preload("Bills").Preload("Ribbons").Order("id").Find(&all).Error)
		return all
	}
	reader.warm(t, func(db *gorm.DB) { load(db) })
	require.Empty(t, reader.sql.during(func() { load(reader.DB) }))
	require.NoError(t, writer.Model(&bill{ID: 4}).Update("amount", 99).Error)
	sent := reader.sql.during(func() {
		all := load(reader.DB)
		require.Equal(t, 99, all[1].Bills[slices.IndexFunc(all[1].Bills, func(p bill) bool { return p.ID == 4 })].Amount)
	})
	require.Equal(t, []string{`SELECT * FROM "bills" WHERE "bills"."patron_id" IN ($1)`}, sent)
	require.NoError(t, writer.Model(&patron{ID: 3}).Association("Ribbons").Append(&ribbon{ID: 2}))
	require.Len(t, load(reader.DB)[2].Ribbons, 1)
}

// A unique column names one row.
func TestUniqueColumnNamesARow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	reader, writer := w.cached(), w.cached()
	by := func(email string) metrics.ReadEvent {
		return reader.log.read(t, func() {
			require.NoError(t, reader.Where("email = ?", email).First(&patron{}).Error)
		})
	}
	for _, email := range []string{"c1@x.org", "c2@x.org"} {
		reader.warm(t, func(db *gorm.DB) { require.NoError(t, db.Where("email = ?", email).First(&patron{}).Error) })
	}
	require.NoError(t, writer.Model(&patron{ID: 1}).Update("name", "other").Error)
	require.Equal(t, metrics.Hit, by("c2@x.org").Outcome)
	require.Equal(t, metrics.Miss, by("c1@x.org").Outcome)
	require.NoError(t, writer.Model(&patron{ID: 1}).Update("email", "c9@x.org").Error)
	require.ErrorIs(t, reader.Where("email = ?", "c1@x.org").First(&patron{}).Error, gorm.ErrRecordNotFound)
}

// A process that has written before, when nobody had asked by scope, hears of the scopes that others depend on since.
func TestWriterHearsOfScopesThatItDidNotKnow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	reader, writer := w.cached(), w.cached()
	require.NoError(t, writer.Model(&bill{ID: 1}).Update("amount", 5).Error)
	reader.warm(t, func(db *gorm.DB) { require.NoError(t, billsOf(1)["text"](db)) })
	tags := writer.log.wrote(func() { require.NoError(t, writer.Model(&bill{ID: 1}).Update("amount", 6).Error) })
	require.Contains(t, tags[0].Tags, "registry:bills")
	e := reader.log.read(t, func() { require.NoError(t, billsOf(1)["text"](reader.DB)) })
	require.Equal(t, metrics.Miss, e.Outcome)
	testkit.Eventually(t, "the writer knows the scope", func() bool {
		reader.warm(t, func(db *gorm.DB) { require.NoError(t, billsOf(1)["text"](db)) })
		tags = writer.log.wrote(func() { require.NoError(t, writer.Model(&bill{ID: 1}).Update("amount", 7).Error) })
		return slices.Contains(tags[0].Tags, "scope:bills:patron_id=1") && !slices.Contains(tags[0].Tags, "registry:bills")
	})
}

// A write whose rows cannot be told unsettles every scope.
func TestWriteOfUnknownRowsUnsettlesAllScopes(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]string{
		"an update by another column": "UPDATE bills SET amount = amount + 1 WHERE status = 'paid'",
		"INSERT … SELECT":             "INSERT INTO bills (patron_id, amount, status) SELECT id, 5, '' FROM patrons",
		"an upsert": "INSERT INTO bills (id, patron_id, amount, status) VALUES (1, 2, 3, ''), (4, 1, 3, '') " +
			"ON CONFLICT (id) DO UPDATE SET patron_id = excluded.patron_id",
		"TRUNCATE": "TRUNCATE bills",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.billed()
			reader, writer := w.cached(), w.cached()
			for _, id := range []int{1, 2} {
				reader.warm(t, func(db *gorm.DB) { require.NoError(t, billsOf(id)["text"](db)) })
			}
			require.NoError(t, writer.Exec(write).Error)
			for _, id := range []int{1, 2} {
				e := reader.log.read(t, func() { require.NoError(t, billsOf(id)["text"](reader.DB)) })
				require.NotEqual(t, metrics.Hit, e.Outcome)
			}
		})
	}
}

// In what order the rows of several scopes are shows in their values. Where those cannot be compared, the answer has one entry from
// then on, and is served as any other.
func TestScopesWhoseRowsCannotBePutInOrderAreOneAnswer(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, onSQLite())
	plain := w.billed()
	require.NoError(t, plain.Exec("UPDATE bills SET amount = amount + 0.5 WHERE id = 2").Error)
	h := w.cached()
	type split struct {
		ID     int
		Amount float64
	}
	read := func(db *gorm.DB) (found []split) {
		require.NoError(t, db.Table("bills").Where("patron_id IN ?", []int{1, 2}).Order("amount").Find(&found).Error)
		return found
	}
	want := read(plain.DB)
	h.warm(t, func(db *gorm.DB) { require.Equal(t, want, read(db)) })
	for range 3 {
		e := h.log.read(t, func() { require.Equal(t, want, read(h.DB)) })
		require.Equal(t, metrics.Hit, e.Outcome)
		require.Equal(t, metrics.List, e.Kind)
	}
	require.NoError(t, h.Model(&bill{ID: 1}).Update("amount", 99).Error)
	require.Equal(t, read(plain.DB), read(h.DB))
}
