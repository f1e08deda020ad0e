package prom

import (
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// events counts what happens.
type events struct {
	tables tables

	reads, bypasses, entries, fills, fillBytes *prometheus.CounterVec
	writes, invalidations, errors              *prometheus.CounterVec
	unannounced, late, lapsed, journaled       prometheus.Counter
	corrupt, opened, outboxed, panics          prometheus.Counter
	readTime, stepTime                         *prometheus.HistogramVec

	// What a hit needs is looked up once.
	readSeries    cache[readKey, readSeries]
	found, loaded prometheus.Counter
	intent, rel   prometheus.Observer
}

// readKey names the counters of a read.
type readKey struct {
	table   string
	kind    metrics.Kind
	outcome metrics.Outcome
	reason  metrics.Reason
}

type readSeries struct {
	reads    prometheus.Counter
	bypasses prometheus.Counter  // nil, unless it is one
	time     prometheus.Observer // nil for a bypass
}

var _ metrics.Recorder = (*events)(nil)

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
}

func single(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
}

// histogram is a native one for those who scrape such, at a relative error of 5 %, and has buckets for all others.
func histogram(name, help, label string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: prefix + name, Help: help,
		Buckets:                         []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1},
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	}, []string{label})
}

// prefix begins every name.
const prefix = "rediscache_"

func newEvents() *events {
	e := &events{
		reads:    counter("reads_total", "Statements that read, by where the answer came from.", "table", "kind", "outcome"),
		bypasses: counter("bypasses_total", "Statements answered as if there were no cache.", "table", "reason"),
		entries: counter("read_entries_total", "Entries that answers consisted of, by where they came from.",
			"source"),
		fills:     counter("fills_total", "Entries that were to be stored, by what became of them.", "table", "kind", "result"),
		fillBytes: counter("fill_bytes_total", "Bytes of the entries that were stored.", "table"),
		writes:    counter("writes_total", "Writes to cached tables, by what became of them.", "outcome"),
		invalidations: counter("invalidations_total", "Tags that writes made unservable; copies of a tag count as one.",
			"table", "cause", "tag"),
		errors:      counter("errors_total", "Steps that Redis failed to take.", "kind"),
		unannounced: single("unannounced_writes_total", "Writes of which Redis was not told before their COMMIT."),
		late:        single("late_releases_total", "Committed writes of which Redis had not heard when they returned."),
		lapsed:      single("lapsed_intents_total", "Writes whose intent was over before their COMMIT was."),
		journaled: single("journaled_writes_total", "Writes that other processes may not know of yet when they return: "+
			"their answers may be old until Redis is told."),
		outboxed: single("outboxed_writes_total", "Writes that left a row in the outbox, as Redis was not told of them."),
		corrupt:  single("corrupt_entries_total", "Entries that did not decode, and were taken for misses."),
		panics:   single("panics_total", "Panics of the cache's own code, after which the database has answered."),
		opened:   single("breaker_openings_total", "Times that Redis was given up."),
		readTime: histogram("read_duration_seconds", "Time that a statement took, by where the answer came from.", "outcome"),
		stepTime: histogram("write_step_duration_seconds", "Time that a write spent on the cache: before its COMMIT (intent), "+
			"and after it (release).", "step"),
	}
	e.readSeries.build = e.newReadSeries
	e.found, e.loaded = e.entries.WithLabelValues("redis"), e.entries.WithLabelValues("database")
	e.intent, e.rel = e.stepTime.WithLabelValues("intent"), e.stepTime.WithLabelValues("release")
	e.introduce()
	return e
}

// introduce makes the counters that alerts look at, so that their first increase is one.
func (c *events) introduce() {
	for _, o := range []metrics.WriteOutcome{
		metrics.Committed, metrics.RolledBack, metrics.InDoubt, metrics.Unseen, metrics.Refused,
	} {
		c.writes.WithLabelValues(string(o))
	}
	for _, k := range []metrics.ErrorKind{
		metrics.ErrorTimeout, metrics.ErrorPool, metrics.ErrorConnection, metrics.ErrorMemory, metrics.ErrorAuth,
		metrics.ErrorReadOnly, metrics.ErrorScript, metrics.ErrorOther,
	} {
		c.errors.WithLabelValues(string(k))
	}
	for _, o := range []metrics.Outcome{metrics.Hit, metrics.Miss} {
		c.readTime.WithLabelValues(string(o))
	}
}

