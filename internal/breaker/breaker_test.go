package breaker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/breaker"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

var errServer = errors.New("connection refused")

// server is a store whose steps all have one outcome, and that counts them.
type server struct {
	mu    sync.Mutex
	err   error
	delay time.Duration
	steps atomic.Int64
}

func (s *server) step() error {
	s.steps.Add(1)
	time.Sleep(s.delay)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// answer says what steps end with from now on.
func (s *server) answer(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *server) Load(context.Context, []string) (store.Snapshot, error) {
	return store.Snapshot{Values: []store.Value{{Data: "v"}}}, s.step()
}

func (s *server) Mint(context.Context, []store.Mint) (store.Snapshot, error) {
	return store.Snapshot{}, s.step()
}
func (s *server) Put(context.Context, []store.Entry) error { return s.step() }
func (s *server) Intend(context.Context, string, time.Duration, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, s.step()
}

func (s *server) Declare(context.Context, store.Declaration) (store.Value, error) {
	return store.Value{}, s.step()
}

func (s *server) Release(context.Context, string, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, s.step()
}
func (s *server) Close() error { return errServer }

func (s *server) Layout() keying.Layout { return keying.ManySlots }

func each(ctx context.Context, s store.Store) []func() error {
	return []func() error{
		func() error { _, err := s.Load(ctx, nil); return err },
		func() error { _, err := s.Mint(ctx, nil); return err },
		func() error { return s.Put(ctx, nil) },
		func() error { _, err := s.Intend(ctx, "", 0, nil, nil); return err },
		func() error { _, err := s.Declare(ctx, store.Declaration{}); return err },
		func() error { _, err := s.Release(ctx, "", nil, nil); return err },
	}
}

func TestStepsPassWhileTheStoreAnswers(t *testing.T) {
	t.Parallel()
	inner := &server{}
	s := breaker.Wrap(inner, breaker.Options{})
	for range 3 {
		for _, step := range each(t.Context(), s) {
			require.NoError(t, step())
		}
	}
	snap, err := s.Load(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "v", snap.Values[0].Data)
	require.EqualValues(t, 19, inner.steps.Load())
	require.ErrorIs(t, s.Close(), errServer)
}

func TestStoreIsNotAskedAfterFailuresInARow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := &server{err: errServer}
		var changes []bool
		s := breaker.Wrap(inner, breaker.Options{
			Failures: 6, Pause: time.Second, MaxPause: time.Second, Grace: 1,
			OnChange: func(open bool) { changes = append(changes, open) },
		})
		for _, step := range each(t.Context(), s) {
			require.ErrorIs(t, step(), errServer)
		}
		require.True(t, s.Open())
		time.Sleep(time.Millisecond)
		for _, step := range each(t.Context(), s) {
			err := step()
			require.ErrorIs(t, err, store.ErrUnavailable)
			require.NotErrorIs(t, err, errServer)
		}
		require.EqualValues(t, 6, inner.steps.Load())

		time.Sleep(1100 * time.Millisecond) // one trial, which fails
		require.ErrorIs(t, s.Put(t.Context(), nil), errServer)
		require.ErrorIs(t, s.Put(t.Context(), nil), store.ErrUnavailable)

		time.Sleep(1100 * time.Millisecond) // one trial, which succeeds
		inner.answer(nil)
		for _, step := range each(t.Context(), s) {
			require.NoError(t, step())
		}
		require.Equal(t, []bool{true, false}, changes)
	})
}

// A store that only stalled is told of writes as soon as it answers again, not after the pause.
func TestWritesAreTriedForAWhileAfterTheStoreWasGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := &server{err: errServer}
		s := breaker.Wrap(inner, breaker.Options{Failures: 1, Pause: time.Hour, MaxPause: time.Hour, Grace: time.Second})
		require.ErrorIs(t, s.Put(t.Context(), nil), errServer)
		require.ErrorIs(t, s.Put(t.Context(), nil), store.ErrUnavailable)
		inner.answer(nil)
		_, err := s.Intend(t.Context(), "", 0, nil, nil)
		require.NoError(t, err)
		_, err = s.Release(t.Context(), "", nil, nil)
		require.NoError(t, err)
		require.ErrorIs(t, s.Put(t.Context(), nil), store.ErrUnavailable)
		time.Sleep(time.Second)
		_, err = s.Intend(t.Context(), "", 0, nil, nil)
		require.ErrorIs(t, err, store.ErrUnavailable)
		_, err = s.Release(t.Context(), "", nil, nil)
		require.ErrorIs(t, err, store.ErrUnavailable)
	})
}

func TestOneTrialAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := &server{err: errServer, delay: 100 * time.Millisecond}
		s := breaker.Wrap(inner, breaker.Options{Failures: 1, Pause: time.Second})
		require.Error(t, s.Put(t.Context(), nil))
		time.Sleep(2 * time.Second)
		var refused atomic.Int64
		for range 10 {
			go func() {
				if errors.Is(s.Put(t.Context(), nil), store.ErrUnavailable) {
					refused.Add(1)
				}
			}()
		}
		synctest.Wait()
		time.Sleep(time.Second)
		require.EqualValues(t, 9, refused.Load())
		require.EqualValues(t, 2, inner.steps.Load())
	})
}

// A write that was told all the same shows that the store answers: nobody has to try it first.
func TestWriteThatWasToldEndsTheOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := &server{err: errServer}
		var open []bool
		s := breaker.Wrap(inner, breaker.Options{Failures: 20, OnChange: func(o bool) { open = append(open, o) }})
		for range 20 { // the next trial is a second away
			require.ErrorIs(t, s.Put(t.Context(), nil), errServer)
		}
		inner.answer(nil)
		time.Sleep(100 * time.Millisecond)
		require.ErrorIs(t, s.Put(t.Context(), nil), store.ErrUnavailable)
		_, err := s.Release(t.Context(), "", nil, nil)
		require.NoError(t, err)
		require.Equal(t, []bool{true, false}, open)
		require.NoError(t, s.Put(t.Context(), nil))
	})
}

// Who would wait for a trial, or fail at once, can know beforehand.
func TestStoreThatWasGivenUpRefusesButForATrial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := &server{err: errServer, delay: time.Second}
		s := breaker.Wrap(inner, breaker.Options{Failures: 1, Pause: time.Minute})
		require.False(t, s.Refuses())
		_, err := s.Load(t.Context(), nil)
		require.ErrorIs(t, err, errServer)
		require.True(t, s.Refuses())
		time.Sleep(time.Minute + time.Millisecond)
		require.False(t, s.Refuses(), "somebody has to try")
		go func() { _, _ = s.Load(t.Context(), nil) }()
		synctest.Wait()
		require.True(t, s.Refuses(), "somebody tries")
		inner.answer(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		_, err = s.Load(t.Context(), nil)
		require.NoError(t, err)
		require.False(t, s.Refuses())
	})
}

// Between two attempts to reach the store lie n times 50 ms after n failures in a row, 2 s at most.
func TestPauseGrowsWithTheFailuresInARow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := &server{err: errServer}
		s := breaker.Wrap(inner, breaker.Options{Failures: 1})
		waits := func() (waited time.Duration) {
			start := time.Now()
			for errors.Is(s.Put(t.Context(), nil), store.ErrUnavailable) {
				time.Sleep(time.Millisecond)
			}
			return time.Since(start)
		}
		require.Zero(t, waits())
		for n := 1; n <= 50; n++ {
			want := min(time.Duration(n)*50*time.Millisecond, 2*time.Second)
			require.InDelta(t, want, waits(), float64(2*time.Millisecond), "after %d failures", n)
		}
		inner.answer(nil)
		require.InDelta(t, 2*time.Second, waits(), float64(2*time.Millisecond))
		require.Zero(t, waits())
		inner.answer(errServer) // another outage begins with short pauses
		require.Zero(t, waits())
		require.InDelta(t, 50*time.Millisecond, waits(), float64(2*time.Millisecond))
	})
}

// Server makes the store one that tells its name.
func (s *server) Server() string { return "redis.example:6379" }

// However many meet an outage together, there is one line for each change.
func TestEachChangeIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		}))
		inner := &server{delay: time.Millisecond}
		s := breaker.Wrap(inner, breaker.Options{Logger: logger})
		together := func() string {
			out.Reset()
			for range 64 {
				go func() { _ = s.Put(t.Context(), nil) }()
			}
			time.Sleep(time.Second)
			synctest.Wait()
			return out.String()
		}
		const server = " server=redis.example:6379"
		require.Equal(t, `level=INFO msg="rediscache: connected to Redis"`+server+"\n", together())
		require.Empty(t, together())
		inner.answer(errServer)
		require.Equal(t, `level=WARN msg="rediscache: Redis does not answer; reading from the database"`+server+
			` error="connection refused"`+"\n", together())
		require.Empty(t, together(), "trials that fail change nothing")
		inner.answer(nil)
		require.Equal(t, `level=INFO msg="rediscache: Redis answers again"`+server+"\n", together())
		require.Empty(t, together())
	})
}

// A store that does not answer from the start is lost, and connected to when it does.
func TestStoreThatAnswersLateIsConnectedToOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		inner := &server{err: errServer}
		s := breaker.Wrap(inner, breaker.Options{Failures: 1, Logger: slog.New(slog.NewTextHandler(&out, nil))})
		require.Error(t, s.Put(t.Context(), nil))
		require.Contains(t, out.String(), "Redis does not answer")
		out.Reset()
		inner.answer(nil)
		time.Sleep(time.Second)
		require.NoError(t, s.Put(t.Context(), nil))
		require.NoError(t, s.Put(t.Context(), nil))
		require.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())
		require.Contains(t, out.String(), "connected to Redis")
	})
}

