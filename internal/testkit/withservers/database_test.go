package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// Only what this program itself has named, long ago, is dropped.
func TestOnlyDatabasesOfKilledRunsAreStale(t *testing.T) {
	t.Parallel()
	now := time.Now()
	named := func(age time.Duration) string { return fmt.Sprintf("%s%d_7", ownPrefix, now.Add(-age).Unix()) }
	require.True(t, isStale(named(13*time.Hour), now))
	require.False(t, isStale(named(11*time.Hour), now))
	for _, name := range []string{
		"postgres", ownPrefix, ownPrefix + "1", ownPrefix + "1_", ownPrefix + "1_x", ownPrefix + "x_1", ownPrefix + "1_1; DROP",
	} {
		require.False(t, isStale(name, now), name)
	}
}

// A test that waits for the disk with every COMMIT waits for most of its time.
func TestDatabaseOfTestsDoesNotWaitForTheDisk(t *testing.T) {
	t.Parallel()
	h := &house{}
	t.Cleanup(h.close)
	database, err := h.hasten(t.Context(), testkit.PostgresDatabase(t))
	require.NoError(t, err)
	var waits string
	require.NoError(t, testkit.OpenPostgres(t, database).QueryRowContext(t.Context(), "SHOW synchronous_commit").Scan(&waits))
	require.Equal(t, "off", waits)
}
