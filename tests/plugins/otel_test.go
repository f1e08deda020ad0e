package plugins_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"gorm.io/gorm"
	"gorm.io/plugin/opentelemetry/tracing"

	"github.com/gorm-rediscache/rediscache"
)

type track struct {
	ID   int `gorm:"primaryKey;autoIncrement:false"`
	Name string
	Cuts []cut
}

type cut struct {
	ID      int `gorm:"primaryKey;autoIncrement:false"`
	TrackID int
}

// traced returns the plugin of opentelemetry, and what returns the spans of a function within a span of its own.
func traced(t *testing.T) (plugin gorm.Plugin, spans func(f func(context.Context)) []string) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	spans = func(f func(context.Context)) []string {
		before := len(recorder.Ended())
		ctx, parent := provider.Tracer("test").Start(t.Context(), "request")
		f(ctx)
		parent.End()
		var all []string
		ended := recorder.Ended()[before:]
		for _, s := range ended {
			all = append(all, describe(s, ended))
		}
		return all
	}
	return tracing.NewPlugin(tracing.WithTracerProvider(provider), tracing.WithoutMetrics()), spans
}

// describe is a span without what differs from run to run.
func describe(s sdktrace.ReadOnlySpan, all []sdktrace.ReadOnlySpan) string {
	parent := ""
	if i := slices.IndexFunc(all, func(p sdktrace.ReadOnlySpan) bool {
		return p.SpanContext().SpanID() == s.Parent().SpanID()
	}); i >= 0 {
		parent = all[i].Name()
	}
	text := &strings.Builder{}
	fmt.Fprintf(text, "%s (%s) in %q, %v %q", s.Name(), s.SpanKind(), parent, s.Status().Code, s.Status().Description)
	for _, a := range s.Attributes() {
		fmt.Fprintf(text, ", %s=%s", a.Key, a.Value.Emit())
	}
	for _, e := range s.Events() {
		text.WriteString(", event " + e.Name)
	}
	return text.String()
}

// tracedReads are statements whose spans are compared. The first ones can be answered from Redis.
func tracedReads() (cachable, others map[string]func(*gorm.DB) error) {
	cachable = map[string]func(*gorm.DB) error{
		"row":    func(db *gorm.DB) error { return db.First(&track{}, 1).Error },
		"absent": func(db *gorm.DB) error { return db.First(&track{}, 9).Error },
		"rows":   func(db *gorm.DB) error { return db.Find(&[]track{}, []int{1, 2, 9}).Error },
		"list":   func(db *gorm.DB) error { return db.Preload("Cuts").Order("id").Find(&[]track{}).Error },
		"count":  func(db *gorm.DB) error { return db.Model(&track{}).Count(new(int64)).Error },
		"text":   func(db *gorm.DB) error { return db.Raw("SELECT name FROM tracks").Scan(&[]string{}).Error },
	}
	others = map[string]func(*gorm.DB) error{
		"no such column": func(db *gorm.DB) error { return db.Where("nothing = 1").Find(&[]track{}).Error },
		"update":         func(db *gorm.DB) error { return db.Model(&track{ID: 1}).Update("name", "new").Error },
		"create":         func(db *gorm.DB) error { return db.Create(&track{ID: 5, Cuts: []cut{{ID: 51}}}).Error },
		"create twice":   func(db *gorm.DB) error { return db.Create(&track{ID: 1}).Error },
		"delete":         func(db *gorm.DB) error { return db.Where("track_id = 5").Delete(&cut{}).Error },
		"exec":           func(db *gorm.DB) error { return db.Exec("DELETE FROM tracks WHERE id = 5").Error },
		"exec that fails": func(db *gorm.DB) error {
			return db.Exec("nonsense").Error
		},
		"canceled": func(db *gorm.DB) error {
			ctx, cancel := context.WithCancel(db.Statement.Context)
			cancel()
			return db.WithContext(ctx).First(&track{}, 1).Error
		},
		"transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.First(&track{}, 1).Error })
		},
		"rows by hand": func(db *gorm.DB) error {
			rows, err := db.Model(&track{}).Rows()
			if err != nil {
				return err
			}
			return rows.Close()
		},
	}
	return cachable, others
}

