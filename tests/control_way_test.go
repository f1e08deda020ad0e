package tests_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// given is a query that is given a control: by a clause, or by a context.
type given func(h *handle, c clause.Expression, ctx context.Context) error

// givens are all ways to do so.
func givens() map[string]given {
	find := func(db *gorm.DB) error { return db.Order("id").Find(&[]member{}).Error }
	return map[string]given{
		"clause":  func(h *handle, c clause.Expression, _ context.Context) error { return find(h.Clauses(c)) },
		"context": func(h *handle, _ clause.Expression, ctx context.Context) error { return find(h.WithContext(ctx)) },
		"session of a context": func(h *handle, _ clause.Expression, ctx context.Context) error {
			return find(h.Session(&gorm.Session{Context: ctx}))
		},
		"session of a clause": func(h *handle, c clause.Expression, _ context.Context) error {
			db := h.Clauses(c).Session(&gorm.Session{})
			_ = db.Where("id = 1") // another statement of the session
			return find(db)
		},
		"generics": func(h *handle, c clause.Expression, _ context.Context) error {
			_, err := gorm.G[member](h.DB, c).Order("id").Find(context.Background())
			return err
		},
		"generics with a context": func(h *handle, _ clause.Expression, ctx context.Context) error {
			_, err := gorm.G[member](h.DB).Order("id").Find(ctx)
			return err
		},
	}
}

// Every control can be given by clause, by context, by session and in the generics API, and holds for that only.
func TestControlsCanBeGivenInEveryWay(t *testing.T) {
	t.Parallel()
	var why rediscache.Explanation
	for name, c := range map[string]struct { //nolint:paralleltest // they share an explanation
		clause clause.Expression
		with   func(context.Context) context.Context
		done   func(metrics.ReadEvent) bool
	}{
		"Bypass": {
			rediscache.Bypass, rediscache.WithBypass,
			func(e metrics.ReadEvent) bool { return e.Reason == metrics.ReasonControl },
		},
		"Refresh": {
			rediscache.Refresh, rediscache.WithRefresh,
			func(e metrics.ReadEvent) bool { return e.Outcome == metrics.Miss },
		},
		"ReadOnly": {
			rediscache.ReadOnly, rediscache.WithReadOnly,
			func(e metrics.ReadEvent) bool { return e.Outcome == metrics.Hit && e.Found == 1 },
		},
		"TTL": {
			rediscache.TTL(time.Millisecond),
			func(ctx context.Context) context.Context { return rediscache.WithTTL(ctx, time.Millisecond) },
			func(e metrics.ReadEvent) bool { return e.TTL <= time.Millisecond || e.Joined },
		},
		"StaleOK": {
			rediscache.StaleOK(time.Hour),
			func(ctx context.Context) context.Context { return rediscache.WithStaleOK(ctx, time.Hour) },
			func(e metrics.ReadEvent) bool { return e.Outcome == metrics.Hit },
		},
		"DependsOn": {
			rediscache.DependsOn("elsewhere"),
			func(ctx context.Context) context.Context { return rediscache.WithDependsOn(ctx, "elsewhere") },
			func(e metrics.ReadEvent) bool { return len(e.Tags) == 3 && e.Tags[1] == "list:elsewhere" },
		},
		"Touches": {
			rediscache.Touches("elsewhere"),
			func(ctx context.Context) context.Context { return rediscache.WithTouches(ctx, "elsewhere") },
			nil,
		},
		"Explain": {
			rediscache.Explain(&why),
			func(ctx context.Context) context.Context { return rediscache.WithExplain(ctx, &why) },
			func(metrics.ReadEvent) bool { return why.Outcome == metrics.Hit },
		},
	} {
		for by, give := range givens() {
			t.Run(name+" by "+by, func(t *testing.T) {
				w := newWorld(t)
				w.members(2)
				h := w.cached()
				plainly := func(db *gorm.DB) { require.NoError(t, db.Order("id").Find(&[]member{}).Error) }
				h.warm(t, plainly)
				run := func() { require.NoError(t, give(h, c.clause, c.with(t.Context()))) }
				if c.done == nil {
					wrote := h.log.wrote(run)
					require.NotEmpty(t, wrote)
					require.Contains(t, wrote[0].Tags, "list:elsewhere")
					return
				}
				e := h.log.read(t, run)
				require.True(t, c.done(e), "%+v\n%s", e, why)
				h.warm(t, plainly)
				e = h.log.read(t, func() { plainly(h.DB) })
				require.Equal(t, metrics.Hit, e.Outcome)
				require.Greater(t, e.TTL, time.Second)
			})
		}
	}
}

