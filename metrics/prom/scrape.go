package prom

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// pulled describes what is asked for when Prometheus comes.
type pulled struct {
	breaker, fills, plans, journal, age, doubt    *prometheus.Desc
	outbox, outboxAge                             *prometheus.Desc
	connections, requests, stale                  *prometheus.Desc
	used, limit, evicted, keys, ownKeys, ownBytes *prometheus.Desc
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prefix+name, help, labels, nil)
}

func newPulled() pulled {
	return pulled{
		breaker: desc("breaker_open", "1 while Redis has stopped answering and is not asked."),
		fills:   desc("fills_in_flight", "Answers that are being stored."),
		plans:   desc("plans", "Texts of statements that have a plan."),
		journal: desc("journal_writes", "Writes that Redis has to be told of before anything is served."),
		age:     desc("journal_age_seconds", "For how long the oldest write of the journal has waited; 0 if there is none."),
		outbox: desc("outbox_rows",
			"Rows of the outboxes of which Redis has to be told, of any process; 10 000 are counted, of each."),
		outboxAge: desc("outbox_age_seconds", "How long ago the oldest row of the outboxes was written; 0 if there is none."),
		doubt:     desc("in_doubt_writes", "Writes held back because the database did not tell whether they committed."),
		connections: desc("pool_connections", "Connections of the client to Redis; the application's own uses count, too.",
			"state"),
		requests: desc("pool_requests_total", "Requests for a connection of the client, by whether one was free.", "result"),
		stale:    desc("pool_stale_connections_total", "Connections that the client gave up."),
		used:     desc("redis_memory_used_bytes", "Memory in use by the Redis servers, by whatever."),
		limit:    desc("redis_memory_max_bytes", "Memory that the Redis servers may use; 0 if there is no limit."),
		evicted:  desc("redis_evicted_keys_total", "Keys that the Redis servers evicted, of whomever."),
		keys:     desc("redis_keys", "Keys in the Redis database, of whomever."),
		ownKeys:  desc("namespace_keys", "Keys in the cache's namespace, estimated from a sample."),
		ownBytes: desc("namespace_memory_bytes", "Memory of the keys in the cache's namespace, estimated from a sample."),
	}
}

func (p *pulled) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		p.breaker, p.fills, p.plans, p.journal, p.age, p.doubt, p.outbox, p.outboxAge, p.connections, p.requests, p.stale,
		p.used, p.limit, p.evicted, p.keys, p.ownKeys, p.ownBytes,
	} {
		ch <- d
	}
}

// collect asks the sources, all at the same time.
func (p *pulled) collect(ch chan<- prometheus.Metric, sources []source) {
	p.gauges(ch, sources)
	timeout := time.Duration(0)
	for _, s := range sources {
		timeout = max(timeout, s.Timeout)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout) //nolint:forbidigo // a scrape has none
	defer cancel()
	pools, servers := make([]<-chan struct{}, len(sources)), make([]<-chan struct{}, len(sources))
	for i, s := range sources {
		if s.pool != nil {
			pools[i] = s.pool.begin()
		}
		if s.server != nil {
			servers[i] = s.server.begin()
		}
	}
	p.pools(ctx, ch, sources, pools)
	p.servers(ctx, ch, sources, servers)
}

func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func count(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func (p *pulled) gauges(ch chan<- prometheus.Metric, sources []source) {
	var sum metrics.Gauges
	open := 0.0
	for _, s := range sources {
		if s.Gauges == nil {
			continue
		}
		g := s.Gauges()
		if g.StoreOpen {
			open = 1
		}
		sum.Fills, sum.Plans = sum.Fills+g.Fills, sum.Plans+g.Plans
		sum.Outbox, sum.OutboxAge = max(sum.Outbox, g.Outbox), max(sum.OutboxAge, g.OutboxAge) // several see the same rows
		sum.Journal, sum.JournalAge = sum.Journal+g.Journal, max(sum.JournalAge, g.JournalAge)
		sum.InDoubt += g.InDoubt
	}
	gauge(ch, p.breaker, open)
	gauge(ch, p.fills, float64(sum.Fills))
	gauge(ch, p.plans, float64(sum.Plans))
	gauge(ch, p.journal, float64(sum.Journal))
	gauge(ch, p.age, sum.JournalAge.Seconds())
	gauge(ch, p.outbox, float64(sum.Outbox))
	gauge(ch, p.outboxAge, sum.OutboxAge.Seconds())
	gauge(ch, p.doubt, float64(sum.InDoubt))
}

func (p *pulled) pools(ctx context.Context, ch chan<- prometheus.Metric, sources []source, over []<-chan struct{}) {
	var sum metrics.Pool
	seen := map[any]bool{}
	for i, s := range sources {
		if s.pool == nil || seen[s.Client] {
			continue
		}
		if one, ok := s.pool.end(ctx, over[i]); ok {
			seen[s.Client] = true
			sum.Total, sum.Idle, sum.Stale = sum.Total+one.Total, sum.Idle+one.Idle, sum.Stale+one.Stale
			sum.Hits, sum.Misses, sum.Timeouts = sum.Hits+one.Hits, sum.Misses+one.Misses, sum.Timeouts+one.Timeouts
		}
	}
	if len(seen) == 0 {
		return
	}
	gauge(ch, p.connections, float64(sum.Idle), "idle")
	gauge(ch, p.connections, float64(max(sum.Total-sum.Idle, 0)), "used")
	count(ch, p.requests, float64(sum.Hits), "hit")
	count(ch, p.requests, float64(sum.Misses), "miss")
	count(ch, p.requests, float64(sum.Timeouts), "timeout")
	count(ch, p.stale, float64(sum.Stale))
}

// servers counts each server once, and each namespace on it.
func (p *pulled) servers(ctx context.Context, ch chan<- prometheus.Metric, sources []source, over []<-chan struct{}) {
	var sum metrics.Server
	servers, spaces := map[string]bool{}, map[[2]string]bool{}
	for i, s := range sources {
		if s.server == nil {
			continue
		}
		one, ok := s.server.end(ctx, over[i])
		if !ok {
			continue
		}
		if !servers[s.ServerName] {
			servers[s.ServerName] = true
			sum.Used, sum.Max = sum.Used+one.Used, sum.Max+one.Max
			sum.Evicted, sum.Keys = sum.Evicted+one.Evicted, sum.Keys+one.Keys
		}
		if space := [2]string{s.ServerName, s.Namespace}; !spaces[space] {
			spaces[space] = true
			sum.OwnKeys, sum.OwnBytes = sum.OwnKeys+one.OwnKeys, sum.OwnBytes+one.OwnBytes
		}
	}
	if len(servers) == 0 {
		return
	}
	told := func(emit func(chan<- prometheus.Metric, *prometheus.Desc, float64, ...string), d *prometheus.Desc, v float64) {
		if !math.IsNaN(v) {
			emit(ch, d, v)
		}
	}
	told(gauge, p.used, sum.Used)
	told(gauge, p.limit, sum.Max)
	told(count, p.evicted, sum.Evicted)
	told(gauge, p.keys, sum.Keys)
	told(gauge, p.ownKeys, sum.OwnKeys)
	told(gauge, p.ownBytes, sum.OwnBytes)
}
