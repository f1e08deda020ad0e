package tests_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/gorm-rediscache/rediscache"
)

// touched is a model whose hooks look at the pool that they get.
type touched struct {
	ID    int
	Name  string
	pools []gorm.ConnPool
}

func (h *touched) BeforeSave(tx *gorm.DB) error {
	h.pools = append(h.pools, tx.Statement.ConnPool)
	return nil
}

func (h *touched) AfterSave(tx *gorm.DB) error {
	h.pools = append(h.pools, tx.Statement.ConnPool)
	return nil
}

func (h *touched) AfterFind(tx *gorm.DB) error {
	h.pools = append(h.pools, tx.Statement.ConnPool)
	return nil
}

// Programs look for the types that GORM has in ConnPool: to get at a *sql.Tx, or to find out whether they are in a
// transaction.
func TestProgramsFindTheTypesOfGORM(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.migrate(&touched{})
	h := w.cached()
	require.IsType(t, &sql.DB{}, h.ConnPool)
	require.IsType(t, &sql.DB{}, h.Statement.ConnPool)
	require.IsType(t, &sql.DB{}, h.Session(&gorm.Session{}).Statement.ConnPool)
	row := touched{Name: "a"}
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
		own, ok := tx.Statement.ConnPool.(*sql.Tx)
		require.True(t, ok)
		require.NoError(t, tx.Create(&row).Error)
		require.Same(t, own, tx.Statement.ConnPool)
		require.NoError(t, tx.First(&touched{}, row.ID).Error)
		require.Same(t, own, tx.Statement.ConnPool)
		_, err := own.ExecContext(t.Context(), "SELECT 1")
		return err
	}))
	require.Len(t, row.pools, 2)
	for _, pool := range row.pools {
		require.IsType(t, &sql.Tx{}, pool)
	}
	var read touched
	h.warm(t, func(db *gorm.DB) { read = touched{}; require.NoError(t, db.First(&read, row.ID).Error) })
	require.Len(t, read.pools, 1)
	require.IsType(t, &sql.DB{}, read.pools[0])

	tx := w.cached(withGORM(func(c *gorm.Config) { c.PrepareStmt = true })).Begin()
	require.IsType(t, &gorm.PreparedStmtTX{}, tx.Statement.ConnPool)
	require.NoError(t, tx.Rollback().Error)
	require.NoError(t, h.Connection(func(tx *gorm.DB) error {
		require.IsType(t, &sql.Conn{}, tx.Statement.ConnPool)
		require.NoError(t, tx.Save(&touched{ID: row.ID, Name: "b"}).Error)
		require.IsType(t, &sql.Conn{}, tx.Statement.ConnPool)
		return nil
	}))
}

// The statement gets its own pool back after each of GORM's handlers, whatever became of it.
func TestPoolIsGivenBackAfterFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.migrate(&touched{})
	for _, s := range setUps() {
		h := s.open(w)
		require.NoError(t, h.Create(&touched{Name: s.name}).Error)
		for _, fails := range []func(*gorm.DB) *gorm.DB{
			func(db *gorm.DB) *gorm.DB { return db.First(&touched{}, -1) },
			func(db *gorm.DB) *gorm.DB { return db.Where("nothing = 1").Find(&[]touched{}) },
			func(db *gorm.DB) *gorm.DB { return db.Exec("nonsense") },
			func(db *gorm.DB) *gorm.DB { return db.Raw("nonsense").Scan(new(int)) },
			func(db *gorm.DB) *gorm.DB { return db.Model(&touched{}).Where("id = 1").Update("nothing", 1) },
			func(db *gorm.DB) *gorm.DB {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				return db.WithContext(ctx).Find(&[]touched{})
			},
		} {
			tx := fails(s.db(h))
			require.Error(t, tx.Error, s.name)
			require.NotContains(t, typeOf(tx.Statement.ConnPool), "shim", s.name)
		}
	}
}

// Sessions that the application made before Use have the plugin, too.
func TestSessionsMadeBeforeUse(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]option{
		"plain":    nil,
		"prepared": {withGORM(func(c *gorm.Config) { c.PrepareStmt = true })},
		"wrapped":  {withPlugin(func(c *rediscache.Config) { c.WrapConnPool = true })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.wares(1)
			h, reader := w.plain(options...), w.cached()
			session := h.Session(&gorm.Session{})
			named := h.Session(&gorm.Session{PrepareStmt: true})
			tx := h.Begin()
			w.use(h, options...)
			reader.warmView(t, 1, look(t, plain.DB, 1))
			for i, write := range []func() error{
				func() error { return session.Exec("UPDATE wares SET name = 'one' WHERE id = 10").Error },
				func() error { return session.Model(&ware{ID: 10}).Update("name", "two").Error },
				func() error { return named.Model(&ware{ID: 10}).Update("name", "three").Error },
				func() error {
					return session.Transaction(func(tx *gorm.DB) error { return tx.Save(&ware{ID: 10, Name: "four"}).Error })
				},
				func() error {
					if err := tx.Model(&ware{ID: 11}).Update("name", "five").Error; err != nil {
						return err
					}
					return tx.Commit().Error
				},
			} {
				require.NoError(t, write(), i)
				want := look(t, plain.DB, 1)
				require.Equal(t, want, look(t, reader.DB, 1), i)
				require.Equal(t, want, look(t, session, 1), i)
				reader.warmView(t, 1, want)
				h.warmView(t, 1, want)
			}
		})
	}
}

// dbresolver's choice of a source for Begin is observed as any other transaction.
func TestBeginOnASourceOfAResolver(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"before": true, "after": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.wares(1)
			h, reader := w.plain(), w.cached()
			r := w.resolver(dbresolver.Config{
				Sources: []gorm.Dialector{postgres.Open(w.dsn)}, Replicas: []gorm.Dialector{postgres.Open(w.dsn)},
			})
			if before {
				require.NoError(t, h.Use(r))
			}
			w.use(h)
			if !before {
				require.NoError(t, h.Use(r))
			}
			reader.warmView(t, 1, look(t, plain.DB, 1))
			for i, op := range []dbresolver.Operation{dbresolver.Write, dbresolver.Read} {
				tx := h.Clauses(op).Begin()
				require.NoError(t, tx.Error)
				require.IsType(t, &sql.Tx{}, tx.Statement.ConnPool)
				require.NoError(t, tx.Model(&ware{ID: 10}).Update("name", []string{"new", "newer"}[i]).Error)
				require.NoError(t, tx.Commit().Error)
				want := look(t, plain.DB, 1)
				require.Equal(t, want, look(t, reader.DB, 1))
				reader.warmView(t, 1, want)
				h.warmView(t, 1, want)
			}
		})
	}
}
