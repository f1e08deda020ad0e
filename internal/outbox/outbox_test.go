package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	_ "github.com/glebarez/go-sqlite" // registers its driver
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/outbox"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
)

const space = "rc/2:{shop}:"

// told remembers what the cache was told.
type told struct {
	mu   sync.Mutex
	tags []keying.Tag
	err  error
	// held is what telling waits for, once; nil: nothing. asked is closed when it waits.
	held, asked chan struct{}
	once        sync.Once
}

func (c *told) tell(_ context.Context, tags []keying.Tag) error {
	if c.held != nil {
		c.once.Do(func() {
			close(c.asked)
			<-c.held
		})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.tags = append(c.tags, tags...)
	}
	return c.err
}

// site is a database with an outbox.
type site struct {
	t       *testing.T
	db      *sql.DB
	dialect string
	table   *outbox.Table
}

func onEveryDialect(t *testing.T, test func(s *site)) {
	t.Helper()
	for dialect, open := range map[string]func(t *testing.T) *sql.DB{
		"postgres": func(t *testing.T) *sql.DB { t.Helper(); return testkit.OpenPostgres(t, testkit.Postgres(t)) },
		"mysql":    func(t *testing.T) *sql.DB { t.Helper(); return testkit.OpenMySQL(t, testkit.MySQL(t)) },
		"sqlite": func(t *testing.T) *sql.DB {
			t.Helper()
			db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "db")+"?_pragma=busy_timeout(10000)")
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			return db
		},
	} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			s := &site{t: t, db: open(t), dialect: dialect}
			_, err := outbox.Locate(t.Context(), s.db, dialect)
			require.ErrorIs(t, err, outbox.ErrMissing)
			statement, err := outbox.Statement(dialect)
			require.NoError(t, err)
			_, err = s.db.ExecContext(t.Context(), statement)
			require.NoError(t, err)
			s.table, err = outbox.Locate(t.Context(), s.db, dialect)
			require.NoError(t, err)
			test(s)
		})
	}
}

func (s *site) add(tags ...keying.Tag) {
	s.t.Helper()
	require.NoError(s.t, s.table.Add(s.t.Context(), s.db, space, tags))
}

func (s *site) rows() int {
	s.t.Helper()
	state, err := s.table.State(s.t.Context(), s.db, space)
	require.NoError(s.t, err)
	return state.Rows
}

// relay returns a relay, and what it said of its state.
func (s *site) relay(cache *told) (*outbox.Relay, *[]bool) {
	changes := &[]bool{}
	return outbox.NewRelay(outbox.Options{
		DB: s.db, Dialect: s.dialect, Space: func() string { return space }, Tell: cache.tell,
		Refuses:  func() bool { return false },
		OnChange: func(open bool, _ string) { *changes = append(*changes, open) },
		Logger:   slog.New(slog.DiscardHandler),
	}), changes
}

func TestRowsAreTakenOutWhenTheCacheWasTold(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(s *site) {
		s.add("a", "b")
		s.add("b", "c")
		require.NoError(s.t, s.table.Add(s.t.Context(), s.db, "another", []keying.Tag{"d"}))
		cache := &told{err: errors.New("away")}
		relay, changes := s.relay(cache)
		relay.Pass(s.t.Context())
		require.Equal(s.t, 2, s.rows(), "what the cache was not told of stays")
		require.Equal(s.t, 2, relay.State().Rows)
		require.Less(s.t, relay.State().Age, 10*time.Minute)
		cache.err = nil
		relay.Pass(s.t.Context())
		require.Zero(s.t, s.rows())
		require.Equal(s.t, []keying.Tag{"a", "b", "c"}, cache.tags)
		require.Equal(s.t, []bool{true, false}, *changes)
		others, err := s.table.State(s.t.Context(), s.db, "another")
		require.NoError(s.t, err)
		require.Equal(s.t, 1, others.Rows, "another cache's")
	})
}

func TestAgeIsThatOfTheOldestRow(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(s *site) {
		s.add("a")
		before, err := s.table.State(s.t.Context(), s.db, space)
		require.NoError(s.t, err)
		time.Sleep(30 * time.Millisecond) // the clock is the database's
		s.add("b")
		after, err := s.table.State(s.t.Context(), s.db, space)
		require.NoError(s.t, err)
		require.GreaterOrEqual(s.t, after.Age-before.Age, 20*time.Millisecond)
	})
}

