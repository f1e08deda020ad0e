package histories_test

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/history"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// lab is a fleet whose applications are in this process, on one store.
type lab struct {
	*fleet
	apps []*app
}

func storeOn(t *testing.T, client redis.UniversalClient) store.Store {
	t.Helper()
	s, err := redisstore.New(client, redisstore.Options{Timeout: time.Second})
	require.NoError(t, err)
	return s
}

// open opens the applications.
func (l *lab) open(s store.Store, change func(*rediscache.Config)) {
	l.t.Helper()
	l.dir = l.t.TempDir()
	l.settings = settings{DSN: testkit.Postgres(l.t), Namespace: "histories", Timeout: time.Second}
	l.plain = migrated(l.t, l.settings.DSN)
	for n := range processes {
		l.settings.Process = uint16(n)
		a, err := openApp(l.settings, func(c *rediscache.Config) {
			c.Store = s
			change(c)
		})
		require.NoError(l.t, err)
		l.t.Cleanup(func() { _ = a.close() })
		l.apps = append(l.apps, a)
	}
}

// try lets the applications work for a moment, and judges what they saw.
func (l *lab) try(p phase) history.Verdict {
	l.t.Helper()
	l.phase++
	dir := filepath.Join(l.dir, strconv.FormatInt(l.phase, 10))
	require.NoError(l.t, mkdir(dir))
	initial := l.initial()
	for _, a := range l.apps {
		a.start(dir, l.phase)
	}
	defer l.halt() // if a fault fails the test
	end := time.Now().Add(p.length)
	if p.fault != nil {
		p.fault(l.fleet, end)
	}
	time.Sleep(time.Until(end))
	l.halt()
	var untold []uint16
	for _, a := range l.apps {
		require.Empty(l.t, a.failures())
		if a.log.untold.Load() {
			untold = append(untold, a.process)
		}
		l.totals.hits += a.log.hits.Load()
	}
	ops, err := history.Load(dir)
	require.NoError(l.t, err)
	v := history.Judge(ops, initial, p.claims(l.fleet, untold))
	l.count(p, v)
	return v
}

func (l *lab) halt() {
	for _, a := range l.apps {
		a.halt()
	}
}
