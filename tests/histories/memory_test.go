package histories_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// The test of memory has a process of its own: it looks at all of the heap, and at all goroutines.
const memoryEnv = "REDISCACHE_MEMORY_FOR"

// 64 goroutines read and write for a while, with texts of statements, keys and names of tables of which none comes twice.
// REDISCACHE_SOAK sets for how long. Memory and goroutines must not grow.
func TestMemoryStaysFlatUnderTraffic(t *testing.T) {
	t.Parallel()
	length := 9 * time.Second
	if d := testkit.Soak(t); d > 0 {
		length = min(d, 10*time.Minute)
	}
	child := startProcess(t, settings{}, "^TestProcessOfFlatMemory$", memoryEnv+"="+length.String())
	_ = child.in.Close()
	out, err := io.ReadAll(child.out)
	require.NoError(t, err)
	require.NoError(t, child.cmd.Wait(), string(out))
	t.Log(string(out))
	require.Contains(t, string(out), "memory is flat")
}

// TestProcessOfFlatMemory is not a test: it is that process.
func TestProcessOfFlatMemory(t *testing.T) { //nolint:paralleltest // it is no test
	if os.Getenv(memoryEnv) == "" {
		return
	}
	length, err := time.ParseDuration(os.Getenv(memoryEnv))
	require.NoError(t, err)
	s := settings{DSN: testkit.Postgres(t), Namespace: testkit.Unique(t), Timeout: 5 * time.Second}
	migrated(t, s.DSN)
	client, _ := testkit.Redis(t)
	reg := prometheus.NewRegistry()
	a, err := openApp(s, func(c *rediscache.Config) { c.Redis, c.Registerer, c.Policy.TTL = client, reg, 10*time.Second })
	require.NoError(t, err)
	pool, err := a.db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(16)

	const goroutines = 64
	stop := make(chan struct{})
	var work sync.WaitGroup
	for n := range goroutines {
		work.Go(func() {
			for i := 0; running(stop); i++ {
				require.NoError(t, a.oddStatement(n, i))
			}
		})
	}
	type sample struct {
		heap, goroutines int
		plans            float64
	}
	look := func() sample {
		return sample{heap(), runtime.NumGoroutine(), testkit.Metrics(t, reg)["plans"]}
	}
	time.Sleep(length / 3)
	before := look()
	time.Sleep(2 * length / 3)
	after := look()
	close(stop)
	work.Wait()
	all := testkit.Metrics(t, reg)
	fmt.Printf("after a third: %d KiB, %d goroutines, %.0f plans; in the end: %d KiB, %d goroutines, %.0f plans; %v reads\n",
		before.heap>>10, before.goroutines, before.plans, after.heap>>10, after.goroutines, after.plans, a.log.reads.Load())

	// Plans may still be filling up: 16 × 512 of them, of a few KiB each.
	require.LessOrEqual(t, after.plans, 16*512.0)
	grown := 8<<20 + int(max(after.plans-before.plans, 0))<<13
	require.Less(t, after.heap, before.heap+grown)
	require.LessOrEqual(t, after.goroutines, before.goroutines+goroutines)
	connections := all["pool_connections{state=idle}"] + all["pool_connections{state=used}"]
	require.LessOrEqual(t, connections, 2*10*float64(runtime.GOMAXPROCS(0))) // go-redis' own bound, for two pools
	require.NoError(t, a.close())
	fmt.Println("memory is flat")
}

// oddStatement is one whose text, key or table nobody has named before.
func (a *app) oddStatement(goroutine, i int) error {
	mark := fmt.Sprintf("%d_%d", goroutine, i)
	var r register
	var n int64
	switch rand.IntN(6) {
	case 0:
		return a.db.Where("version >= 0 AND 1 = 1 /* " + mark + " */").Limit(1).Find(&r).Error
	case 1:
		return a.db.Limit(1).Find(&r, goroutine<<24+i).Error // no such row
	case 2:
		return a.db.Model(&item{}).Where("list_id = ?", goroutine<<24+i).Count(&n).Error
	case 3:
		_ = a.db.Exec("INSERT INTO nobody_" + mark + " (id) VALUES (1)").Error // no such table
		return nil
	case 4:
		return a.db.Create(&item{ListID: int64(goroutine<<24 + i), Pos: 1}).Error
	default:
		return a.db.First(&r, 1+rand.IntN(registers)).Error
	}
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Close is bounded by its context when Redis takes connections and does not answer, even with writes that it has not been
// told of; it leaves no connection, and the handle goes on without the cache.
func TestCloseIsBoundedWhileRedisHangs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var mu sync.Mutex
	var conns []net.Conn
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
		}
	})
	s := settings{DSN: testkit.Postgres(t), Namespace: "hangs", Timeout: 100 * time.Millisecond}
	migrated(t, s.DSN)
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String()})
	a, err := openApp(s, func(c *rediscache.Config) { c.Redis, c.Logger = client, slog.New(slog.DiscardHandler) })
	require.NoError(t, err)
	require.NoError(t, a.db.Model(&register{ID: 1}).Update("version", 1).Error)
	require.NoError(t, a.db.First(&register{}, 1).Error)

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- a.plugin.Close(ctx) }()
	select {
	case err := <-closed:
		require.ErrorIs(t, err, context.DeadlineExceeded) // Redis was not told of the write
	case <-time.After(20 * time.Second):
		t.Fatal("Close has not returned")
	}
	require.NoError(t, a.plugin.Close(t.Context())) // again: nothing
	var r register
	require.NoError(t, a.db.First(&r, 1).Error)
	require.Equal(t, int32(1), r.Version)

	require.NoError(t, client.Close())
	require.NoError(t, l.Close())
	accepting.Wait()
	mu.Lock()
	defer mu.Unlock()
	require.NotEmpty(t, conns)
	for _, c := range conns { // the other end is closed
		require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
		_, err := io.Copy(io.Discard, c)
		require.NoError(t, err)
		_ = c.Close()
	}
	require.NoError(t, a.close())
}
