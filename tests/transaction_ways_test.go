package tests_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

var errWay = errors.New("the application changes its mind")

// cell is one way of writing, on one set-up.
type cell struct {
	t      *testing.T
	grp    int
	id     int // of the first ware of the group
	setUp  setUp
	writer *handle
	db     *gorm.DB // of the writer
	// others are handles that read.
	readers []*handle
	before  view
}

// during looks while a transaction is open: it sees its own writes, nobody else does.
func (c *cell) during(tx *gorm.DB) {
	c.t.Helper()
	own := look(c.t, tx, c.grp)
	require.NotEqual(c.t, c.before, own, "the transaction does not see what it wrote")
	for _, h := range c.readers {
		require.Equal(c.t, c.before, look(c.t, h.DB, c.grp), "a write is seen before its commit")
	}
	require.Equal(c.t, own, look(c.t, tx, c.grp), "the transaction does not see what it wrote")
}

func (c *cell) update(db *gorm.DB) error {
	return db.Model(&ware{}).Where("id = ?", c.id).Update("name", "new").Error
}

func (c *cell) ctx() context.Context { return c.t.Context() }

// way is one way of writing. run changes something of the group; what becomes of it, changes says.
type way struct {
	name    string
	changes bool
	run     func(c *cell) error
	// err is what run returns.
	err error
	// pinned: it holds a connection, which dbresolver takes statements away from.
	pinned bool
}

