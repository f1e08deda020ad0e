// Package flight lets concurrent misses of one entry share one read of the database.
package flight

import (
	"context"
	"sync"
)

// A Group shares the work of callers that ask for the same key at the same time.
//
// The key must contain all that makes the results of two calls exchangeable: for a cache, the entry and the stamps
// that it will be stored with. The zero Group is ready.
type Group[V any] struct {
	mu      sync.Mutex
	flights map[string]*flight[V]
}

type flight[V any] struct {
	landed chan struct{} // closed when value and shared are set
	value  V
	shared bool
}

// Do returns the result of work for the key. One caller at a time does the work; those that come meanwhile wait for
// it and get its value, with joined set.
//
// A result is shared only if work says so. If it does not, if it fails, or if it panics, those who waited do the
// work themselves: no caller gets another one's error, and none waits for a leader that is gone. A caller whose
// context ends while it waits gets the context's error.
//
// A value that was shared stays, so that callers go on joining, until the leader calls landed, once. For any other
// caller, and for a result that is not shared, landed does nothing.
func (g *Group[V]) Do(
	ctx context.Context, key string, work func() (value V, share bool, err error),
) (value V, joined bool, landed func(), err error) {
	g.mu.Lock()
	if f, ok := g.flights[key]; ok {
		g.mu.Unlock()
		select {
		case <-f.landed:
		case <-ctx.Done():
			return value, false, func() {}, ctx.Err()
		}
		if f.shared {
			return f.value, true, func() {}, nil
		}
		value, _, err = work()
		return value, false, func() {}, err
	}
	f := &flight[V]{landed: make(chan struct{})}
	if g.flights == nil {
		g.flights = make(map[string]*flight[V])
	}
	g.flights[key] = f
	g.mu.Unlock()

	defer func() { // also when work panics
		if !f.shared {
			g.forget(key)
		}
		close(f.landed)
	}()
	value, share, err := work()
	if err != nil || !share {
		return value, false, func() {}, err
	}
	f.value, f.shared = value, true
	return value, false, func() { g.forget(key) }, nil
}

func (g *Group[V]) forget(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.flights, key)
}
