package tests_test

import (
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// A view whose query an information schema does not show may be one that somebody is just making: it is looked at again
// within seconds, and not when the catalog is read anew anyway.
func TestViewWhoseQueryIsNotShownYetIsCachedSoon(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, onMySQL())
	admin := w.members(1)
	const name = "rc_unsettled" // of the server's; it may be left over
	require.NoError(t, admin.Exec("CREATE VIEW elders AS SELECT id, name FROM members WHERE age > 10").Error)
	require.NoError(t, admin.Exec("CREATE OR REPLACE USER "+name+" IDENTIFIED BY ''").Error)
	t.Cleanup(func() { admin.Exec("DROP USER " + name) })
	cfg, err := mysql.ParseDSN(w.dsn)
	require.NoError(t, err)
	require.NoError(t, admin.Exec("GRANT SELECT ON "+cfg.DBName+".* TO "+name).Error)
	cfg.User = name
	w.dsn = cfg.FormatDSN()
	h := w.cached()
	elders := func(db *gorm.DB) { require.NoError(t, db.Table("elders").Find(&[]map[string]any{}).Error) }
	require.Equal(t, metrics.ReasonRelation, h.log.read(t, func() { elders(h.DB) }).Reason)
	require.NoError(t, admin.Exec("GRANT SHOW VIEW ON "+cfg.DBName+".* TO "+name).Error)
	testkit.Eventually(t, "the view is cached", func() bool {
		return h.log.read(t, func() { elders(h.DB) }).Outcome == metrics.Hit
	})
}
