package histories_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/history"
)

// fleet is several processes with applications, on one database and one Redis.
type fleet struct {
	t         *testing.T
	settings  settings // of the next process
	server    *testkit.RedisServer
	admin     *redis.Client
	plain     *gorm.DB
	processes []*process
	proxies   map[uint16]*testkit.Proxy // what each of them reaches Redis through
	dir       string
	phase     int64
	totals    totals
}

// totals are of all phases.
type totals struct {
	reads, writes, inDoubt, windows, unjudged int
	hits                                      int64
}

const processes = 3

// newFleet starts the processes.
func newFleet(t *testing.T, timeout time.Duration) *fleet {
	t.Helper()
	f := &fleet{t: t, server: testkit.StartRedis(t), dir: t.TempDir(), proxies: map[uint16]*testkit.Proxy{}}
	f.admin = f.server.Client()
	f.settings = settings{DSN: testkit.Postgres(t), Namespace: "histories", Timeout: timeout}
	f.plain = migrated(t, f.settings.DSN)
	for range processes {
		f.processes = append(f.processes, f.launch())
	}
	t.Cleanup(func() {
		for _, p := range f.processes {
			p.end()
		}
	})
	for _, p := range f.processes {
		p.answer()
	}
	f.askAll("compare", "the start") // reads the catalog
	return f
}

// migrated makes the tables, and returns a handle without a plugin.
func migrated(t *testing.T, dsn string) *gorm.DB {
	t.Helper()
	pool := postgres.New(postgres.Config{Conn: testkit.OpenPostgres(t, dsn)})
	db, err := gorm.Open(pool, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.AutoMigrate(&register{}, &head{}, &item{}))
	for id := 1; id <= registers; id++ {
		require.NoError(t, db.Create(&register{ID: id}).Error)
	}
	return db
}

// launch starts one more process. It is ready when it has answered.
func (f *fleet) launch() *process {
	f.t.Helper()
	s := f.settings
	s.Process = uint16(len(f.proxies))
	proxy := testkit.StartProxy(f.t, f.server.Addr)
	f.proxies[s.Process] = proxy
	s.Redis = "redis://" + proxy.Addr + "/0"
	return startApp(f.t, s)
}

// initial returns what the registers hold while nobody writes.
func (f *fleet) initial() map[history.Key]history.State {
	f.t.Helper()
	var all []register
	require.NoError(f.t, f.plain.Raw("SELECT * FROM registers FOR UPDATE").Scan(&all).Error)
	states := make(map[history.Key]history.State, len(all))
	for _, r := range all {
		states[history.Key(r.ID)] = history.State{Version: r.Version, Nonce: uint64(r.Nonce)}
	}
	return states
}

// run lets the processes work while something is broken, and judges what they saw.
func (f *fleet) run(p phase, length time.Duration) {
	f.t.Helper()
	f.phase++
	dir := filepath.Join(f.dir, strconv.FormatInt(f.phase, 10))
	require.NoError(f.t, mkdir(dir))
	initial := f.initial()
	f.startAll(dir)
	end := time.Now().Add(length)
	if p.fault != nil {
		p.fault(f, end)
	}
	time.Sleep(time.Until(end))
	untold := f.haltAll(p)
	f.askAll("settle", p.name)

	ops, err := history.Load(dir)
	require.NoError(f.t, err)
	v := history.Judge(ops, initial, p.claims(f, untold))
	require.Zero(f.t, v.Bad(), "%s: %v\n%s", p.name, v.Wrong, strings.Join(v.Evidence, "\n"))
	f.askAll("compare", p.name)
	f.count(p, v)
	require.NoError(f.t, os.RemoveAll(dir))
}

func (f *fleet) startAll(dir string) {
	f.t.Helper()
	for _, p := range f.processes {
		p.tell("start", strconv.FormatInt(f.phase, 10), dir)
	}
	for _, p := range f.processes {
		p.answer()
	}
}

// haltAll returns the processes that had something to tell Redis which they could not.
func (f *fleet) haltAll(p phase) (untold []uint16) {
	f.t.Helper()
	for _, p := range f.processes {
		p.tell("halt")
	}
	for _, process := range f.processes {
		r := process.answer()
		if !p.databaseFails {
			require.Empty(f.t, r.Errors, "%s: process %d", p.name, process.number)
		}
		if r.Untold {
			untold = append(untold, process.number)
		}
		f.totals.hits += r.Hits
	}
	return untold
}

// askAll sends a command to which there must be no errors.
func (f *fleet) askAll(command, phase string) {
	f.t.Helper()
	for _, p := range f.processes {
		p.tell(command)
	}
	for _, p := range f.processes {
		require.Empty(f.t, p.answer().Errors, "%s: process %d: %s", phase, p.number, command)
	}
}

func (f *fleet) count(p phase, v history.Verdict) {
	f.totals.reads += v.Reads
	f.totals.writes += v.Writes
	f.totals.inDoubt += v.InDoubt
	f.totals.windows += v.Confirmed
	f.totals.unjudged += v.Skipped + v.Unknown
	f.t.Logf("%-55s %7d reads, %6d writes, %4d in doubt, %5d windows for Porcupine",
		p.name, v.Reads, v.Writes, v.InDoubt, v.Confirmed)
}

// replace kills one process, and starts another in its place.
func (f *fleet) replace(i int) {
	f.t.Helper()
	f.processes[i].kill()
	f.processes[i] = f.launch()
	f.processes[i].answer()
	f.processes[i].tell("start", strconv.FormatInt(f.phase, 10), filepath.Join(f.dir, strconv.FormatInt(f.phase, 10)))
	f.processes[i].answer()
}

// String says what was seen.
func (t totals) String() string {
	return fmt.Sprintf("%d operations: %d reads and %d writes, %d of them in doubt; %d statements found something in Redis; "+
		"%d windows for Porcupine, %d more that it did not decide",
		t.reads+t.writes, t.reads, t.writes, t.inDoubt, t.hits, t.windows, t.unjudged)
}
