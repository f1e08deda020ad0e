package world_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/benchmarks/world"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

func TestDistantServersAnswerLater(t *testing.T) {
	t.Parallel()
	w, err := world.Open(t.Context())
	if err != nil {
		testkit.Missing(t, "no servers: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, w.Close(t.Context())) })
	const more = 20 * time.Millisecond
	far, err := w.Distant(more)
	require.NoError(t, err)
	h, err := far.Plain()
	require.NoError(t, err)
	client := far.Client(&world.Commands{})
	ask := map[string]func() error{
		"PostgreSQL": func() error { return h.Exec("SELECT 1").Error },
		"Redis":      func() error { return client.Ping(t.Context()).Err() },
	}
	for name, f := range ask {
		require.NoError(t, f()) // connects
		start := time.Now()
		require.NoError(t, f())
		require.GreaterOrEqual(t, time.Since(start), more, name)
	}
}
