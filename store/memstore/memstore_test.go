package memstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/memstore"
	"github.com/gorm-rediscache/rediscache/store/storetest"
)

func TestMemoryPassesTheSuite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Features{Atomic: true, History: true}, func(t *testing.T) (store.Store, keying.Space) {
		s, err := memstore.New(memstore.Options{})
		require.NoError(t, err)
		names, err := keying.NewSpace(testkit.Unique(t), "test", keying.ManySlots)
		require.NoError(t, err)
		return s, names
	})
}

func TestOptionsThatCannotWorkAreNamed(t *testing.T) {
	t.Parallel()
	_, err := memstore.New(memstore.Options{MaxBytes: -1})
	require.ErrorIs(t, err, memstore.ErrOptions)
	require.ErrorContains(t, err, "Options.MaxBytes")
	require.ErrorContains(t, err, "-1")
}
