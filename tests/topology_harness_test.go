package tests_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// A counter is a row that every write increments; a note, one that is only ever added.
type counter struct {
	ID int
	V  int64
}

type note struct {
	ID        int
	CounterID int
}

const (
	counters = 20
	// maxMoved is how many slots are moved.
	maxMoved = 8
)

// workload is what several handles read and write, each as another process would, while servers of Redis are taken away.
// What was acknowledged is known by its moment, so that each answer is judged by how stale it was.
type workload struct {
	t       *testing.T
	w       *world
	handles []*handle
	stop    chan struct{}
	running sync.WaitGroup

	mu     sync.Mutex
	acked  map[string][]time.Time // by key and version: when it was acknowledged
	reads  []versionRead
	failed error
	writes int
}

// answer is a version that a read returned which began at a moment.
type versionRead struct {
	key     string
	version int64
	began   time.Time
}

// under returns handles of clients, and warms them up.
func (w *world) under(clients ...redis.UniversalClient) *workload {
	w.t.Helper()
	plain := w.migrate(&counter{}, &note{})
	for id := 1; id <= counters; id++ {
		require.NoError(w.t, plain.Create(&counter{ID: id}).Error)
	}
	l := &workload{t: w.t, w: w, stop: make(chan struct{}), acked: map[string][]time.Time{}}
	for _, client := range clients {
		l.handles = append(l.handles, w.cached(withPlugin(func(c *rediscache.Config) {
			c.Redis, c.Timeout, c.OnOutage = client, time.Second, rediscache.FailWrite
		})))
	}
	l.hits("before")
	return l
}

// hits waits until every handle finds every row, the list and the count in the cache.
func (l *workload) hits(when string) {
	l.t.Helper()
	for _, h := range l.handles {
		l.hit(h, when)
	}
}

func (l *workload) hit(h *handle, when string) {
	l.t.Helper()
	for id := 0; id <= counters+1; id++ {
		var got *gorm.DB
		require.Eventually(l.t, func() bool {
			var why rediscache.Explanation
			_, got = readVersions(h.Clauses(rediscache.Explain(&why)), id)
			require.NoError(l.t, got.Error)
			return why.Outcome == metrics.Hit
		}, time.Minute, 2*time.Millisecond, "%s: %s is found in the cache", when, counterName(id))
	}
}

// readVersions reads a counter, all of them, or the number of notes.
func readVersions(db *gorm.DB, id int) (map[string]int64, *gorm.DB) {
	var rows []counter
	var n int64
	var tx *gorm.DB
	switch id {
	case 0:
		tx = db.Order("id").Find(&rows)
	case counters + 1:
		tx = db.Model(&note{}).Count(&n)
		return map[string]int64{"notes": n}, tx
	default:
		rows = make([]counter, 1)
		tx = db.First(&rows[0], id)
	}
	versions := map[string]int64{}
	for _, c := range rows {
		versions[counterName(c.ID)] = c.V
	}
	return versions, tx
}

func counterName(id int) string { return fmt.Sprintf("counter %d", id) }

// start begins to read and write.
func (l *workload) start() {
	for _, h := range l.handles {
		l.loop(func() error { return l.read(h, rand.IntN(counters+2)) })
		l.loop(func() error { return l.read(h, 1+rand.IntN(counters)) })
		l.loop(func() error {
			defer time.Sleep(5 * time.Millisecond) // so that there are hits
			if rand.IntN(8) == 0 {
				return l.add(h)
			}
			return l.write(h, 1+rand.IntN(counters))
		})
	}
	l.goOn(200 * time.Millisecond)
}

// loop repeats a statement until the end, or until it fails.
func (l *workload) loop(statement func() error) {
	l.running.Go(func() {
		for {
			select {
			case <-l.stop:
				return
			default:
			}
			if err := statement(); err != nil {
				l.mu.Lock()
				l.failed = err
				l.mu.Unlock()
				return
			}
		}
	})
}

// goOn lets the traffic go on for a while.
func (l *workload) goOn(d time.Duration) { time.Sleep(d) }

// losesAWrite begins to read and write right after a write that a primary has acknowledged, and that its replica never
// hears of, as the primary dies. What the kernel has for the replica is thrown away with their connection.
func (l *workload) losesAWrite(primary, replica *testkit.RedisServer, id int) error {
	ctx, admin := l.t.Context(), primary.Client()
	require.NoError(l.t, admin.Do(ctx, "WAIT", 1, 10_000).Err())
	replica.Stop()
	require.NoError(l.t, admin.Do(ctx, "CLIENT", "KILL", "TYPE", "replica").Err())
	err := l.write(l.handles[1], id)
	primary.Kill()
	replica.Continue()
	l.start()
	return err
}

func (l *workload) read(h *handle, id int) error {
	began := time.Now()
	versions, tx := readVersions(h.DB, id)
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, version := range versions {
		l.reads = append(l.reads, versionRead{key, version, began})
	}
	return tx.Error
}

func (l *workload) write(h *handle, id int) error {
	var v int64
	err := h.Transaction(func(tx *gorm.DB) error {
		return tx.Raw("UPDATE counters SET v = v + 1 WHERE id = ? RETURNING v", id).Scan(&v).Error
	})
	if err == nil {
		l.ack(counterName(id), v)
	}
	return unless(err)
}

// unless forgives what FailWrite refuses: of what is not refused, everybody knows.
func unless(err error) error {
	if errors.Is(err, rediscache.ErrUnannounced) {
		return nil
	}
	return err
}

func (l *workload) add(h *handle) error {
	err := h.Create(&note{CounterID: 1}).Error
	if err == nil {
		l.ack("notes", 0)
	}
	return unless(err)
}

// ack notes that a version is acknowledged: the next one, if it is not given.
func (l *workload) ack(key string, version int64) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if version == 0 {
		version = int64(len(l.acked[key])) + 1
	}
	for int64(len(l.acked[key])) < version {
		l.acked[key] = append(l.acked[key], time.Time{})
	}
	l.acked[key][version-1] = now
	l.writes++
}

// end ends the traffic, and returns how stale the stalest answer was: zero, if none was stale.
func (l *workload) end() (stalest time.Duration) {
	l.t.Helper()
	close(l.stop)
	l.running.Wait()
	require.NoError(l.t, l.failed, "no error reaches the application")
	require.Greater(l.t, l.writes, 2, "there was traffic")
	var example string
	stale := 0
	for _, r := range l.reads {
		age := l.staleness(r)
		if age > 0 {
			stale++
		}
		if age > stalest {
			stalest, example = age, fmt.Sprintf("%s: version %d, %v after the next one was acknowledged", r.key, r.version, age)
		}
	}
	l.t.Logf("%d reads, %d writes, %d stale answers; %s", len(l.reads), l.writes, stale, example)
	return stalest
}

// staleSince counts the stale answers of reads that began after a moment.
func (l *workload) staleSince(moment time.Time) (n int) {
	for _, r := range l.reads {
		if r.began.After(moment) && l.staleness(r) > 0 {
			n++
		}
	}
	return n
}

// staleness returns for how long a newer version had been acknowledged when a read began.
func (l *workload) staleness(r versionRead) (age time.Duration) {
	for _, at := range l.acked[r.key][min(int(r.version), len(l.acked[r.key])):] {
		if !at.IsZero() {
			age = max(age, r.began.Sub(at))
		}
	}
	return age
}

// clusterClients returns so many clients of a Cluster.
func clusterClients(c *testkit.RedisCluster, n int) (clients []redis.UniversalClient) {
	for range n {
		clients = append(clients, c.Client())
	}
	return clients
}
