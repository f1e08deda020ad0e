package prom

import (
	"maps"
	"sync"
	"sync/atomic"
)

// maxTables is the greatest number of tables that have label values of their own. Names of tables come from statements:
// whoever makes the application send others must not be able to fill the memory of Prometheus.
const maxTables = 200

// otherTables is the label value of all tables beyond.
const otherTables = "other"

// A cache keeps values by key. It is read without a lock, and never shrinks: its keys are bounded by who uses it.
type cache[K comparable, V any] struct {
	build func(K) V
	m     atomic.Pointer[map[K]V]
	mu    sync.Mutex
}

// find returns a value that is there.
func (c *cache[K, V]) find(key K) (V, bool) {
	m := c.m.Load()
	if m == nil {
		var none V
		return none, false
	}
	v, ok := (*m)[key]
	return v, ok
}

// get returns a value, which is built if it is not there.
func (c *cache[K, V]) get(key K) V {
	if v, ok := c.find(key); ok {
		return v
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.find(key); ok {
		return v
	}
	grown := map[K]V{}
	if m := c.m.Load(); m != nil {
		grown = maps.Clone(*m)
	}
	v := c.build(key)
	grown[key] = v
	c.m.Store(&grown)
	return v
}

// tables are the names that are label values.
type tables struct {
	known sync.Map // name → struct{}
	n     atomic.Int64
	mu    sync.Mutex
}

// label returns the label value of a table.
func (t *tables) label(name string) string {
	if _, ok := t.known.Load(name); ok || name == "" {
		return name
	}
	if t.n.Load() >= maxTables {
		return otherTables
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.known.Load(name); ok {
		return name
	}
	if t.n.Load() >= maxTables {
		return otherTables
	}
	t.n.Add(1)
	t.known.Store(name, struct{}{})
	return name
}