func (c *events) all() []prometheus.Collector {
	return []prometheus.Collector{
		c.reads, c.bypasses, c.entries, c.fills, c.fillBytes, c.writes, c.invalidations, c.errors, c.unannounced, c.late,
		c.lapsed, c.journaled, c.outboxed, c.corrupt, c.panics, c.opened, c.readTime, c.stepTime,
	}
}

func (c *events) newReadSeries(key readKey) readSeries {
	s := readSeries{reads: c.reads.WithLabelValues(key.table, string(key.kind), string(key.outcome))}
	if key.outcome == metrics.Bypass {
		s.bypasses = c.bypasses.WithLabelValues(key.table, string(key.reason))
	} else {
		s.time = c.readTime.WithLabelValues(string(key.outcome))
	}
	return s
}

// Read implements [metrics.Recorder].
func (c *events) Read(e metrics.ReadEvent) {
	key := readKey{e.Table, e.Kind, e.Outcome, e.Reason}
	s, ok := c.readSeries.find(key)
	if !ok {
		key.table = c.tables.label(key.table)
		s = c.readSeries.get(key)
	}
	s.reads.Inc()
	if s.bypasses != nil {
		s.bypasses.Inc()
		return
	}
	s.time.Observe(e.Duration.Seconds())
	c.found.Add(float64(e.Found))
	if e.Found < e.Entries {
		c.loaded.Add(float64(e.Entries - e.Found))
	}
}

// Fill implements [metrics.Recorder].
func (c *events) Fill(e metrics.FillEvent) {
	table := c.tables.label(e.Table)
	c.fills.WithLabelValues(table, string(e.Kind), string(e.Result)).Add(float64(e.Entries))
	if e.Result == metrics.Stored {
		c.fillBytes.WithLabelValues(table).Add(float64(e.Bytes))
	}
}

// Write implements [metrics.Recorder].
func (c *events) Write(e metrics.WriteEvent) {
	c.writes.WithLabelValues(string(e.Outcome)).Inc()
	if e.Outcome == metrics.Refused {
		return
	}
	if !e.Announced {
		c.unannounced.Inc()
	}
	if e.Lapsed {
		c.lapsed.Inc()
	}
	if e.Outcome == metrics.Committed && !e.Released {
		c.late.Inc()
	}
	if e.Journaled {
		c.journaled.Inc()
	}
	if e.Outboxed {
		c.outboxed.Inc()
	}
	c.intent.Observe(e.Before.Seconds())
	c.rel.Observe(e.After.Seconds())
	c.invalidated(e)
}

// invalidated counts the tags of a write. Copies of a tag follow one another.
func (c *events) invalidated(e metrics.WriteEvent) {
	before := ""
	for _, tag := range e.Tags {
		if tag == before {
			continue
		}
		before = tag
		kind, rest, _ := strings.Cut(tag, ":")
		name, _, _ := strings.Cut(rest, ":")
		cause, ok := e.Causes[name]
		if !ok {
			cause, ok = e.Causes[""]
		}
		if !ok {
			cause = metrics.CauseUnknown
		}
		if plain, err := url.PathUnescape(name); err == nil {
			name = plain // as statements spell it
		}
		c.invalidations.WithLabelValues(c.tables.label(name), string(cause), kind).Inc()
	}
}

// State implements [metrics.Recorder].
func (c *events) State(e metrics.StateEvent) {
	if !e.On {
		return
	}
	switch e.State {
	case metrics.StoreOpen:
		c.opened.Inc()
	case metrics.CorruptEntry:
		c.corrupt.Inc()
	case metrics.Panicked:
		c.panics.Inc()
	case metrics.StoreError:
		c.errors.WithLabelValues(string(e.Error)).Inc()
	case metrics.JournalOpen, metrics.OutboxOpen: // gauges tell
	}
}
