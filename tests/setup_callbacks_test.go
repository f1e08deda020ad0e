package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// replacement is an application's own handler in the place of one of GORM's.
type replacement struct {
	name    string
	replace func(*gorm.DB) error
	write   func(*gorm.DB) error // what runs it
}

func replacements() []replacement {
	update := callbacks.Update(&callbacks.Config{UpdateClauses: []string{"UPDATE", "SET", "FROM", "WHERE", "RETURNING"}})
	create := callbacks.Create(&callbacks.Config{CreateClauses: []string{"INSERT", "VALUES", "ON CONFLICT", "RETURNING"}})
	remove := callbacks.Delete(&callbacks.Config{DeleteClauses: []string{"DELETE", "FROM", "WHERE", "RETURNING"}})
	return []replacement{
		{
			"create", func(db *gorm.DB) error { return db.Callback().Create().Replace("gorm:create", create) },
			func(db *gorm.DB) error { return db.Create(&ware{ID: 12, Grp: 1}).Error },
		},
		{
			"create of a key that the database makes",
			func(db *gorm.DB) error { return db.Callback().Create().Replace("gorm:create", create) },
			func(db *gorm.DB) error { r := stickerOf(1); return db.Create(&r).Error },
		},
		{
			"update", func(db *gorm.DB) error { return db.Callback().Update().Replace("gorm:update", update) },
			func(db *gorm.DB) error { return db.Model(&ware{ID: 10}).Update("name", "new").Error },
		},
		{
			"update in a transaction", func(db *gorm.DB) error { return db.Callback().Update().Replace("gorm:update", update) },
			func(db *gorm.DB) error {
				return db.Transaction(func(tx *gorm.DB) error { return tx.Model(&ware{ID: 10}).Update("name", "new").Error })
			},
		},
		{
			"update without default transaction",
			func(db *gorm.DB) error { return db.Callback().Update().Replace("gorm:update", update) },
			func(db *gorm.DB) error {
				return db.Session(&gorm.Session{SkipDefaultTransaction: true}).Model(&ware{ID: 10}).Update("name", "new").Error
			},
		},
		{
			"delete", func(db *gorm.DB) error { return db.Callback().Delete().Replace("gorm:delete", remove) },
			func(db *gorm.DB) error { return db.Delete(&ware{}, 10).Error },
		},
		{
			"raw", func(db *gorm.DB) error { return db.Callback().Raw().Replace("gorm:raw", callbacks.RawExec) },
			func(db *gorm.DB) error { return db.Exec("UPDATE wares SET name = 'new' WHERE id = 10").Error },
		},
		{
			"query and row", func(db *gorm.DB) error {
				if err := db.Callback().Query().Replace("gorm:query", callbacks.Query); err != nil {
					return err
				}
				return db.Callback().Row().Replace("gorm:row", callbacks.RowQuery)
			},
			func(db *gorm.DB) error {
				// A statement that writes and returns rows is run by the handler of queries.
				return db.Raw("UPDATE wares SET name = 'new' WHERE id = 10 RETURNING id").Scan(new(int)).Error
			},
		},
	}
}

// An application that puts a handler of its own in the place of GORM's, before Use or after it, never reads anything
// old, nor makes others read it.
func TestReplacedHandlersAreNeverStale(t *testing.T) {
	t.Parallel()
	for _, r := range replacements() {
		for when, before := range map[string]bool{"before Use": true, "after Use": false} {
			t.Run(r.name+", "+when, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				plain := w.wares(1)
				h, reader := w.plain(), w.cached()
				if before {
					require.NoError(t, r.replace(h.DB))
				}
				w.use(h)
				if !before {
					require.NoError(t, r.replace(h.DB))
				}
				for range 2 {
					want := look(t, plain.DB, 1)
					require.Equal(t, want, look(t, h.DB, 1))
					reader.warmView(t, 1, want)
				}
				require.NoError(t, r.write(h.DB))
				want := look(t, plain.DB, 1)
				require.Equal(t, want, look(t, reader.DB, 1))
				require.Equal(t, want, look(t, h.DB, 1))
				reader.warmView(t, 1, want)
			})
		}
	}
}