// A process may open many handles on one server.
func TestConnectionIsToldOnceForEachServerAndLog(t *testing.T) {
	t.Parallel()
	var out, other bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	for range 3 {
		require.NoError(t, breaker.Wrap(&server{}, breaker.Options{Logger: log}).Put(t.Context(), nil))
		require.Equal(t, 1, strings.Count(out.String(), "connected to Redis"))
	}
	logger := slog.New(slog.NewTextHandler(&other, nil))
	require.NoError(t, breaker.Wrap(&server{}, breaker.Options{Logger: logger}).Put(t.Context(), nil))
	require.Equal(t, 1, strings.Count(other.String(), "connected to Redis"))
}

func TestCallerThatGivesUpSaysNothingOfTheStore(t *testing.T) {
	t.Parallel()
	inner := &server{err: context.Canceled}
	s := breaker.Wrap(inner, breaker.Options{Failures: 2})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		require.ErrorIs(t, s.Put(ctx, nil), context.Canceled)
	}
	require.False(t, s.Open())
}

// One connection that fails under many readers is one failure.
func TestFailureOfAnExchangeCountsOnce(t *testing.T) {
	t.Parallel()
	inner := &server{err: fmt.Errorf("%w: %w", store.ErrShared, errServer)}
	s := breaker.Wrap(inner, breaker.Options{Failures: 2})
	for range 10 {
		require.ErrorIs(t, s.Put(t.Context(), nil), errServer)
	}
	require.False(t, s.Open())
	inner.answer(errServer) // of those that did the exchange
	for range 2 {
		require.ErrorIs(t, s.Put(t.Context(), nil), errServer)
	}
	require.True(t, s.Open())
}

// One of several servers that a store consists of says nothing of the others.
func TestFailureOfAPartIsNotCounted(t *testing.T) {
	t.Parallel()
	s := breaker.Wrap(&server{err: fmt.Errorf("%w: %w", store.ErrInPart, errServer)}, breaker.Options{Failures: 2})
	for range 10 {
		require.ErrorIs(t, s.Put(t.Context(), nil), errServer)
	}
	require.False(t, s.Open())
}

func TestPanicInAStepLeavesTheBreakerWorking(t *testing.T) {
	t.Parallel()
	s := breaker.Wrap(panicking{}, breaker.Options{Failures: 1})
	for range 3 {
		require.Panics(t, func() { _ = s.Put(t.Context(), nil) })
	}
	require.False(t, s.Open())
}

type panicking struct{ store.Store }

func (panicking) Put(context.Context, []store.Entry) error { panic("driver") }

// What failed is told once: also of writes that are told a store which was given up, but not if nothing was asked, if the caller
// gave up, or if another exchange stands for it.
func TestErrorsOfStepsAreTold(t *testing.T) {
	t.Parallel()
	var told []error
	inner := &server{err: errServer}
	s := breaker.Wrap(inner, breaker.Options{Failures: 8, Pause: time.Hour, OnError: func(err error) { told = append(told, err) }})
	for _, step := range each(t.Context(), s) {
		require.ErrorIs(t, step(), errServer)
	}
	require.Len(t, told, 6)

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	require.Error(t, s.Put(canceled, nil))
	require.Len(t, told, 6)
	require.Error(t, s.Put(late, nil))
	require.Len(t, told, 7, "no answer in time")
	inner.answer(fmt.Errorf("%w: %w", store.ErrShared, errServer))
	require.Error(t, s.Put(t.Context(), nil))
	require.Len(t, told, 7)

	inner.answer(errServer)
	for range 2 {
		require.Error(t, s.Put(t.Context(), nil))
	}
	require.True(t, s.Open())
	require.Len(t, told, 9)
	require.ErrorIs(t, s.Put(t.Context(), nil), store.ErrUnavailable)
	require.Len(t, told, 9)
	_, err := s.Release(t.Context(), "", nil, nil)
	require.ErrorIs(t, err, errServer)
	require.Len(t, told, 10)
}

// A step that took all the time that it has was not answered, whoever's deadline was over first.
func TestStepThatTookAllItsTimeCounts(t *testing.T) {
	t.Parallel()
	const timeout = 20 * time.Millisecond
	inner := &server{err: context.DeadlineExceeded, delay: timeout}
	s := breaker.Wrap(inner, breaker.Options{Failures: 3, Timeout: timeout})
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		_, err := s.Release(ctx, "", nil, nil)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	require.True(t, s.Open())
}
