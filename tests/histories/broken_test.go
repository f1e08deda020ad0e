package histories_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/history"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// A broken protocol is one that keeps less than it promises.
type broken struct {
	name string
	of   func(store.Store) store.Store
	// fault brings the weakness to light; nil: it shows by itself.
	fault func(f *fleet, until time.Time)
}

func allBroken() []broken {
	return []broken{
		{name: "entries are deleted after COMMIT", of: testkit.NewDeleteAfterCommit},
		{name: "entries are deleted before and after COMMIT", of: func(s store.Store) store.Store {
			return testkit.DeleteTwice{Store: testkit.NewDeleteAfterCommit(s)}
		}},
		{name: "entries only expire", of: func(s store.Store) store.Store { return testkit.OnlyExpires{Store: s} }},
		{name: "tokens are dropped after COMMIT only", of: func(s store.Store) store.Store { return testkit.NoIntent{Store: s} }},
		{name: "intents lapse, and nobody releases", of: func(s store.Store) store.Store { return noRelease{s} }},
		{name: "one slot for all writers", of: func(s store.Store) store.Store { return testkit.OneSlot{Store: s} }},
		{name: "tokens are counted, and come back", of: testkit.NewCounted},
		{name: "a reader joins a look at Redis that began before it", of: func(s store.Store) store.Store {
			return &joining{Store: s, looks: map[string]look{}}
		}},
		{name: "writers do not tell of scopes", of: func(s store.Store) store.Store {
			return &testkit.Forgetful{Store: s, Forgets: func(t keying.Tag) bool {
				return strings.Contains(string(t), ":scope:")
			}}
		}},
		{name: "the history is not looked at", of: func(s store.Store) store.Store {
			return testkit.NoHistory{Store: s}
		}, fault: restartFromCopy},
	}
}

// The histories that show nothing wrong of the protocol show what is wrong of each of these.
func TestHistoriesFindOutBrokenProtocols(t *testing.T) {
	t.Parallel()
	if testkit.Soak(t) == 0 {
		t.Skip("a search, which ends by chance: make soak. TestInterleavingsCatchBrokenProtocols is certain")
	}
	for _, b := range allBroken() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, b.of)
			begun := time.Now()
			for phase := int64(1); time.Since(begun) < 2*time.Minute; phase++ {
				if v := l.try(phase, b.fault); v.Bad() > 0 {
					t.Logf("found out after %v, in %d of %d reads:\n%s", time.Since(begun).Round(time.Millisecond), v.Bad(), v.Reads,
						strings.Join(v.Evidence, "\n"))
					return
				}
			}
			t.Fatal("not found out")
		})
	}
}

// Of the protocol itself they show nothing, in the same laboratory.
func TestHistoriesFindNothingWrongOfTheProtocol(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s store.Store) store.Store { return s })
	for phase, fault := range []func(*fleet, time.Time){nil, restartFromCopy, nil} {
		v := l.try(int64(phase+1), fault)
		require.Zero(t, v.Bad(), strings.Join(v.Evidence, "\n"))
	}
}

// lab is a fleet whose applications are in this process, on a store that is broken.
type lab struct {
	*fleet
	apps []*app
}

func newLab(t *testing.T, broken func(store.Store) store.Store) *lab {
	t.Helper()
	l := &lab{fleet: &fleet{t: t, server: testkit.StartRedis(t), dir: t.TempDir()}}
	l.admin = l.server.Client()
	l.settings = settings{DSN: testkit.Postgres(t), Namespace: "histories", Timeout: time.Second}
	l.plain = migrated(t, l.settings.DSN)
	client := redis.NewClient(&redis.Options{Addr: l.server.Addr})
	t.Cleanup(func() { _ = client.Close() })
	inner, err := redisstore.New(client, redisstore.Options{Timeout: time.Second})
	require.NoError(t, err)
	shared := slow{broken(inner)}
	for n := range processes {
		s := l.settings
		s.Process = uint16(n)
		a, err := openApp(s, func(c *rediscache.Config) {
			c.Store, c.Policy.TTL = shared, time.Minute // what is wrong stays wrong
		})
		require.NoError(t, err)
		a.rows = 3
		t.Cleanup(func() { _ = a.close() })
		l.apps = append(l.apps, a)
	}
	return l
}

// try lets the applications work for a moment.
func (l *lab) try(phase int64, fault func(*fleet, time.Time)) history.Verdict {
	l.t.Helper()
	dir := filepath.Join(l.dir, strconv.FormatInt(phase, 10))
	require.NoError(l.t, mkdir(dir))
	initial := l.initial()
	for _, a := range l.apps {
		a.start(dir, phase)
	}
	end := time.Now().Add(500 * time.Millisecond)
	if fault != nil {
		end = end.Add(time.Second)
		fault(l.fleet, end)
	}
	time.Sleep(time.Until(end))
	for _, a := range l.apps {
		a.halt()
		require.Empty(l.t, a.failures())
	}
	ops, err := history.Load(dir)
	require.NoError(l.t, err)
	return history.Judge(ops, initial, history.Claims{Linearizable: fault == nil})
}

// slow is a store whose answers and fills take their time, now and then.
type slow struct{ store.Store }

func (s slow) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	snap, err := s.Store.Load(ctx, keys)
	stall()
	return snap, err
}

func (s slow) Put(ctx context.Context, entries []store.Entry) error {
	stall()
	return s.Store.Put(ctx, entries)
}

// Intend leaves a while before COMMIT, and Release one after it.
func (s slow) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	watched, err := s.Store.Intend(ctx, writer, ttl, tags, watch)
	time.Sleep(rand.N(6 * time.Millisecond))
	return watched, err
}

func (s slow) Release(ctx context.Context, writer string, tags, watch []keying.Tag) ([]store.Value, error) {
	time.Sleep(rand.N(6 * time.Millisecond))
	return s.Store.Release(ctx, writer, tags, watch)
}

// noRelease says nothing after it, and what it said before does not last.
type noRelease struct{ store.Store }

func (s noRelease) Intend(
	ctx context.Context, w string, _ time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	return s.Store.Intend(ctx, w, time.Millisecond, tags, watch)
}

func (noRelease) Release(context.Context, string, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, nil
}

// joining shares what was read of Redis with those who come a little later.
type joining struct {
	store.Store
	mu    sync.Mutex
	looks map[string]look
}

type look struct {
	snap store.Snapshot
	at   time.Time
}

func (s *joining) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	all := strings.Join(keys, " ")
	s.mu.Lock()
	before, ok := s.looks[all]
	s.mu.Unlock()
	if ok && time.Since(before.at) < 20*time.Millisecond {
		return before.snap, nil
	}
	snap, err := s.Store.Load(ctx, keys)
	if err == nil {
		s.mu.Lock()
		s.looks[all] = look{snap, time.Now()}
		s.mu.Unlock()
	}
	return snap, err
}
