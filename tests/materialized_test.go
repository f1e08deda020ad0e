package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// A materialized view changes when it is refreshed, and not when its tables do.
func TestMaterializedViewChangesWhenItIsRefreshed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	require.NoError(t, plain.Exec("CREATE MATERIALIZED VIEW totals AS SELECT 1 AS id, count(*) AS n FROM members").Error)
	require.NoError(t, plain.Exec("CREATE UNIQUE INDEX ON totals (id)").Error)
	require.NoError(t, plain.Exec("CREATE VIEW doubled AS SELECT 2 * n AS n FROM totals").Error)
	h, writer := w.cached(), w.cached()
	reads := map[string]func(*gorm.DB) any{}
	for _, table := range []string{"totals", "doubled"} {
		reads[table] = func(db *gorm.DB) any {
			var n []int64
			require.NoError(t, db.Table(table).Pluck("n", &n).Error)
			return n
		}
	}
	for _, refresh := range []string{"REFRESH MATERIALIZED VIEW totals", "REFRESH MATERIALIZED VIEW CONCURRENTLY totals"} {
		for name, read := range reads {
			agreesFromCache(t, plain, h, name, read)
		}
		require.NoError(t, writer.Create(&member{Name: "new"}).Error)
		for name, read := range reads {
			agreesFromCache(t, plain, h, name+" before "+refresh, read)
		}
		before := reads["doubled"](plain.DB)
		require.NoError(t, writer.Exec(refresh).Error)
		require.NotEqual(t, before, reads["doubled"](plain.DB))
		for name, read := range reads {
			agreesFromCache(t, plain, h, name+" after "+refresh, read)
		}
	}
}
