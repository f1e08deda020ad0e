package callbacks

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/background"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// Close may give up before all has ended. Nothing of the plugin is left when it has.
func TestWhatEndsAfterCloseClosesTheRest(t *testing.T) {
	t.Parallel()
	h := bareHooks(t)
	let := make(chan struct{})
	require.True(t, h.spawn(func() { <-let }))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, h.Close(over), context.Canceled)
	require.False(t, h.spawn(func() { t.Error("it began") }))
	require.True(t, h.plays(t))
	close(let)
	testkit.Eventually(t, "the player is closed", func() bool { return !h.plays(t) })
	require.NoError(t, h.Close(t.Context()))
}

// The last one that is active may be over while Close still waits for its goroutine, and gives that up.
func TestCloseThatGivesUpClosesTheRestIfNobodyIsActive(t *testing.T) {
	t.Parallel()
	h := bareHooks(t)
	let := make(chan struct{})
	require.True(t, h.work.Go(func() { <-let }))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, h.Close(over), context.Canceled)
	require.False(t, h.plays(t))
	close(let)
	require.NoError(t, h.Close(t.Context()))
}

func bareHooks(t *testing.T) *Hooks {
	t.Helper()
	h := &Hooks{player: rowcodec.NewPlayer(), work: background.New(nil)}
	h.ending, h.end = context.WithCancel(t.Context())
	return h
}

// plays reports whether the player is open.
func (h *Hooks) plays(t *testing.T) bool {
	t.Helper()
	rows, err := h.player.Rows(rowcodec.Playback{Set: h.player.NewSet(nil)})
	if err == nil {
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return err == nil
}
