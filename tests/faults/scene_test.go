package faults_test

import (
	"database/sql"
	"fmt"
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
)

// A fault is something that happens to Redis.
type fault struct {
	name string
	// args are those of the server.
	args []string
	// user and password are what the processes log in with.
	user, password string
	// timeout is Config.Timeout of the processes. 0: the default, 100 ms.
	timeout time.Duration
	// reached says that each step of a write reaches Redis, in time or late, so that what Journal leaves open does not arise.
	reached bool
	// restored says that the server comes back with intents of the past, which nobody releases: they lapse.
	restored bool
	// way is how the processes write, and errors are parts of those that the database gives. doubt says that the outcome of
	// a COMMIT may remain unknown: what it touched is then not cached for a minute.
	way    way
	errors []string
	doubt  bool
	// inflict does it, and ends it.
	inflict func(s *scene)
}

// longest is what a statement may take while Redis is broken, on a machine that does other things, too. Without deadlines it
// would take as long as the test goes on being patient.
const longest = 30 * time.Second

// recovered returns how long it may take, once nothing is broken, until everything is cached again: less than the 30 s
// after which an intent lapses, so that what was never released is noticed, unless that is what a fault brings. 0: it need not be.
func (f fault) recovered() time.Duration {
	switch {
	case f.doubt:
		return 0
	case f.restored:
		return 40 * time.Second
	}
	return 25 * time.Second
}

// A scene is where a fault happens.
type scene struct {
	t       *testing.T
	server  *testkit.RedisServer
	proxy   *testkit.Proxy // between the processes and the server
	admin   *redis.Client  // not through the proxy
	parties []*party

	database *testkit.PostgresServer // if it is one of the test's own
	sql      *sql.DB                 // on it
}

// setTable makes the tables.
func setTable(t *testing.T, dsn string) {
	t.Helper()
	db, err := gorm.Open(postgres.Open(dsn), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.AutoMigrate(&account{}, &booking{}, &tally{}))
	require.NoError(t, db.Exec("ALTER TABLE bookings ADD FOREIGN KEY (account_id) REFERENCES accounts DEFERRABLE INITIALLY DEFERRED").Error)
	for id := 1; id <= rows; id++ {
		require.NoError(t, db.Create(&account{ID: id}).Error)
	}
	for id := 1; id <= tallies; id++ {
		require.NoError(t, db.Create(&tally{ID: id}).Error)
	}
	pool, err := db.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
}

// play runs a fault on a Redis of its own, while the processes read and write, and judges what they saw.
func (f fault) play(t *testing.T) {
	t.Helper()
	f.run(&scene{t: t})
}

// playOn is play on a database of its own.
func (f fault) playOn(t *testing.T, database *testkit.PostgresServer) {
	t.Helper()
	f.run(&scene{t: t, database: database, sql: testkit.OpenPostgres(t, database.URL)})
}

func (f fault) run(s *scene) {
	t := s.t
	t.Helper()
	s.server = testkit.StartRedis(t, f.args...)
	s.proxy = testkit.StartProxy(t, s.server.Addr)
	s.admin = redis.NewClient(&redis.Options{Addr: s.server.Addr, Password: f.password})
	t.Cleanup(func() { _ = s.admin.Close() })
	if f.user != "" {
		require.NoError(t, s.admin.Do(t.Context(), "ACL", "SETUSER", f.user, "on", ">"+f.password, "~*", "&*", "+@all").Err())
	}
	s.bring(setup{
		Addr: s.proxy.Addr, User: f.user, Password: f.password, Timeout: f.timeout, Recovered: f.recovered(),
		Way: f.way, Errors: f.errors,
	})
	s.warm()
	f.inflict(s)
	s.more()
	s.judge(f.reached)
}

