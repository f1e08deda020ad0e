package prom

import (
	"context"
	"sync"
	"time"

	"github.com/gorm-rediscache/rediscache/metrics"
)

const (
	// serverAge is how old an answer of Redis may be before it is asked again: scrapes in between cost it nothing.
	serverAge = 30 * time.Second
	// maxAge is how old an answer may be that is still told if no other one comes.
	maxAge = 2 * time.Minute
)

// A source is a Source, with what it has answered.
type source struct {
	Source
	ask    context.CancelFunc
	pool   *probe[metrics.Pool]
	server *probe[metrics.Server]
}

// observe begins to ask. The caller holds the collector's lock.
func (s *source) observe(from Source) {
	s.cancel()
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // ends with Handle.Close
	s.Source, s.ask = from, cancel
	if from.Pool != nil {
		s.pool = newProbe(ctx, 0, func(context.Context) (metrics.Pool, error) { return from.Pool(), nil })
	}
	if from.Server != nil {
		s.server = newProbe(ctx, serverAge, from.Server)
	}
}

// cancel ends what is being asked.
func (s *source) cancel() {
	if s.ask != nil {
		s.ask()
	}
}

// A probe asks for something that may take long, one at a time, and remembers the answer.
type probe[T any] struct {
	ctx context.Context //nolint:containedctx // ends with the source
	// age is how long an answer will do.
	age time.Duration
	ask func(context.Context) (T, error)

	mu     sync.Mutex
	under  chan struct{} // closed when the question that is under way is over; nil, if there is none
	answer T
	at     time.Time // of the answer; zero, if there is none
}

func newProbe[T any](ctx context.Context, age time.Duration, ask func(context.Context) (T, error)) *probe[T] {
	return &probe[T]{ctx: ctx, age: age, ask: ask}
}

// begin asks, unless the last answer will do, or the question is under way. What it returns is closed when that is over; nil
// if there is nothing to wait for.
func (p *probe[T]) begin() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.at.IsZero() && time.Since(p.at) < p.age || p.ctx.Err() != nil {
		return nil
	}
	if p.under != nil {
		return p.under
	}
	over := make(chan struct{})
	p.under = over
	go func() { // ends when the client's own timeouts do, if it heeds no context
		answer, err := p.ask(p.ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		if err == nil {
			p.answer, p.at = answer, time.Now()
		}
		p.under = nil
		close(over)
	}()
	return over
}

// end waits for what begin returned, until the context is over, and returns the last answer.
func (p *probe[T]) end(ctx context.Context, over <-chan struct{}) (answer T, ok bool) {
	if over != nil {
		select {
		case <-over:
		case <-ctx.Done():
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answer, !p.at.IsZero() && time.Since(p.at) < maxAge
}
