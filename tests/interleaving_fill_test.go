package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// A row whose writers overlap: the first one holds the lock while the second waits for it in the database.
func TestTwoWritersOfOneRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	reader, second := w.cached(), w.cached()
	first, g := w.gated()
	name := func() string { var m member; require.NoError(t, reader.First(&m, 1).Error); return m.Name }
	require.Equal(t, "m1", name())
	held := g.hold(t, beforeRelease)
	waitFirst := async(t, func() { require.NoError(t, first.Model(&member{ID: 1}).Update("name", "first").Error) })
	held.await()
	require.Equal(t, "first", name())
	require.NoError(t, second.Model(&member{ID: 1}).Update("name", "second").Error)
	require.Equal(t, "second", name())
	held.resume() // the first one's release is late, and is of an older state
	waitFirst()
	require.Equal(t, "second", name())
	reader.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
	require.Equal(t, "second", name())
}

// A read that spans a write may answer with either state, but never with both.
func TestRowsReadOneByOneAreOfOneInstant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	writer := w.cached()
	reader, g := w.gated()
	// Row 1 is stored, row 2 is not.
	reader.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
	held := g.hold(t, afterLoad)
	var got []member
	wait := async(t, func() { require.NoError(t, reader.Find(&got, []int{1, 2}).Error) })
	held.await()
	require.NoError(t, writer.Transaction(func(tx *gorm.DB) error {
		return tx.Model(&member{}).Where("id IN ?", []int{1, 2}).Update("name", "both").Error
	}))
	held.resume()
	wait()
	require.Len(t, got, 2)
	require.Equal(t, got[0].Name == "both", got[1].Name == "both", "%v", got)
	require.NoError(t, reader.Find(&got, []int{1, 2}).Error)
	require.Equal(t, []string{"both", "both"}, []string{got[0].Name, got[1].Name})
}