// A clause goes before the context, where there can be only one of a kind.
func TestClauseGoesBeforeTheContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached(noJitter)
	ctx := rediscache.WithStaleOK(rediscache.WithTTL(t.Context(), time.Hour), time.Millisecond)
	read := func(db *gorm.DB) time.Duration {
		return h.log.read(t, func() { require.NoError(t, db.First(&member{}, 1).Error) }).TTL
	}
	require.Equal(t, time.Minute, read(h.WithContext(ctx).Clauses(rediscache.TTL(time.Minute))))
	require.Equal(t, time.Hour, read(h.WithContext(ctx).Clauses(rediscache.Refresh)))
	require.Equal(t, 2*time.Hour, read(h.WithContext(rediscache.WithTTL(ctx, 2*time.Hour)).Clauses(rediscache.Refresh)))
}

// What cannot be asked for is the error of the statement that asks, and nothing is sent.
func TestControlThatIsWrongIsAnErrorOfTheStatement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	for want, c := range map[string]struct {
		clause clause.Expression
		with   func(context.Context) context.Context
	}{
		"TTL: want a positive duration, got 0s": {
			rediscache.TTL(0), func(ctx context.Context) context.Context { return rediscache.WithTTL(ctx, 0) },
		},
		"TTL: want 24h0m0s at most, got 25h0m0s": {
			rediscache.TTL(25 * time.Hour),
			func(ctx context.Context) context.Context { return rediscache.WithTTL(ctx, 25*time.Hour) },
		},
		"TTL: want a positive duration, got Off": {
			rediscache.TTL(ttlconfig.Off),
			func(ctx context.Context) context.Context { return rediscache.WithTTL(ctx, ttlconfig.Off) },
		},
		"StaleOK: want a positive duration, got -1s": {
			rediscache.StaleOK(-time.Second),
			func(ctx context.Context) context.Context { return rediscache.WithStaleOK(ctx, -time.Second) },
		},
		"StaleOK: want a millisecond at least, got 1µs": {
			rediscache.StaleOK(time.Microsecond),
			func(ctx context.Context) context.Context { return rediscache.WithStaleOK(ctx, time.Microsecond) },
		},
	} {
		for _, db := range []*gorm.DB{h.Clauses(c.clause), h.WithContext(c.with(t.Context()))} {
			db = db.Session(&gorm.Session{})
			sent := h.sql.during(func() {
				for name, err := range map[string]error{
					"find":   db.Find(&[]member{}).Error,
					"scan":   db.Model(&member{}).Select("count(*)").Scan(new(int)).Error,
					"row":    db.Model(&member{}).Select("count(*)").Row().Scan(new(int)),
					"create": db.Create(&member{Name: "new"}).Error,
					"update": db.Model(&member{ID: 1}).Update("name", "new").Error,
					"exec":   db.Exec("DELETE FROM members").Error,
				} {
					require.ErrorIs(t, err, rediscache.ErrControl, name)
					require.ErrorContains(t, err, want, name)
				}
				_, err := db.Model(&member{}).Rows()
				require.ErrorIs(t, err, rediscache.ErrControl)
				_, err = gorm.G[member](h.DB, c.clause).Find(t.Context())
				require.ErrorIs(t, err, rediscache.ErrControl)
			})
			for _, text := range sent {
				require.NotContains(t, text, "members")
			}
		}
	}
	require.Equal(t, "m1", nameOf(t, h.DB, 1))
}
