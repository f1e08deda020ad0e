package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// Events say why a table's answers became unservable, table by table.
func TestWriteEventsNameTheirCauses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(9)
	w.billed()
	plain := w.plain()
	require.NoError(t, plain.Exec("CREATE TABLE badges (id int PRIMARY KEY, "+
		"member_id bigint REFERENCES members ON DELETE CASCADE)").Error)
	h := w.cached()
	type causes = map[string]metrics.Cause
	for name, c := range map[string]struct {
		write func(*gorm.DB) error
		want  causes
	}{
		"create": {
			func(db *gorm.DB) error { return db.Create(&member{Name: "new"}).Error },
			causes{"members": metrics.CauseCreate},
		},
		"update": {
			func(db *gorm.DB) error { return db.Model(&member{ID: 1}).Update("age", 30).Error },
			causes{"members": metrics.CauseUpdate},
		},
		"soft delete": {
			func(db *gorm.DB) error { return db.Delete(&member{}, 2).Error },
			causes{"members": metrics.CauseDelete},
		},
		"delete that cascades": {
			func(db *gorm.DB) error { return db.Unscoped().Delete(&member{}, 3).Error },
			causes{"members": metrics.CauseDelete, "badges": metrics.CauseDatabase},
		},
		"text": {
			func(db *gorm.DB) error { return db.Exec("UPDATE members SET age = 31 WHERE id = 4").Error },
			causes{"members": metrics.CauseRaw},
		},
		"text that returns rows": {
			func(db *gorm.DB) error {
				return db.Raw("UPDATE members SET age = 32 WHERE id = 4 RETURNING id").Scan(new(int)).Error
			},
			causes{"members": metrics.CauseRaw},
		},
		"touches": {
			func(db *gorm.DB) error { return db.Clauses(rediscache.Touches("members")).Exec("SELECT 1").Error },
			causes{"members": metrics.CauseTouches, "badges": metrics.CauseDatabase},
		},
		"invalidate": {
			func(db *gorm.DB) error { return rediscache.Invalidate(db, rediscache.Row[member](5)) },
			causes{"members": metrics.CauseInvalidate},
		},
		"invalidate everything": {
			func(db *gorm.DB) error { return rediscache.Invalidate(db, rediscache.Everything()) },
			causes{"": metrics.CauseInvalidate},
		},
		"schema": {
			func(db *gorm.DB) error { return db.Exec("CREATE TABLE later (id int)").Error },
			causes{"": metrics.CauseSchema},
		},
		"not understood": {
			func(db *gorm.DB) error { return db.Exec("DO $$ BEGIN END $$").Error },
			causes{"": metrics.CauseUnknown},
		},
		"transaction": {
			func(db *gorm.DB) error {
				return db.Transaction(func(tx *gorm.DB) error {
					require.NoError(t, tx.Create(&member{Name: "newer"}).Error)
					require.NoError(t, tx.Model(&member{ID: 1}).Update("age", 33).Error)
					return tx.Model(&bill{}).Where("id = 1").Update("amount", 5).Error
				})
			},
			causes{"members": metrics.CauseSeveral, "bills": metrics.CauseUpdate},
		},
	} {
		wrote := h.log.wrote(func() { require.NoError(t, c.write(h.DB), name) })
		require.NotEmpty(t, wrote, name)
		require.Equal(t, c.want, wrote[0].Causes, name)
	}
}
