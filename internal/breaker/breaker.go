// Package breaker stops asking a store that has stopped answering.
package breaker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// Options configures a [Store].
type Options struct {
	// Failures is how many steps in a row have to fail before the store is not asked any more. Defaults to 5.
	Failures uint32
	// Pause is how long it is then not asked. After it one step at a time is tried, until one succeeds. Defaults
	// to 500 ms.
	Pause time.Duration
	// Grace is for how long after it was given up the store is told of writes all the same: until then it may have
	// been a stall that is over, and others would go on serving what a write has changed. Defaults to 2 s.
	Grace time.Duration
	// OnChange is told when the store is given up (open) and when it answers again. It must not ask the store.
	OnChange func(open bool)
	// OnError is told of each step that failed, once for those that failed together, and of none that its caller canceled. It
	// must be quick.
	OnError func(error)
	// Logger is told the same. Defaults to no logging.
	Logger *slog.Logger
}

// A Store is a [store.Store] that passes steps on to another one, until too many have failed in a row. From then on
// steps fail at once with [store.ErrUnavailable], but for one trial at a time after each pause.
type Store struct {
	inner   store.Store
	breaker *gobreaker.TwoStepCircuitBreaker[any]
	grace   time.Duration
	onError func(error)
	givenUp atomic.Int64 // when, in nanoseconds since 1970
}

var _ store.Store = (*Store)(nil)

// errCaller is the outcome of a step that its caller gave up, or for which another one stands. It says nothing of the
// store.
var errCaller = errors.New("the caller gave up")

// Wrap puts a breaker before a store.
func Wrap(inner store.Store, opt Options) *Store {
	if opt.Failures == 0 {
		opt.Failures = 5
	}
	if opt.Pause <= 0 {
		opt.Pause = 500 * time.Millisecond
	}
	if opt.Grace <= 0 {
		opt.Grace = 2 * time.Second
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{inner: inner, grace: opt.Grace, onError: opt.OnError}
	s.breaker = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name:        "store",
		MaxRequests: 1,
		Timeout:     opt.Pause,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= opt.Failures },
		IsExcluded:  func(err error) bool { return errors.Is(err, errCaller) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			opened, closed := from == gobreaker.StateClosed, to == gobreaker.StateClosed
			switch {
			case opened:
				s.givenUp.Store(time.Now().UnixNano())
				opt.Logger.Warn("rediscache: Redis does not answer; reading from the database")
			case closed:
				opt.Logger.Info("rediscache: Redis answers again")
			default: // a trial, or one that failed
				return
			}
			if opt.OnChange != nil {
				opt.OnChange(opened)
			}
		},
	})
	return s
}

// Open reports whether steps fail at once.
func (s *Store) Open() bool { return s.breaker.State() == gobreaker.StateOpen }

// GivenUp reports whether the store has stopped answering and has not answered since: steps fail, or are trials.
func (s *Store) GivenUp() bool { return s.breaker.State() != gobreaker.StateClosed }

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, keys []string) (snap store.Snapshot, err error) {
	err = s.do(ctx, func() error { snap, err = s.inner.Load(ctx, keys); return err })
	return snap, err
}

// Mint implements [store.Store].
func (s *Store) Mint(ctx context.Context, mints []store.Mint) (snap store.Snapshot, err error) {
	err = s.do(ctx, func() error { snap, err = s.inner.Mint(ctx, mints); return err })
	return snap, err
}

// Put implements [store.Store].
func (s *Store) Put(ctx context.Context, entries []store.Entry) error {
	return s.do(ctx, func() error { return s.inner.Put(ctx, entries) })
}

// Intend implements [store.Store].
func (s *Store) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) (watched []store.Value, err error) {
	err = s.tell(ctx, func() error { watched, err = s.inner.Intend(ctx, writer, ttl, tags, watch); return err })
	return watched, err
}

// Declare implements [store.Store].
func (s *Store) Declare(ctx context.Context, d store.Declaration) (v store.Value, err error) {
	err = s.do(ctx, func() error { v, err = s.inner.Declare(ctx, d); return err })
	return v, err
}

// Release implements [store.Store].
func (s *Store) Release(
	ctx context.Context, writer string, tags, watch []keying.Tag,
) (watched []store.Value, err error) {
	err = s.tell(ctx, func() error { watched, err = s.inner.Release(ctx, writer, tags, watch); return err })
	return watched, err
}

// Close implements [store.Store].
func (s *Store) Close() error { return s.inner.Close() }

// tell takes a step that others depend on.
func (s *Store) tell(ctx context.Context, step func() error) error {
	err := s.do(ctx, step)
	if errors.Is(err, errRefused) && time.Now().UnixNano()-s.givenUp.Load() < int64(s.grace) {
		return s.try(ctx, step)
	}
	return err
}

// errRefused is the error of a step that was not taken.
var errRefused = fmt.Errorf("%w: it has stopped answering", store.ErrUnavailable)

func (s *Store) do(ctx context.Context, step func() error) error {
	done, err := s.breaker.Allow()
	if err != nil {
		return errRefused
	}
	outcome := errCaller // if the step panics
	defer func() { done(outcome) }()
	err = s.try(ctx, step)
	// A connection that fails fails all that went along; it counts once, as the failure of whoever did the exchange.
	if err == nil || ctx.Err() == nil && !errors.Is(err, store.ErrShared) {
		outcome = err
	}
	return err
}

// try takes a step, and tells if it failed.
func (s *Store) try(ctx context.Context, step func() error) error {
	err := step()
	told := err != nil && s.onError != nil && !errors.Is(err, store.ErrShared)
	if told && !errors.Is(ctx.Err(), context.Canceled) {
		s.onError(err)
	}
	return err
}
