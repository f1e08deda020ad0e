package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// Cabinets and their tomes, by every kind of column that a scope may have.
type (
	spot struct {
		TownID int
		Town   *town
	}
	town    struct{ ID int }
	cabinet struct {
		ID       int
		TenantID int
		Spot     spot    `gorm:"embedded"`
		Plates   []plate `gorm:"polymorphic:Owner"`
		Tomes    []tome  `gorm:"many2many:standings"`
		ParentID *int
		Parts    []cabinet `gorm:"foreignKey:ParentID"`
	}
	plate struct {
		ID        int
		Text      string
		OwnerID   int
		OwnerType string
	}
	tome struct {
		ID   int
		ISBN string `gorm:"uniqueIndex:isbn_edition"`
		No   int    `gorm:"uniqueIndex:isbn_edition"`
	}
	standing struct {
		CabinetID int `gorm:"primaryKey"`
		TomeID    int `gorm:"primaryKey"`
		Since     int
	}
)

func TestColumnsByWhichRowsAreToldApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.plain()
	require.NoError(t, plain.SetupJoinTable(&cabinet{}, "Tomes", &standing{}))
	require.NoError(t, plain.AutoMigrate(&town{}, &cabinet{}, &plate{}, &tome{}, &standing{}))
	require.NoError(t, plain.Create(&town{ID: 7}).Error)
	for id := 1; id <= 2; id++ {
		require.NoError(t, plain.Create(&cabinet{
			ID: id, TenantID: id, Spot: spot{TownID: 7}, Plates: []plate{{Text: "x"}}, Tomes: []tome{{ISBN: "i", No: id}},
		}).Error)
	}
	h := w.cached(withPlugin(func(c *rediscache.Config) {
		c.Models = ttlconfig.Models{ttlconfig.For[cabinet](): {TagColumns: []string{"tenant_id"}}}
	}))
	require.NoError(t, h.SetupJoinTable(&cabinet{}, "Tomes", &standing{}))
	first := func(lists any) func(*gorm.DB) error {
		return func(db *gorm.DB) error { return db.Find(lists).Error }
	}
	for _, c := range []struct {
		name  string
		read  func(*gorm.DB) error
		scope string
		// touches writes to rows of the scope, misses to others.
		touches, misses string
	}{
		{
			"tenant", func(db *gorm.DB) error { return first(&[]cabinet{})(db.Where(&cabinet{TenantID: 1})) },
			"scope:cabinets:tenant_id=1", "UPDATE cabinets SET parent_id = 2 WHERE id = 1", "UPDATE cabinets SET parent_id = 1 WHERE id = 2",
		},
		{
			"polymorphic pair", func(db *gorm.DB) error { return db.Model(&cabinet{ID: 1}).Association("Plates").Find(&[]plate{}) },
			"scope:plates:owner_id%2Bowner_type=" + digestOf("1,cabinets"),
			"UPDATE plates SET text = 'y' WHERE id = 1", "UPDATE plates SET text = 'y' WHERE id = 2",
		},
		{
			"embedded", func(db *gorm.DB) error { return first(&[]cabinet{})(db.Where(map[string]any{"town_id": 7})) },
			"scope:cabinets:town_id=7", "UPDATE cabinets SET parent_id = NULL WHERE id = 1", "",
		},
		{
			"self-referential", func(db *gorm.DB) error { return db.Model(&cabinet{ID: 1}).Association("Parts").Find(&[]cabinet{}) },
			"scope:cabinets:parent_id=1", "UPDATE cabinets SET parent_id = NULL WHERE parent_id = 1", "UPDATE cabinets SET tenant_id = 1 WHERE id = 1",
		},
		{
			"join table of the application's own", func(db *gorm.DB) error { return first(&[]standing{})(db.Where("cabinet_id = ?", 1)) },
			"scope:standings:cabinet_id=1", "UPDATE standings SET since = 1 WHERE cabinet_id = 1 AND tome_id = 1", "UPDATE standings SET since = 1 WHERE cabinet_id = 2 AND tome_id = 2",
		},
		{
			"unique pair", func(db *gorm.DB) error { return first(&[]tome{})(db.Where("no = ? AND isbn = ?", 1, "i")) },
			"scope:tomes:isbn%2Bno=" + digestOf("i,1"), "UPDATE tomes SET no = 3 WHERE id = 1", "UPDATE tomes SET no = 4 WHERE id = 2",
		},
	} {
		tags := h.explained(t, c.read).Tags
		require.Equal(t, c.scope, tags[0].Tag, c.name)
		warm := func() { h.warm(t, func(db *gorm.DB) { require.NoError(t, c.read(db)) }) }
		again := func() []string { return h.sql.during(func() { require.NoError(t, c.read(h.DB)) }) }
		warm()
		require.NoError(t, h.Exec(c.touches).Error, c.name)
		require.NotEmpty(t, again(), "%s: %s", c.name, c.touches)
		if c.misses != "" {
			warm()
			require.NoError(t, h.Exec(c.misses).Error, c.name)
			require.Empty(t, again(), "%s: %s", c.name, c.misses)
		}
	}
}