// One process is held up while it tells its cache. Another one takes what the first has not, or nothing; and writers add rows.
// None of them waits.
func TestRelaysAndWritersDoNotWaitForOneAnother(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(s *site) {
		s.add("a")
		slow := &told{held: make(chan struct{}), asked: make(chan struct{})}
		first, _ := s.relay(slow)
		var passing sync.WaitGroup
		passing.Go(func() { first.Pass(s.t.Context()) })
		defer passing.Wait()
		letGo := sync.OnceFunc(func() { close(slow.held) })
		defer letGo()
		<-slow.asked
		s.add("b")
		quick := &told{}
		second, _ := s.relay(quick)
		second.Pass(s.t.Context())
		require.Contains(s.t, quick.tags, keying.Tag("b"))
		if s.dialect != "sqlite" {
			require.NotContains(s.t, quick.tags, keying.Tag("a"), "the first has it")
		}
		s.add("c")
		letGo()
		passing.Wait()
		require.Zero(s.t, s.rows())
		require.Equal(s.t, []keying.Tag{"a", "c"}, slices.Sorted(slices.Values(slow.tags)))
	})
}

// A row that somebody has spoilt stands for everything: nothing old may be served because of it.
func TestRowThatCannotBeReadStandsForEverything(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(s *site) {
		_, err := s.db.ExecContext(s.t.Context(), "INSERT INTO rediscache_outbox (space, tags) VALUES ('"+space+"', 'nonsense')")
		require.NoError(s.t, err)
		cache := &told{}
		relay, _ := s.relay(cache)
		relay.Pass(s.t.Context())
		require.Zero(s.t, s.rows())
		require.Equal(s.t, []keying.Tag{space + "schema:t", space + "all:t"}, cache.tags)
	})
}

// A transaction goes on as it was when the outbox does not take its row.
func TestTransactionGoesOnWithoutItsRow(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(s *site) {
		ctx := s.t.Context()
		_, err := s.db.ExecContext(ctx, "CREATE TABLE notes (note VARCHAR(20))")
		require.NoError(s.t, err)
		_, err = s.db.ExecContext(ctx, "DROP TABLE rediscache_outbox")
		require.NoError(s.t, err)
		tx, err := s.db.BeginTx(ctx, nil)
		require.NoError(s.t, err)
		_, err = tx.ExecContext(ctx, "INSERT INTO notes (note) VALUES ('a')")
		require.NoError(s.t, err)
		err = s.table.Leave(ctx, tx, space, []keying.Tag{"a"})
		require.Error(s.t, err)
		require.NotErrorIs(s.t, err, outbox.ErrLost)
		require.NoError(s.t, tx.Commit())
		n := 0
		require.NoError(s.t, s.db.QueryRowContext(ctx, "SELECT count(*) FROM notes").Scan(&n))
		require.Equal(s.t, 1, n)
	})
}

// lost is a transaction that is gone when its row is added, as after a deadlock in MySQL.
type lost struct{ n int }

func (l *lost) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	if l.n++; l.n == 1 {
		return nil, nil //nolint:nilnil // nobody looks
	}
	return nil, errors.New("SAVEPOINT does not exist")
}

func TestTransactionThatIsLostWithItsRowIsNotCommitted(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(s *site) {
		require.ErrorIs(s.t, s.table.Leave(s.t.Context(), &lost{}, space, []keying.Tag{"a"}), outbox.ErrLost)
	})
}

// Nobody waits for a table that somebody else has locked: the transaction goes on without its row.
func TestLockedOutboxIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	db := testkit.OpenPostgres(t, testkit.Postgres(t))
	statement, err := outbox.Statement("postgres")
	require.NoError(t, err)
	_, err = db.ExecContext(ctx, statement)
	require.NoError(t, err)
	table, err := outbox.Locate(ctx, db, "postgres")
	require.NoError(t, err)
	other, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	defer func() { _ = other.Rollback() }()
	_, err = other.ExecContext(ctx, "LOCK TABLE rediscache_outbox")
	require.NoError(t, err)
	tx, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	err = table.Leave(ctx, tx, space, []keying.Tag{"a"})
	require.ErrorContains(t, err, "55P03") // lock_not_available
	require.NotErrorIs(t, err, outbox.ErrLost)
	require.NoError(t, tx.Commit())
}

// While one of several servers is away, the rows that do not need it are relayed, and no row keeps another back.
func TestRowThatCannotBeToldKeepsNoOtherBack(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(s *site) {
		const rows = 250 // more than are taken together
		for i := range rows {
			s.add("all", keying.Tag([]string{"here", "away"}[i%2]))
		}
		relay := outbox.NewRelay(outbox.Options{
			DB: s.db, Dialect: s.dialect, Space: func() string { return space },
			Tell: func(_ context.Context, tags []keying.Tag) error {
				if slices.Contains(tags, "away") {
					return errors.New("a server is away")
				}
				return nil
			},
			Refuses: func() bool { return false }, OnChange: func(bool, string) {}, Logger: slog.New(slog.DiscardHandler),
		})
		require.False(s.t, relay.Pass(s.t.Context()))
		require.Equal(s.t, rows/2, s.rows())
	})
}
