package tests_test

import (
	"errors"
	"fmt"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// autocommitWays are those of one call to GORM, which sees to the transaction if there is one.
func autocommitWays() []way {
	return []way{
		{name: "create", changes: true, run: func(c *cell) error {
			return c.db.Create(&ware{ID: c.id + 2, Grp: c.grp, Name: "new"}).Error
		}},
		{name: "create with relations", changes: true, run: func(c *cell) error {
			return c.db.Create(&ware{ID: c.id + 2, Grp: c.grp, Labels: []sticker{{Text: "a"}, {Text: "b"}}}).Error
		}},
		{name: "create from map", changes: true, run: func(c *cell) error {
			return c.db.Model(&ware{}).Create(map[string]any{"id": c.id + 2, "grp": c.grp, "name": "new"}).Error
		}},
		{name: "create in batches", changes: true, run: func(c *cell) error {
			rows := []sticker{stickerOf(c.grp), stickerOf(c.grp), stickerOf(c.grp)}
			return c.db.CreateInBatches(&rows, 2).Error
		}},
		{name: "upsert", changes: true, run: func(c *cell) error {
			return c.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&ware{ID: c.id, Grp: c.grp, Name: "new"}).Error
		}},
		{name: "first or create", changes: true, run: func(c *cell) error {
			return c.db.Where(ware{ID: c.id + 2}).Attrs(ware{Grp: c.grp}).FirstOrCreate(&ware{}).Error
		}},
		{name: "first and assign", changes: true, run: func(c *cell) error {
			return c.db.Where(ware{ID: c.id}).Assign(ware{Name: "new"}).FirstOrCreate(&ware{}).Error
		}},
		{name: "update", changes: true, run: func(c *cell) error { return c.update(c.db) }},
		{name: "update column", changes: true, run: func(c *cell) error {
			return c.db.Model(&ware{ID: c.id}).UpdateColumn("name", gorm.Expr("name || ?", "!")).Error
		}},
		{name: "update returning", changes: true, run: func(c *cell) error {
			var rows []ware
			return c.db.Model(&rows).Clauses(clause.Returning{}).Where("grp = ?", c.grp).Update("name", "new").Error
		}},
		{name: "save", changes: true, run: func(c *cell) error {
			return c.db.Save(&ware{ID: c.id, Grp: c.grp, Name: "new"}).Error
		}},
		{name: "save what is not there", changes: true, run: func(c *cell) error {
			return c.db.Save(&ware{ID: c.id + 2, Grp: c.grp, Name: "new"}).Error
		}},
		{name: "delete", changes: true, run: func(c *cell) error { return c.db.Delete(&ware{}, c.id).Error }},
		{name: "delete many", changes: true, run: func(c *cell) error {
			return c.db.Where("grp = ?", c.grp).Delete(&ware{}).Error
		}},
		{name: "exec", changes: true, run: func(c *cell) error {
			return c.db.Exec("UPDATE wares SET name = 'new' WHERE id = ?", c.id).Error
		}},
		{name: "exec of a common table expression", changes: true, run: func(c *cell) error {
			return c.db.Exec("WITH gone AS (DELETE FROM wares WHERE id = ? RETURNING id) "+
				"INSERT INTO stickers (ware_id, text) SELECT id + 1, 'heir' FROM gone", c.id).Error
		}},
		{name: "exec of a block", changes: true, run: func(c *cell) error {
			return c.db.Exec(fmt.Sprintf("DO $$ BEGIN UPDATE wares SET name = 'new' WHERE id = %d; END $$", c.id)).Error
		}},
		{name: "raw returning", changes: true, run: func(c *cell) error {
			var name string
			return c.db.Raw("UPDATE wares SET name = 'new' WHERE id = ? RETURNING name", c.id).Scan(&name).Error
		}},
		{name: "row returning", changes: true, run: func(c *cell) error {
			var name string
			return c.db.Raw("UPDATE wares SET name = 'new' WHERE id = ? RETURNING name", c.id).Row().Scan(&name)
		}},
		{name: "rows returning", changes: true, run: func(c *cell) error {
			rows, err := c.db.Raw("UPDATE wares SET name = 'new' WHERE grp = ? RETURNING name", c.grp).Rows()
			if err != nil {
				return err
			}
			for rows.Next() {
				require.Equal(c.t, "postgres", c.writer.Name())
			}
			return errors.Join(rows.Err(), rows.Close())
		}},
		{name: "rows returning that are not read", changes: true, run: func(c *cell) error {
			rows, err := c.db.Raw("UPDATE wares SET name = 'new' WHERE grp = ? RETURNING name", c.grp).Rows()
			if err != nil {
				return err
			}
			return errors.Join(rows.Close(), rows.Err())
		}},
		{name: "session without default transaction", changes: true, run: func(c *cell) error {
			return c.update(c.db.Session(&gorm.Session{SkipDefaultTransaction: true}))
		}},
		{name: "association append", changes: true, run: func(c *cell) error {
			r := stickerOf(c.grp)
			return c.db.Model(&ware{ID: c.id}).Association("Labels").Append(&r)
		}},
		{name: "association replace", changes: true, run: func(c *cell) error {
			return c.db.Model(&ware{ID: c.id}).Association("Labels").Replace(&sticker{Text: "a"}, &sticker{Text: "b"})
		}},
		{name: "find in batches with updates", changes: true, run: func(c *cell) error {
			var batch []ware
			return c.db.Where("grp = ?", c.grp).FindInBatches(&batch, 1, func(tx *gorm.DB, _ int) error {
				return tx.Session(&gorm.Session{NewDB: true}).Model(&batch[0]).Update("name", "new").Error
			}).Error
		}},
		{name: "update that fails", run: func(c *cell) error {
			err := c.db.Exec("UPDATE wares SET name = 'new', id = NULL WHERE id = ?", c.id).Error
			require.Error(c.t, err)
			return nil
		}},
		{name: "create of what is there", run: func(c *cell) error {
			require.Error(c.t, c.db.Create(&ware{ID: c.id, Grp: c.grp}).Error)
			return nil
		}},
	}
}