// Each statement has the span that it has without rediscache, whether the database is asked or not.
func TestSpansAreTheSame(t *testing.T) {
	t.Parallel()
	eachOrder(t, func(t *testing.T, o order) {
		w := newWorld(t)
		plainOtel, plainSpans := traced(t)
		cachedOtel, cachedSpans := traced(t)
		setup := w.plain()
		require.NoError(t, setup.AutoMigrate(&track{}, &cut{}))
		require.NoError(t, setup.Create(&[]track{{ID: 1, Name: "a", Cuts: []cut{{ID: 11}}}, {ID: 2, Name: "b"}}).Error)
		plain, h := w.plain(plainOtel), w.cached(o, cachedOtel)
		admin := w.cached(o)
		reset := func() {
			require.NoError(t, admin.Exec("DELETE FROM cuts WHERE track_id = 5").Error)
			require.NoError(t, admin.Exec("DELETE FROM tracks WHERE id = 5").Error)
			require.NoError(t, admin.Exec("UPDATE tracks SET name = 'a' WHERE id = 1").Error)
		}
		compare := func(name string, run func(*gorm.DB) error) {
			t.Helper()
			var wantErr, gotErr error
			reset()
			want := plainSpans(func(ctx context.Context) { wantErr = run(plain.WithContext(ctx)) })
			reset()
			got := cachedSpans(func(ctx context.Context) { gotErr = run(h.WithContext(ctx)) })
			require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(gotErr), name)
			require.Equal(t, want, got, name)
			require.NotEmpty(t, want, name)
		}
		cachable, others := tracedReads()
		for name, run := range cachable {
			compare(name+", a miss", run)
			agrees(t, setup, h, func(db *gorm.DB) any { return fmt.Sprint(run(db)) })
			want := plainSpans(func(ctx context.Context) { _ = run(plain.WithContext(ctx)) })
			sent := h.sql.during(func() {
				require.True(t, h.hits(func() {
					require.Equal(t, want, cachedSpans(func(ctx context.Context) { _ = run(h.WithContext(ctx)) }), name)
				}), name)
			})
			require.Empty(t, sent, name)
		}
		for name, run := range others {
			compare(name, run)
		}
	})
}

// With Annotate, the span of a statement tells what the cache did for it.
func TestSpansTellWhatTheCacheDid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.plain().AutoMigrate(&track{}))
	tracer, spans := traced(t)
	cache := rediscache.New(rediscache.Config{
		Redis: w.redis, Namespace: w.namespace, Timeout: 5 * time.Second, LearnTimeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler),
		Annotate: func(ctx context.Context, attrs []slog.Attr) {
			span := trace.SpanFromContext(ctx)
			for _, a := range attrs {
				span.SetAttributes(attribute.String(a.Key, a.Value.String()))
			}
		},
	})
	t.Cleanup(func() { _ = cache.Close(context.Background()) })
	h := w.plain(tracer, cache)
	read := func(ctx context.Context) { require.NoError(t, h.WithContext(ctx).Find(&[]track{}).Error) }
	require.Contains(t, spans(read)[0], "rediscache.outcome=miss, db.collection.name=tracks, rediscache.kind=list, rediscache.key=")
	require.Eventually(t, func() bool {
		return strings.Contains(spans(read)[0], "rediscache.outcome=hit")
	}, 10*time.Second, time.Millisecond)
	bypass := spans(func(ctx context.Context) { read(rediscache.WithBypass(ctx)) })
	require.Len(t, bypass, 2)
	require.Contains(t, bypass[0], "rediscache.outcome=bypass, rediscache.reason=control, db.collection.name=tracks")
	require.NotContains(t, bypass[1], "rediscache", "the request's own span")
}