// bring starts the processes: the first refuses writes that it cannot announce, the second remembers them.
func (s *scene) bring(common setup) {
	s.t.Helper()
	common.Namespace = testkit.Unique(s.t)
	if s.database != nil {
		common.DSN = s.database.URL
	} else {
		common.DSN = testkit.Postgres(s.t)
	}
	setTable(s.t, common.DSN)
	for n := range 2 {
		c := common
		c.FailWrite, c.Writes = n == 0, []int{2*n + 1, 2*n + 2}
		s.parties = append(s.parties, startParty(s.t, c))
	}
}

// all tells all processes something, and returns their answers.
func (s *scene) all(what string) []report {
	s.t.Helper()
	for _, p := range s.parties {
		p.tell(s.t, what)
	}
	var reports []report
	for _, p := range s.parties {
		reports = append(reports, p.hear(s.t))
	}
	return reports
}

// more lets the processes go on for a while, and returns how many hits they have had so far.
func (s *scene) more() (hits int) {
	s.t.Helper()
	for _, r := range s.all(tellMore) {
		hits += r.Hits
	}
	return hits
}

// warm lets the processes go on until they are served by Redis.
func (s *scene) warm() {
	s.t.Helper()
	for range 50 {
		if s.more() > 0 {
			return
		}
	}
	s.t.Fatal("no hits before anything is broken")
}

// judge ends the reads and writes, and judges them.
func (s *scene) judge(reached bool) {
	s.t.Helper()
	s.all(tellHalt)
	s.all(tellPay) // until one process has told Redis of its writes, the other may be served what was there before
	reports := s.all(tellSettle)
	var ops []operation
	for n, r := range reports {
		who := fmt.Sprintf("process %d", n)
		s.t.Logf("%s: %d operations, %d hits, %d writes refused, %d errors of the database; the longest took %s: %s",
			who, len(r.Operations), r.Hits, r.Refused, r.Felt, r.Longest.Round(time.Millisecond), r.LongestOf)
		require.Empty(s.t, r.Errors, "%s: errors that the application sees", who)
		require.Empty(s.t, r.Wrong, "%s, when nothing is under way", who)
		require.Less(s.t, r.Longest, longest, "%s: %s", who, r.LongestOf)
		require.Equal(s.t, len(s.parties[n].setup.Errors) > 0, r.Felt > 0, "%s: the fault was felt", who)
		if !s.parties[n].setup.FailWrite {
			require.Zero(s.t, r.Refused, who)
		}
		ops = append(ops, r.Operations...)
	}
	n, example := dirty(ops)
	require.Zero(s.t, n, example)
	for i, writer := range s.parties {
		for j, reader := range reports {
			for handle, id := range writer.setup.Writes {
				some := reads(reader.Operations)
				if !writer.setup.FailWrite && !reached {
					if i != j {
						continue // it hears of a write when Redis does,
					}
					some = by(handle, some) // and so does the other handle: it has a plugin of its own
				}
				n, example := stale(of(append(some, writes(reports[i].Operations)...), id))
				require.Zero(s.t, n, "process %d of what handle %d of process %d wrote: %s", j, handle, i, example)
			}
		}
	}
}

func reads(ops []operation) []operation  { return some(ops, false) }
func writes(ops []operation) []operation { return some(ops, true) }

func some(ops []operation, write bool) []operation {
	var those []operation
	for _, op := range ops {
		if op.Write == write {
			those = append(those, op)
		}
	}
	return those
}

// answered requires that the server has given an error of a kind, such as "LOADING", more often than before.
func (s *scene) answered(kind string) {
	s.t.Helper()
	testkit.Eventually(s.t, "the server answers "+kind, func() bool { return s.errors(kind) > 0 })
}

// errors returns how often the server has given an error, since it was started.
func (s *scene) errors(kind string) int {
	return field(s.admin.Info(s.t.Context(), "errorstats").Val(), "errorstat_"+kind+":count=")
}

// field returns the number behind a word in what INFO says.
func field(info, word string) int {
	_, after, ok := strings.Cut(info, word)
	if !ok {
		return 0
	}
	digits := strings.IndexFunc(after, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(after)
	}
	n, _ := strconv.Atoi(after[:digits])
	return n
}
