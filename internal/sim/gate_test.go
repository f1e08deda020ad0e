package sim_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
)

// errFault is the answer to a step that was not carried out, or whose answer was lost; errCrashed, to whatever a process
// asks for that has crashed.
var (
	errFault   = errors.New("fault")
	errCrashed = errors.New("the process has crashed")
)

// A kind says what a call is.
type kind uint8

const (
	returns kind = iota // something is over, and has to be judged now
	begins              // an application is about to begin something
	selects             // the database is read
	commits             // a transaction is about to commit
	steps               // a step of the store
)

// A call waits at the gate.
type call struct {
	p     *process
	actor string
	kind  kind
	what  string
	seq   int
	// do carries it out. The scheduler calls it, so that nothing happens at the same time.
	do     func()
	answer chan error // of one element
	// late is set if its context is over: its caller goes on when the scheduler says so, as everybody does. left is set if
	// nobody waits for the answer any more, while what was asked for is still under way.
	late, left bool
}

// A gate is where everything waits that happens outside of a process.
type gate struct {
	mu      sync.Mutex
	waiting []*call
	seq     int
	actors  int // those that have not ended
}

// pass waits until the scheduler lets a call pass, or the context is over.
func (g *gate) pass(ctx context.Context, c *call) error {
	g.mu.Lock()
	if c.p.crashed {
		g.mu.Unlock()
		return errCrashed
	}
	c.actor, c.answer = c.p.name+" "+name(ctx), make(chan error, 1)
	c.what = c.actor + c.what
	g.add(c)
	g.mu.Unlock()
	select {
	case err := <-c.answer:
		return err
	case <-ctx.Done():
	}
	g.mu.Lock()
	c.late = true
	g.mu.Unlock()
	return <-c.answer
}

// add has a call wait. The caller holds mu.
func (g *gate) add(c *call) {
	g.seq++
	c.seq = g.seq
	g.waiting = append(g.waiting, c)
}

// calls returns those that wait, in an order that does not depend on how goroutines were run.
func (g *gate) calls() []*call {
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.SortFunc(g.waiting, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.what, b.what), cmp.Compare(a.seq, b.seq))
	})
	return slices.Clone(g.waiting)
}

// urgent returns a call that does not wait for a turn: something is over, or has taken too long.
func (g *gate) urgent() *call {
	calls := g.calls()
	if i := slices.IndexFunc(calls, func(c *call) bool { return c.kind == returns || c.late }); i >= 0 {
		return calls[i]
	}
	return nil
}

// remove takes a call from those that wait.
func (g *gate) remove(c *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(x *call) bool { return x == c })
}

// again has a call wait that was carried out: it will be carried out once more.
func (g *gate) again(c *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.add(&call{p: c.p, actor: c.actor, kind: c.kind, what: c.what + " (again)", do: c.do, answer: make(chan error, 1), left: true})
}

// crash ends a process: nothing of what it asks for happens any more, but for what is under way already.
func (g *gate) crash(p *process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.crashed = true
	for _, c := range g.waiting {
		if c.p == p && !c.left {
			c.answer <- errCrashed
		}
	}
	g.waiting = slices.DeleteFunc(g.waiting, func(c *call) bool { return c.p == p && !c.left })
}

// acts counts an actor that begins or ends.
func (g *gate) acts(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.actors += n
}

func (g *gate) acting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.actors > 0
}

// actorName is the key under which a context has the name of the actor that it belongs to.
type actorName struct{}

func as(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorName{}, actor)
}

// name returns the actor of a context; nothing, if it is none's.
func name(ctx context.Context) string {
	if s, ok := ctx.Value(actorName{}).(string); ok {
		return s + " "
	}
	return ""
}
