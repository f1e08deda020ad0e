package background_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/background"
)

func TestPanicEndsOneFunctionOnly(t *testing.T) {
	t.Parallel()
	panics := make(chan any, 1)
	g := background.New(func(value any) { panics <- value })
	require.True(t, g.Go(func() { panic("defect") }))
	require.Equal(t, "defect", <-panics)
	ran := false
	require.True(t, g.Go(func() { ran = true }))
	require.NoError(t, g.Wait(t.Context()))
	require.True(t, ran)
}

func TestNothingBeginsAfterClose(t *testing.T) {
	t.Parallel()
	g := background.New(nil)
	g.Close()
	require.False(t, g.Go(func() { t.Error("it began") }))
	require.NoError(t, g.Wait(t.Context()))
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := background.New(nil)
		let := make(chan struct{})
		require.True(t, g.Go(func() { <-let }))
		g.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, g.Wait(ctx), context.DeadlineExceeded)
		close(let)
		require.NoError(t, g.Wait(t.Context()))
	})
}

func TestWaitForNothingNeedsNoTime(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	g := background.New(nil)
	require.NoError(t, g.Wait(over))
	require.True(t, g.Go(func() {}))
	require.NoError(t, g.Wait(t.Context()))
	require.NoError(t, g.Wait(over))
}
