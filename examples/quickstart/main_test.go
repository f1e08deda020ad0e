package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

func TestItRunsOnWhatItBrings(t *testing.T) {
	t.Parallel()
	require.NoError(t, run(t.Context(), func(string) string { return "" }))
}

func TestItRunsOnServersThatAreConfigured(t *testing.T) {
	t.Parallel()
	database, redis := testkit.Postgres(t), os.Getenv(testkit.EnvRedis)
	if redis == "" {
		redis = testkit.LocalRedis
	}
	testkit.Redis(t) // is there one?
	require.NoError(t, run(t.Context(), func(name string) string {
		return map[string]string{"DATABASE_URL": database, "REDIS_URL": redis}[name]
	}))
}

func TestItSaysWhichVariableIsWrong(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none?connect_timeout=1", "REDIS_URL": "nonsense",
	} {
		err := run(t.Context(), func(n string) string {
			if n == name {
				return value
			}
			return ""
		})
		require.ErrorContains(t, err, name)
	}
}
