package histories_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/history"
)

// A phase breaks something for a while, and says what docs/guarantees.md says of it.
type phase struct {
	name string
	// fault returns when everything is whole again, shortly before the moment.
	fault  func(f *fleet, until time.Time)
	claims func(f *fleet, untold []uint16) history.Claims
	// databaseFails is set if reads may fail, as they do without a cache.
	databaseFails bool
	// length is how long it takes at least.
	length time.Duration
}

// linearizable is what holds while Redis is reached. A process that was not answered in time is in another row.
func linearizable(f *fleet, untold []uint16) history.Claims {
	if len(untold) > 0 {
		f.t.Logf("processes %v could not tell Redis in time", untold)
		return journal(f, untold)
	}
	return history.Claims{Linearizable: true}
}

func strict(*fleet, []uint16) history.Claims { return history.Claims{} }

// forgotten is what holds if Redis may forget that somebody is writing: order is lost until that write is over.
func forgotten(f *fleet, untold []uint16) history.Claims {
	c := linearizable(f, untold)
	c.Linearizable = false
	return c
}

// journal is what holds if the processes that had to could not tell Redis of writes before they were committed.
func journal(_ *fleet, untold []uint16) history.Claims {
	return history.Claims{Untold: untold, TTL: ttl}
}

// calm are the situations in which processes reach Redis in time, so their deadlines are long.
func calm() []phase {
	return []phase{
		{name: "nothing is broken", claims: linearizable},
		{name: "processes stall and are killed", fault: killProcesses, claims: linearizable},
		{name: "connections to Redis end", fault: killClients, claims: linearizable},
		{name: "the application flushes Redis", fault: flush, claims: forgotten},
		{name: "Redis evicts", fault: evict, claims: forgotten},
		{name: "connections to the database end", fault: endBackends, claims: linearizable, databaseFails: true},
	}
}

// rough are those in which they do not.
func rough() []phase {
	return []phase{
		{name: "Redis restarts empty", fault: restartEmpty, claims: strict},
		{name: "Redis restarts from an old copy", fault: restartFromCopy, claims: strict},
		{name: "Redis stops answering, then answers", fault: stallServer, claims: journal, length: 4 * time.Second},
		{name: "a writer is cut off", fault: cutOff, claims: journal},
		{name: "nothing is broken any more", claims: strict},
	}
}

// long are those that take too long for every run of the tests.
func long() []phase {
	return []phase{
		{name: "a process sleeps longer than an intent lives", fault: sleepLong, claims: strict, length: 40 * time.Second},
	}
}

// every does something again and again, and leaves a moment for what was begun to come to an end.
func every(pause time.Duration, until time.Time, do func()) {
	for time.Until(until) > 2*pause {
		do()
		time.Sleep(pause/2 + rand.N(pause))
	}
}

func killProcesses(f *fleet, until time.Time) {
	every(100*time.Millisecond, until, func() {
		i := rand.IntN(len(f.processes))
		if rand.IntN(2) == 0 {
			f.replace(i)
			return
		}
		f.processes[i].signal(syscall.SIGSTOP)
		time.Sleep(rand.N(200 * time.Millisecond))
		f.processes[i].signal(syscall.SIGCONT)
	})
}

func sleepLong(f *fleet, until time.Time) {
	time.Sleep(time.Second)
	f.processes[0].signal(syscall.SIGSTOP)
	time.Sleep(time.Until(until) - 3*time.Second)
	f.processes[0].signal(syscall.SIGCONT)
}

func killClients(f *fleet, until time.Time) {
	every(20*time.Millisecond, until, func() {
		require.NoError(f.t, f.admin.ClientKillByFilter(context.Background(), "TYPE", "normal", "SKIPME", "yes").Err())
	})
}

func flush(f *fleet, until time.Time) {
	every(50*time.Millisecond, until, func() { require.NoError(f.t, f.admin.FlushAll(context.Background()).Err()) })
}

func evict(f *fleet, until time.Time) {
	ctx := context.Background()
	set := func(name, value string) { require.NoError(f.t, f.admin.ConfigSet(ctx, name, value).Err()) }
	set("maxmemory-policy", "allkeys-random")
	every(40*time.Millisecond, until, func() {
		set("maxmemory", "1mb") // less than the server itself takes: everything goes, a part at a time
		set("maxmemory", "0")
	})
}

func endBackends(f *fleet, until time.Time) {
	schema := f.schema()
	every(50*time.Millisecond, until, func() {
		require.NoError(f.t, f.plain.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name = ? AND pid <> pg_backend_pid() AND random() < 0.3`, schema).Error)
	})
}

func (f *fleet) restart(away time.Duration) {
	f.server.Kill()
	time.Sleep(away)
	f.server.Start()
}

func restartEmpty(f *fleet, until time.Time) {
	every(400*time.Millisecond, until, func() { f.restart(rand.N(300 * time.Millisecond)) })
}

func restartFromCopy(f *fleet, until time.Time) {
	ctx := context.Background()
	time.Sleep(200 * time.Millisecond)
	every(400*time.Millisecond, until, func() {
		require.NoError(f.t, f.admin.Save(ctx).Err())
		time.Sleep(rand.N(300 * time.Millisecond))
		f.restart(rand.N(100 * time.Millisecond))
	})
	require.NoError(f.t, os.Remove(filepath.Join(f.server.Dir(), "dump.rdb")))
}

func stallServer(f *fleet, until time.Time) {
	time.Sleep(200 * time.Millisecond)
	f.server.Stop()
	time.Sleep(time.Until(until) / 2)
	f.server.Continue()
}

func cutOff(f *fleet, until time.Time) {
	time.Sleep(200 * time.Millisecond)
	proxy := f.proxies[f.processes[0].number]
	proxy.Cut()
	time.Sleep(time.Until(until) * 3 / 4)
	proxy.Restore()
}

// schema is the name under which the processes are known to the database.
func (f *fleet) schema() string {
	_, after, _ := strings.Cut(f.settings.DSN, "search_path=")
	name, _, _ := strings.Cut(after, "&")
	return name
}

// Processes that read and write while one thing after another is broken see exactly what docs/guarantees.md says.
// REDISCACHE_SOAK sets for how long.
func TestHistoriesKeepTheirRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		timeout time.Duration
		phases  []phase
	}{
		"Redis is reached":     {time.Second, calm()},
		"Redis is not reached": {time.Second, rough()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, c.timeout)
			length, end := 1200*time.Millisecond, time.Now()
			if d := testkit.Soak(t); d > 0 {
				length, end = 15*time.Second, end.Add(d)
				c.phases = append(c.phases, long()...)
			}
			for {
				for _, p := range c.phases {
					f.run(p, max(length, p.length))
				}
				if time.Now().After(end) {
					break
				}
			}
			t.Log(f.totals)
			require.Greater(t, f.totals.hits, int64(30)) // on a machine that has other things to do as well
			require.Greater(t, f.totals.writes, 30)
			require.Zero(t, f.totals.unjudged)
		})
	}
}