// The application's own callbacks run in the places that they asked for, once for each statement, and find the
// statement as without the plugin: with its SQL, and with GORM's own pool.
func TestCallbacksOfTheApplication(t *testing.T) {
	t.Parallel()
	for when, before := range map[string]bool{"before Use": true, "after Use": false} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.wares(1)
			h := w.plain()
			var order, want []string
			register := func(db *gorm.DB, order *[]string) {
				note := func(what string) func(*gorm.DB) {
					return func(tx *gorm.DB) {
						*order = append(*order, what+" "+tx.Statement.SQL.String()+" "+typeOf(tx.Statement.ConnPool))
					}
				}
				cb := db.Callback()
				require.NoError(t, cb.Query().Before("gorm:query").Register("app:before_query", note("before query")))
				require.NoError(t, cb.Query().After("gorm:query").Register("app:after_query", note("after query")))
				require.NoError(t, cb.Query().After("gorm:after_query").Register("app:end_query", note("end query")))
				require.NoError(t, cb.Row().Before("gorm:row").Register("app:before_row", note("before row")))
				require.NoError(t, cb.Row().After("gorm:row").Register("app:after_row", note("after row")))
				require.NoError(t, cb.Update().Before("gorm:update").Register("app:before_update", note("before update")))
				require.NoError(t, cb.Update().After("gorm:update").Register("app:after_update", note("after update")))
				require.NoError(t, cb.Create().Before("gorm:create").Register("app:before_create", note("before create")))
				require.NoError(t, cb.Create().After("gorm:create").Register("app:after_create", note("after create")))
				require.NoError(t, cb.Raw().After("gorm:raw").Register("app:after_raw", note("after raw")))
			}
			register(plain.DB, &want)
			if before {
				register(h.DB, &order)
			}
			w.use(h)
			if !before {
				register(h.DB, &order)
			}
			for range 3 {
				order, want = nil, nil
				look(t, h.DB, 1)
				look(t, plain.DB, 1)
				require.Equal(t, want, order)
			}
			order, want = nil, nil
			for _, db := range []*gorm.DB{plain.DB, h.DB} {
				require.NoError(t, db.Model(&ware{ID: 10}).Update("name", typeOf(db)).Error)
				require.NoError(t, db.Exec("DELETE FROM stickers").Error)
				require.NoError(t, db.Create(&sticker{WareID: 10}).Error)
				require.NoError(t, db.Transaction(func(tx *gorm.DB) error { return tx.Find(&[]ware{}).Error }))
			}
			require.Equal(t, want, order)
		})
	}
}

// A callback of the application that writes, by way of the statement's own handle, is a write like any other.
func TestCallbackThatWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.wares(1)
	h, reader := w.cached(), w.cached()
	require.NoError(t, h.Callback().Update().After("gorm:update").Register("app:audit", func(tx *gorm.DB) {
		_ = tx.AddError(tx.Session(&gorm.Session{NewDB: true}).Create(&sticker{WareID: 10, Text: "audit"}).Error)
	}))
	reader.warmView(t, 1, look(t, plain.DB, 1))
	require.NoError(t, h.Model(&ware{ID: 11}).Update("name", "new").Error)
	want := look(t, plain.DB, 1)
	require.Len(t, want.Labels, 1)
	require.Equal(t, want, look(t, reader.DB, 1))
	reader.warmView(t, 1, want)
	require.Error(t, h.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Model(&ware{ID: 11}).Update("name", "newer").Error)
		return errWay
	}))
	reader.requireHits(t, 1, want)
}

// A callback of the application that answers a query itself is let.
func TestCallbackThatFailsOrSkips(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wares(1)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { look(t, db, 1) })
	require.NoError(t, h.Callback().Query().Before("gorm:query").Register("app:refuse", func(tx *gorm.DB) {
		if tx.Statement.Table == "wares" {
			_ = tx.AddError(errWay)
		}
	}))
	var got []ware
	require.ErrorIs(t, h.Find(&got).Error, errWay)
	require.Empty(t, got)
	require.NoError(t, h.Callback().Query().Remove("app:refuse"))
	e := h.log.read(t, func() { require.NoError(t, h.First(&ware{}, 10).Error) })
	require.Equal(t, metrics.Hit, e.Outcome)
}
