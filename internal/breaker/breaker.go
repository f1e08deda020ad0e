// Package breaker stops asking a store that has stopped answering.
package breaker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/sony/gobreaker/v2"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// Options configures a [Store].
type Options struct {
	// Failures is how many steps in a row have to fail before the store is not asked any more. Defaults to 5.
	Failures uint32
	// Pause is how long it is then not asked, for each failure in a row: after n of them for n times Pause, MaxPause at
	// most. Then one step at a time is tried, until one succeeds. They default to 50 ms and 2 s.
	Pause, MaxPause time.Duration
	// Timeout is how long a step may take. One that fails after that time is a failure of the store, also if its caller gave
	// up at the same moment. Defaults to 100 ms.
	Timeout time.Duration
	// Grace is for how long after it was given up the store is told of writes all the same: until then it may have
	// been a stall that is over, and others would go on serving what a write has changed. Defaults to 2 s.
	Grace time.Duration
	// OnChange is told when the store is given up (open) and when it answers again. It must not ask the store.
	OnChange func(open bool)
	// OnError is told of each step that failed, once for those that failed together, and of none that its caller canceled. It
	// must be quick.
	OnError func(error)
	// Logger is told the same as OnChange, and of the first step that succeeds: one line for each change. Defaults to no
	// logging.
	Logger *slog.Logger
}

// named is a store that tells which server it asks, for the log.
type named interface{ Server() string }

// A Store is a [store.Store] that passes steps on to another one, until too many have failed in a row. From then on
// steps fail at once with [store.ErrUnavailable], but for one trial at a time after each pause.
type Store struct {
	inner    store.Store
	breaker  *gobreaker.TwoStepCircuitBreaker[any]
	opt      Options
	givenUp  atomic.Int64              // when, in nanoseconds since 1970
	again    atomic.Pointer[time.Time] // when it may be asked again
	trials   atomic.Int32              // steps that are tried although it was given up: one
	failures uint32                    // in a row, when it was given up or tried last; guarded by the breaker's own lock
	failed   atomic.Pointer[error]     // the latest one
	answered atomic.Bool               // a step has succeeded before
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
		opt.Pause = 50 * time.Millisecond
	}
	if opt.MaxPause <= 0 {
		opt.MaxPause = 2 * time.Second
	}
	if opt.Timeout <= 0 {
		opt.Timeout = 100 * time.Millisecond
	}
	if opt.Grace <= 0 {
		opt.Grace = 2 * time.Second
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{inner: inner, opt: opt}
	s.breaker = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name:          "store",
		MaxRequests:   1,
		Timeout:       opt.Pause,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= opt.Failures },
		IsExcluded:    func(err error) bool { return errors.Is(err, errCaller) },
		OnStateChange: func(_ string, from, to gobreaker.State) { s.changed(from, to) },
	})
	return s
}

// changed takes notice of a change. The breaker's lock is held.
func (s *Store) changed(from, to gobreaker.State) {
	switch to {
	case gobreaker.StateHalfOpen: // a trial
		return
	case gobreaker.StateClosed:
		s.again.Store(nil)
		if s.answered.Load() {
			s.opt.Logger.Info("rediscache: Redis answers again", s.server()...)
		}
	case gobreaker.StateOpen:
		s.failures++
		if from == gobreaker.StateClosed {
			s.failures = s.opt.Failures
			s.givenUp.Store(time.Now().UnixNano())
			s.opt.Logger.Warn("rediscache: Redis does not answer; reading from the database",
				append(s.server(), "error", *s.failed.Load())...)
		}
		again := time.Now().Add(min(time.Duration(s.failures)*s.opt.Pause, s.opt.MaxPause))
		s.again.Store(&again)
		if from != gobreaker.StateClosed {
			return // a trial that failed
		}
	}
	if s.opt.OnChange != nil {
		s.opt.OnChange(to == gobreaker.StateOpen)
	}
}

// server names the server for the log, if the store can.
func (s *Store) server() []any {
	if n, ok := s.inner.(named); ok {
		return []any{"server", n.Server()}
	}
	return nil
}

// Open reports whether steps fail at once.
func (s *Store) Open() bool { return s.breaker.State() == gobreaker.StateOpen }

// GivenUp reports whether the store has stopped answering and has not answered since: steps fail, or are trials.
func (s *Store) GivenUp() bool { return s.breaker.State() != gobreaker.StateClosed }

// Refuses reports whether a step that somebody needs an answer of would fail at once: the store has been given up, and it is
// not time for the next trial, or that is under way.
func (s *Store) Refuses() bool {
	again := s.again.Load()
	return again != nil && (s.trials.Load() > 0 || time.Now().Before(*again))
}

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

// Layout implements [store.Store].
func (s *Store) Layout() keying.Layout { return s.inner.Layout() }

// tell takes a step that others depend on.
func (s *Store) tell(ctx context.Context, step func() error) error {
	err := s.do(ctx, step)
	if !errors.Is(err, errRefused) || time.Now().UnixNano()-s.givenUp.Load() >= int64(s.opt.Grace) {
		return err
	}
	if err = s.try(ctx, step); err == nil {
		if done, refused := s.breaker.Allow(); refused == nil { // as if it had been a trial
			s.over(nil, done)
		}
	}
	return err
}

// errRefused is the error of a step that was not taken.
var errRefused = fmt.Errorf("%w: it has stopped answering", store.ErrUnavailable)

func (s *Store) do(ctx context.Context, step func() error) error {
	again := s.again.Load()
	if again != nil && time.Now().Before(*again) {
		return errRefused
	}
	done, err := s.breaker.Allow()
	if err != nil {
		return errRefused
	}
	if again != nil {
		s.trials.Add(1)
		defer s.trials.Add(-1)
	}
	start := time.Now()
	outcome := errCaller // if the step panics
	defer func() { s.over(outcome, done) }()
	err = s.try(ctx, step)
	// A connection that fails fails all that went along; it counts once, as the failure of whoever did the exchange.
	// One of several servers that fails says nothing of the others.
	another := errors.Is(err, store.ErrShared) || errors.Is(err, store.ErrInPart)
	silent := errors.Is(ctx.Err(), context.DeadlineExceeded) && time.Since(start) > s.opt.Timeout*9/10
	if err == nil || (ctx.Err() == nil || silent) && !another {
		outcome = err
	}
	return err
}

// over reports the outcome of a step.
func (s *Store) over(outcome error, done func(error)) {
	if outcome != nil && !errors.Is(outcome, errCaller) {
		failed := outcome // allocated here only
		s.failed.Store(&failed)
	}
	done(outcome)
	if outcome == nil && !s.answered.Load() && s.answered.CompareAndSwap(false, true) {
		key := line{log: weak.Make(s.opt.Logger), server: fmt.Sprint(s.server()...)}
		if _, again := connected.LoadOrStore(key, true); !again || s.givenUp.Load() != 0 { // then the log has that it was lost
			s.opt.Logger.Info("rediscache: connected to Redis", s.server()...)
		}
	}
}

// connected remembers which servers a log has been told of. A process may have many handles, as its tests have.
var connected sync.Map //nolint:gochecknoglobals // line → true

type line struct {
	log    weak.Pointer[slog.Logger]
	server string
}

// try takes a step, and tells if it failed.
func (s *Store) try(ctx context.Context, step func() error) error {
	err := step()
	told := err != nil && s.opt.OnError != nil && !errors.Is(err, store.ErrShared) && !errors.Is(err, store.ErrUnavailable)
	if told && !errors.Is(ctx.Err(), context.Canceled) {
		s.opt.OnError(err)
	}
	return err
}
