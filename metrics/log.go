package metrics

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// logged is how many events of a kind are logged in a second, at most.
const logged = 10

// maxLoggedTags is how many of a write's tags are named.
const maxLoggedTags = 8

// NewLog returns a Recorder that tells a logger of hits, misses, bypasses, fills and writes, at level Debug: ten of each a
// second, at most. The next line then says how many were left out. While that level is off, an event costs the question.
//
// Keys and tags hold primary keys and the values of scope columns.
func NewLog(logger *slog.Logger) Recorder { return &log{logger: logger, now: time.Now} }

type log struct {
	logger                           *slog.Logger
	now                              func() time.Time
	hits, misses, bypasses, fills, w sampler
}

// ReadTagsUnwanted implements [ReadTagsUnwanted].
func (*log) ReadTagsUnwanted() {}

// enabled reports whether anybody listens. An event has no context.
func (l *log) enabled() bool {
	return l.logger.Enabled(context.Background(), slog.LevelDebug) //nolint:forbidigo // as above
}

func (l *log) tell(s *sampler, message string, attrs ...slog.Attr) {
	out, ok := s.admit(l.now())
	if !ok {
		return
	}
	if out > 0 {
		attrs = append(attrs, slog.Int("left_out", out))
	}
	l.logger.LogAttrs(context.Background(), slog.LevelDebug, message, attrs...) //nolint:forbidigo // an event has none
}

// Read implements [Recorder].
func (l *log) Read(e ReadEvent) {
	if !l.enabled() {
		return
	}
	table, took := slog.String("table", e.Table), slog.Duration("duration", e.Duration)
	switch e.Outcome {
	case Hit:
		l.tell(&l.hits, "rediscache: hit", table, slog.String("key", e.Key), slog.Int("entries", e.Entries),
			slog.Bool("joined", e.Joined), slog.Duration("age", e.Age), took)
	case Miss:
		l.tell(&l.misses, "rediscache: miss", table, slog.String("key", e.Key), slog.Int("entries", e.Entries),
			slog.Int("found", e.Found), took)
	case Bypass:
		l.tell(&l.bypasses, "rediscache: bypass", table, slog.String("reason", string(e.Reason)), took)
	}
}

// Fill implements [Recorder].
func (l *log) Fill(e FillEvent) {
	if l.enabled() {
		l.tell(&l.fills, "rediscache: fill", slog.String("table", e.Table), slog.String("key", e.Key),
			slog.String("result", string(e.Result)), slog.Int("entries", e.Entries), slog.Int("bytes", e.Bytes),
			slog.Duration("duration", e.Duration))
	}
}

// Write implements [Recorder].
func (l *log) Write(e WriteEvent) {
	if !l.enabled() {
		return
	}
	causes := make([]slog.Attr, 0, len(e.Causes))
	for table, cause := range e.Causes {
		causes = append(causes, slog.String(table, string(cause)))
	}
	named := strings.Join(e.Tags[:min(len(e.Tags), maxLoggedTags)], " ")
	l.tell(&l.w, "rediscache: invalidation", slog.String("outcome", string(e.Outcome)), slog.Int("tags", len(e.Tags)),
		slog.String("first", named), slog.Attr{Key: "causes", Value: slog.GroupValue(causes...)},
		slog.Bool("announced", e.Announced), slog.Bool("released", e.Released),
		slog.Duration("before", e.Before), slog.Duration("after", e.After))
}

// State implements [Recorder]. Who finds a state says so itself, at its own level.
func (*log) State(StateEvent) {}

// A sampler lets so many events of each second through.
type sampler struct {
	mu      sync.Mutex
	second  int64
	n       int
	leftOut int
}

// admit reports whether an event is to be logged, and how many were not since the last one that was.
func (s *sampler) admit(now time.Time) (leftOut int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if second := now.Unix(); second != s.second {
		s.second, s.n = second, 0
	}
	if s.n == logged {
		s.leftOut++
		return 0, false
	}
	s.n++
	leftOut, s.leftOut = s.leftOut, 0
	return leftOut, true
}
