// Package prom turns what the cache reports into Prometheus metrics. rediscache.Config.Registerer uses it; a program has no
// need to.
//
//	prom.go    registering; plugins that share metrics
//	events.go  what is counted when something happens
//	series.go  label values, which are bounded, and the counters behind them
//	scrape.go  what is asked for when Prometheus comes
//	probe.go   asking Redis without making Prometheus wait
//
// docs/operations.md has the list of all metrics.
package prom

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// A Source is one plugin, as it is asked at a scrape.
type Source struct {
	// Gauges is what the plugin is doing. It must not wait for anything.
	Gauges func() metrics.Gauges
	// Pool is the state of the connections to Redis; nil, if there are none. Sources of the same Client have the same.
	Pool   func() metrics.Pool
	Client any
	// Server asks Redis; nil, if it is none. Sources of the same ServerName ask the same servers, of which one answer counts;
	// those that also have the same Namespace count the same keys there.
	Server     func(context.Context) (metrics.Server, error)
	ServerName string
	Namespace  string
	// Timeout is how long a scrape waits for Pool and Server.
	Timeout time.Duration
}

// A Handle is the part that one plugin has in the metrics of a registerer. It receives the plugin's events.
type Handle struct {
	metrics.Recorder

	c      *collector
	reg    prometheus.Registerer
	source *source
}

// ReadTagsUnwanted implements [metrics.ReadTagsUnwanted].
func (*Handle) ReadTagsUnwanted() {}

var errForeign = errors.New("metrics of the same names are registered by something else")

// Register registers the metrics. Plugins that use the same registerer share them: counters count for all, gauges are sums,
// ages the greatest, and so are the rows of outboxes, which all of them see. To tell them apart, wrap the
// registerer: prometheus.WrapRegistererWith.
func Register(reg prometheus.Registerer) (*Handle, error) {
	for {
		c := newCollector()
		if err := reg.Register(c); err != nil {
			var known prometheus.AlreadyRegisteredError
			if !errors.As(err, &known) {
				return nil, fmt.Errorf("register metrics: %w", err)
			}
			existing, ours := known.ExistingCollector.(*collector)
			if !ours {
				return nil, fmt.Errorf("register metrics: %w", errForeign)
			}
			c = existing
		}
		h := &Handle{Recorder: c.events, c: c, reg: reg, source: &source{}}
		if c.join(h.source) {
			return h, nil
		} // else it is being unregistered
	}
}

// Observe names what is asked at a scrape. Before that there is nothing to ask.
func (h *Handle) Observe(s Source) {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	h.source.observe(s)
}

// Close takes the plugin out of the metrics. With the last one they are unregistered.
func (h *Handle) Close() {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	h.c.sources = slices.DeleteFunc(h.c.sources, func(s *source) bool { return s == h.source })
	h.source.cancel()
	if len(h.c.sources) == 0 && !h.c.closed {
		h.c.closed = true
		h.reg.Unregister(h.c)
	}
}

// A collector is all metrics of one registerer.
type collector struct {
	events *events
	pulled pulled

	mu      sync.Mutex
	sources []*source
	closed  bool
}

var _ prometheus.Collector = (*collector)(nil)

func newCollector() *collector { return &collector{events: newEvents(), pulled: newPulled()} }

// join adds a source, unless the collector is not registered any more.
func (c *collector) join(s *source) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.sources = append(c.sources, s)
	}
	return !c.closed
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, counted := range c.events.all() {
		counted.Describe(ch)
	}
	c.pulled.describe(ch)
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	for _, counted := range c.events.all() {
		counted.Collect(ch)
	}
	c.mu.Lock()
	sources := make([]source, len(c.sources))
	for i, s := range c.sources {
		sources[i] = *s
	}
	c.mu.Unlock()
	c.pulled.collect(ch, sources)
}
