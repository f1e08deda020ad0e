package metrics_test

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// lines is a slog handler that remembers what it is told, a line each.
type lines struct {
	level slog.Level
	mu    sync.Mutex
	all   []string
}

func (l *lines) Enabled(_ context.Context, level slog.Level) bool { return level >= l.level }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	l.all = append(l.all, line)
	return nil
}

func (l *lines) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *lines) WithGroup(string) slog.Handler      { return l }

// take returns the lines so far, and forgets them.
func (l *lines) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.all
	l.all = nil
	return taken
}

func TestLogTellsWhatHappensAndWhy(t *testing.T) {
	t.Parallel()
	var l lines
	l.level = slog.LevelDebug
	r := metrics.NewLog(slog.New(&l))
	r.Read(metrics.ReadEvent{Outcome: metrics.Hit, Table: "users", Key: "rc/1:row:users:1", Entries: 1, Found: 1, Age: time.Second})
	r.Read(metrics.ReadEvent{Outcome: metrics.Miss, Table: "users", Key: "rc/1:row:users:2", Entries: 2, Found: 1})
	r.Read(metrics.ReadEvent{Outcome: metrics.Bypass, Table: "users", Reason: metrics.ReasonLock})
	r.Fill(metrics.FillEvent{Table: "users", Key: "rc/1:row:users:2", Entries: 1, Bytes: 9, Result: metrics.Stored})
	r.Write(metrics.WriteEvent{
		Outcome: metrics.Committed, Announced: true, Released: true, Tags: strings.Split("abcdefghij", ""),
		Causes: map[string]metrics.Cause{"users": metrics.CauseUpdate},
	})
	r.State(metrics.StateEvent{State: metrics.StoreOpen, On: true})
	require.Equal(t, []string{
		"DEBUG rediscache: hit table=users key=rc/1:row:users:1 entries=1 joined=false age=1s duration=0s",
		"DEBUG rediscache: miss table=users key=rc/1:row:users:2 entries=2 found=1 duration=0s",
		"DEBUG rediscache: bypass table=users reason=lock duration=0s",
		"DEBUG rediscache: fill table=users key=rc/1:row:users:2 result=stored entries=1 bytes=9 duration=0s",
		"DEBUG rediscache: invalidation outcome=committed tags=10 first=a b c d e f g h causes=[users=update] " +
			"announced=true released=true before=0s after=0s",
	}, l.take())
}

// Of each kind so many are logged in a second; the next line says how many were not.
func TestLogIsSampled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lines{level: slog.LevelDebug}
		r := metrics.NewLog(slog.New(&l))
		for i := range 25 {
			r.Read(metrics.ReadEvent{Outcome: metrics.Hit, Key: strconv.Itoa(i)})
		}
		require.Len(t, l.take(), 10)
		r.Read(metrics.ReadEvent{Outcome: metrics.Miss})
		require.Len(t, l.take(), 1, "another kind")
		time.Sleep(time.Second)
		r.Read(metrics.ReadEvent{Outcome: metrics.Hit})
		r.Read(metrics.ReadEvent{Outcome: metrics.Hit})
		got := l.take()
		require.Len(t, got, 2)
		require.Contains(t, got[0], "left_out=15")
		require.NotContains(t, got[1], "left_out")
	})
}

func TestLogIsQuietAboveDebug(t *testing.T) { //nolint:paralleltest // what others allocate would count
	l := lines{level: slog.LevelInfo}
	r := metrics.NewLog(slog.New(&l))
	e := metrics.ReadEvent{Outcome: metrics.Hit, Table: "users", Key: "k"}
	require.Zero(t, testing.AllocsPerRun(100, func() { r.Read(e) }))
	r.Fill(metrics.FillEvent{})
	r.Write(metrics.WriteEvent{})
	require.Empty(t, l.take())
}
