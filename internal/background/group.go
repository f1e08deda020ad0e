// Package background runs functions in goroutines that have an owner, who ends them.
package background

import (
	"context"
	"fmt"
	"sync"
)

// A Group is what goes on in the background for one owner.
type Group struct {
	panicked func(value any)

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup
}

// New returns a group. A panic of one of its functions ends that one, and not the process: the owner gets its value.
func New(panicked func(value any)) *Group { return &Group{panicked: panicked} }

// Go runs f in a goroutine. Once the group is closed it does nothing, and answers false.
func (g *Group) Go(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.work.Go(func() {
		defer func() {
			if r := recover(); r != nil {
				g.panicked(r)
			}
		}()
		f()
	})
	return true
}

// Close lets nothing begin any more. What is under way goes on, unless the owner ends it.
func (g *Group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// Wait waits for what is under way, until the context is over.
func (g *Group) Wait(ctx context.Context) error {
	over := make(chan struct{})
	go func() { // ends with them
		g.work.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("what goes on in the background has not ended: %w", ctx.Err())
	}
}
