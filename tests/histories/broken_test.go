package histories_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
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
			p := phase{fault: b.fault, claims: linearizable, length: 500 * time.Millisecond}
			if b.fault != nil {
				p.claims, p.length = strict, p.length+time.Second
			}
			begun := time.Now()
			for time.Since(begun) < 2*time.Minute {
				if v := l.try(p); v.Bad() > 0 {
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
	nothing := phase{claims: linearizable, length: 500 * time.Millisecond}
	for _, p := range []phase{nothing, {fault: restartFromCopy, claims: strict, length: 1500 * time.Millisecond}, nothing} {
		v := l.try(p)
		require.Zero(t, v.Bad(), strings.Join(v.Evidence, "\n"))
	}
}

// newLab returns a lab on one server, with a store that is broken.
func newLab(t *testing.T, broken func(store.Store) store.Store) *lab {
	t.Helper()
	server := testkit.StartRedis(t)
	l := &lab{fleet: &fleet{t: t, server: server, admin: server.Client()}}
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	t.Cleanup(func() { _ = client.Close() })
	l.open(slow{broken(storeOn(t, client))}, func(c *rediscache.Config) {
		c.Policy.TTL = time.Minute // what is wrong stays wrong
	})
	for _, a := range l.apps {
		a.rows = 3
	}
	return l
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