// transactionWays are those of applications that say where a transaction begins and ends.
func transactionWays() []way {
	return []way{
		{name: "transaction", changes: true, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				err := c.update(tx)
				c.during(tx)
				return err
			})
		}},
		{name: "transaction of several", changes: true, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				require.NoError(c.t, tx.Create(&ware{ID: c.id + 2, Grp: c.grp}).Error)
				require.NoError(c.t, tx.Model(&ware{ID: c.id}).Association("Labels").Append(&sticker{Text: "a"}))
				require.NoError(c.t, tx.Exec("UPDATE wares SET name = 'new' WHERE grp = ?", c.grp).Error)
				require.NoError(c.t, tx.Raw("DELETE FROM wares WHERE id = ? RETURNING id", c.id+1).Scan(new(int)).Error)
				c.during(tx)
				return nil
			})
		}},
		{name: "transaction with an error", err: errWay, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				require.NoError(c.t, c.update(tx))
				c.during(tx)
				return errWay
			})
		}},
		{name: "transaction with a failed statement", run: func(c *cell) error {
			err := c.db.Transaction(func(tx *gorm.DB) error {
				require.NoError(c.t, c.update(tx))
				_ = tx.Exec("UPDATE wares SET nothing = 1")
				return nil
			})
			require.ErrorContains(c.t, err, "rollback") // COMMIT of an aborted transaction
			return nil
		}},
		{name: "transaction with a panic", run: func(c *cell) error {
			require.PanicsWithError(c.t, errWay.Error(), func() {
				_ = c.db.Transaction(func(tx *gorm.DB) error {
					require.NoError(c.t, c.update(tx))
					panic(errWay)
				})
			})
			return nil
		}},
		{name: "nested", changes: true, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				return tx.Transaction(func(tx *gorm.DB) error {
					err := c.update(tx)
					c.during(tx)
					return err
				})
			})
		}},
		{name: "nested, the inner rolled back", changes: true, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				require.NoError(c.t, c.update(tx))
				require.ErrorIs(c.t, tx.Transaction(func(tx *gorm.DB) error {
					require.NoError(c.t, tx.Delete(&ware{}, c.id+1).Error)
					return errWay
				}), errWay)
				c.during(tx)
				return nil
			})
		}},
		{name: "nested, only the inner writes and is rolled back", run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				require.ErrorIs(c.t, tx.Transaction(func(tx *gorm.DB) error {
					require.NoError(c.t, c.update(tx))
					c.during(tx)
					return errWay
				}), errWay)
				return nil
			})
		}},
		{name: "nested, the outer rolled back", err: errWay, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				require.NoError(c.t, tx.Transaction(func(tx *gorm.DB) error { return c.update(tx) }))
				c.during(tx)
				return errWay
			})
		}},
		{name: "nested without savepoints", changes: true, run: func(c *cell) error {
			db := c.db.Session(&gorm.Session{DisableNestedTransaction: true})
			return db.Transaction(func(tx *gorm.DB) error {
				return tx.Transaction(func(tx *gorm.DB) error { return c.update(tx) })
			})
		}},
		{name: "begin and commit", changes: true, run: func(c *cell) error {
			tx := c.db.Begin()
			require.NoError(c.t, c.update(tx))
			c.during(tx)
			return tx.Commit().Error
		}},
		{name: "begin and rollback", run: func(c *cell) error {
			tx := c.db.Begin()
			require.NoError(c.t, c.update(tx))
			c.during(tx)
			return tx.Rollback().Error
		}},
		{name: "rollback after commit", changes: true, run: func(c *cell) error {
			tx := c.db.Begin()
			defer tx.Rollback()
			require.NoError(c.t, c.update(tx))
			return tx.Commit().Error
		}},
		{name: "savepoint kept", changes: true, run: func(c *cell) error {
			tx := c.db.Begin()
			require.NoError(c.t, tx.SavePoint("one").Error)
			require.NoError(c.t, c.update(tx))
			require.NoError(c.t, tx.SavePoint("two").Error)
			require.NoError(c.t, tx.Delete(&ware{}, c.id+1).Error)
			require.NoError(c.t, tx.RollbackTo("two").Error)
			c.during(tx)
			return tx.Commit().Error
		}},
		{name: "savepoint rolled back", run: func(c *cell) error {
			tx := c.db.Begin()
			require.NoError(c.t, tx.SavePoint("one").Error)
			require.NoError(c.t, c.update(tx))
			require.NoError(c.t, tx.RollbackTo("one").Error)
			return tx.Commit().Error
		}},
		{name: "sessions of a transaction", changes: true, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				tx = tx.Session(&gorm.Session{NewDB: true, PrepareStmt: true, SkipHooks: true}).WithContext(c.ctx())
				err := c.update(tx)
				c.during(tx)
				return err
			})
		}},
		{name: "create in batches in a transaction", changes: true, run: func(c *cell) error {
			rows := []sticker{stickerOf(c.grp), stickerOf(c.grp), stickerOf(c.grp)}
			return c.db.Transaction(func(tx *gorm.DB) error {
				err := tx.CreateInBatches(&rows, 2).Error
				c.during(tx)
				return err
			})
		}},
		{name: "find in batches with updates in a transaction", changes: true, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				var batch []ware
				err := tx.Where("grp = ?", c.grp).FindInBatches(&batch, 1, func(_ *gorm.DB, _ int) error {
					return tx.Model(&batch[0]).Update("name", "new").Error
				}).Error
				c.during(tx)
				return err
			})
		}},
		{name: "locked and saved", changes: true, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				var i ware
				require.NoError(c.t, tx.Clauses(clause.Locking{Strength: "UPDATE"}).First(&i, c.id).Error)
				i.Name = "new"
				return tx.Save(&i).Error
			})
		}},
		{name: "serializable", changes: true, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				err := c.update(tx)
				c.during(tx)
				return err
			}, &sql.TxOptions{Isolation: sql.LevelSerializable})
		}},
		{name: "set transaction", changes: true, run: func(c *cell) error {
			return c.db.Transaction(func(tx *gorm.DB) error {
				require.NoError(c.t, tx.Exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").Error)
				err := c.update(tx)
				c.during(tx)
				return err
			})
		}},
		{name: "read only", run: func(c *cell) error {
			err := c.db.Transaction(func(tx *gorm.DB) error { return c.update(tx) }, &sql.TxOptions{ReadOnly: true})
			require.ErrorContains(c.t, err, "25006") // read_only_sql_transaction
			return nil
		}},
		{name: "canceled", run: func(c *cell) error {
			ctx, cancel := context.WithCancel(c.ctx())
			defer cancel()
			tx := c.db.WithContext(ctx).Begin()
			require.NoError(c.t, c.update(tx))
			c.during(tx)
			cancel()
			require.Error(c.t, tx.Commit().Error)
			return nil
		}},
		{name: "commit that fails", run: func(c *cell) error {
			err := c.db.Transaction(func(tx *gorm.DB) error {
				require.NoError(c.t, c.update(tx))
				// Checked by COMMIT.
				return tx.Exec("INSERT INTO deferreds (ware_id) VALUES (-1)").Error
			})
			require.ErrorContains(c.t, err, "23503") // foreign_key_violation
			return nil
		}},
		{name: "connection", changes: true, pinned: true, run: func(c *cell) error {
			return c.db.Connection(func(tx *gorm.DB) error { return c.update(tx) })
		}},
		{name: "connection with a transaction", changes: true, run: func(c *cell) error {
			return c.db.Connection(func(tx *gorm.DB) error {
				return tx.Transaction(func(tx *gorm.DB) error {
					err := c.update(tx)
					c.during(tx)
					return err
				})
			})
		}},
		{name: "connection with BEGIN and COMMIT", changes: true, pinned: true, run: func(c *cell) error {
			return c.db.Connection(func(tx *gorm.DB) error {
				tx = tx.Session(&gorm.Session{}) // else GORM adds up what statements consist of
				require.NoError(c.t, tx.Exec("BEGIN").Error)
				require.NoError(c.t, tx.Exec("UPDATE wares SET name = 'new' WHERE id = ?", c.id).Error)
				c.during(tx)
				return tx.Exec("COMMIT").Error
			})
		}},
		{name: "connection with BEGIN and ROLLBACK", pinned: true, run: func(c *cell) error {
			return c.db.Connection(func(tx *gorm.DB) error {
				tx = tx.Session(&gorm.Session{}) // else GORM adds up what statements consist of
				require.NoError(c.t, tx.Exec("BEGIN").Error)
				require.NoError(c.t, tx.Exec("UPDATE wares SET name = 'new' WHERE id = ?", c.id).Error)
				c.during(tx)
				return tx.Exec("ROLLBACK").Error
			})
		}},
		{name: "own transaction in a session", changes: true, run: func(c *cell) error {
			own, err := c.sqlDB().BeginTx(c.ctx(), nil)
			require.NoError(c.t, err)
			tx := c.db.Session(&gorm.Session{NewDB: true, Context: c.ctx()})
			tx.Statement.ConnPool = own
			require.NoError(c.t, c.update(tx))
			c.during(tx)
			return own.Commit()
		}},
		{name: "own transaction in a session, rolled back", run: func(c *cell) error {
			own, err := c.sqlDB().BeginTx(c.ctx(), nil)
			require.NoError(c.t, err)
			tx := c.db.Session(&gorm.Session{NewDB: true, Context: c.ctx()})
			tx.Statement.ConnPool = own
			require.NoError(c.t, c.update(tx))
			c.during(tx)
			return own.Rollback()
		}},
		{name: "own transaction as a handle", changes: true, run: func(c *cell) error {
			own, err := c.sqlDB().BeginTx(c.ctx(), nil)
			require.NoError(c.t, err)
			tx, err := gorm.Open(postgres.New(postgres.Config{Conn: own}), &gorm.Config{Logger: logger.Discard})
			require.NoError(c.t, err)
			require.NoError(c.t, tx.Use(c.writer.plugin))
			require.NoError(c.t, c.update(tx))
			c.during(tx)
			return own.Commit()
		}},
	}
}

func (c *cell) sqlDB() *sql.DB {
	pool, err := c.writer.DB.DB()
	require.NoError(c.t, err)
	return pool
}
