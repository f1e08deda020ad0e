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

	mu      sync.Mutex
	closed  bool
	running int
	idle    chan struct{} // closed when the last one of those that are running has ended
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
	if g.running == 0 {
		g.idle = make(chan struct{})
	}
	g.running++
	go g.run(f)
	return true
}

func (g *Group) run(f func()) {
	defer g.ended()
	defer func() {
		if r := recover(); r != nil {
			g.panicked(r)
		}
	}()
	f()
}

func (g *Group) ended() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	if g.running == 0 {
		close(g.idle)
	}
}

// Close lets nothing begin any more. What is under way goes on, unless the owner ends it.
func (g *Group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// Wait waits for what is under way, until the context is over. If nothing is, it returns nil, whatever the context says.
func (g *Group) Wait(ctx context.Context) error {
	g.mu.Lock()
	idle, running := g.idle, g.running
	g.mu.Unlock()
	if running == 0 {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("what goes on in the background has not ended: %w", ctx.Err())
	}
}
