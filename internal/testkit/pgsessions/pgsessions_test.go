package pgsessions_test

import (
	"cmp"
	"context"
	"database/sql"
	"net/url"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/pgsessions"
)

func TestSessionIsHandedOn(t *testing.T) {
	t.Parallel()
	s := start(t)
	first := s.connect("search_path", "one")
	pid := first.PgConn().PID()
	for _, text := range []string{
		"SET TimeZone = 'Asia/Tokyo'", "SET bytea_output = 'escape'", "CREATE TEMPORARY TABLE left_behind (id int)",
		"SELECT pg_advisory_lock(4711)", "LISTEN something",
	} {
		_, err := first.Exec(t.Context(), text)
		require.NoError(t, err, text)
	}
	_, err := first.Prepare(t.Context(), "named", "SELECT 1")
	require.NoError(t, err)
	zone := first.PgConn().ParameterStatus("TimeZone")
	require.Equal(t, "Asia/Tokyo", zone)
	s.leave(first)
	second := s.next(pid, "search_path", "two, three")
	require.NotEqual(t, zone, second.PgConn().ParameterStatus("TimeZone"))
	require.Equal(t, "two, three", ask[string](t, second, "SHOW search_path"))
	require.Equal(t, "hex", ask[string](t, second, "SHOW bytea_output"))
	for _, nothing := range []string{
		"SELECT count(*) FROM pg_class WHERE relname = 'left_behind' AND relnamespace = pg_my_temp_schema()",
		"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
		"SELECT count(*) FROM pg_listening_channels()", "SELECT count(*) FROM pg_prepared_statements WHERE name = 'named'",
	} {
		require.Zero(t, ask[int64](t, second, nothing), nothing)
	}
	s.leave(second)
	third := s.next(pid)
	require.Equal(t, `"$user", public`, ask[string](t, third, "SHOW search_path"))
}

func TestSessionThatWasNotLeftInOrderIsEnded(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*testing.T, *server, *pgx.Conn){
		"in a transaction": func(t *testing.T, s *server, c *pgx.Conn) {
			t.Helper()
			_, err := c.Exec(t.Context(), "BEGIN")
			require.NoError(t, err)
			s.leave(c)
		},
		"in a transaction that has failed": func(t *testing.T, s *server, c *pgx.Conn) {
			t.Helper()
			_, err := c.Exec(t.Context(), "BEGIN; SELECT 1/0")
			require.Error(t, err)
			s.leave(c)
		},
		"its connection breaks": func(t *testing.T, _ *server, c *pgx.Conn) {
			t.Helper()
			require.NoError(t, c.PgConn().Conn().Close())
		},
		"a statement is under way": func(t *testing.T, _ *server, c *pgx.Conn) {
			t.Helper()
			c.PgConn().Frontend().SendQuery(&pgproto3.Query{String: "SELECT pg_sleep(20)"})
			require.NoError(t, c.PgConn().Frontend().Flush())
			c.PgConn().Frontend().Send(&pgproto3.Terminate{})
			require.NoError(t, c.PgConn().Frontend().Flush())
		},
		"a statement was canceled": func(t *testing.T, s *server, c *pgx.Conn) {
			t.Helper()
			require.NoError(t, c.PgConn().CancelRequest(t.Context()))
			s.leave(c)
		},
		"the server has ended it": func(t *testing.T, s *server, c *pgx.Conn) {
			t.Helper()
			_, err := s.connect().Exec(t.Context(), "SELECT pg_terminate_backend($1)", c.PgConn().PID())
			require.NoError(t, err)
			s.leave(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			first := s.connect()
			pid := first.PgConn().PID()
			leave(t, s, first)
			for range 3 {
				require.NotEqual(t, pid, s.connect().PgConn().PID())
			}
			const running = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND query NOT LIKE '%pg_sleep%'"
			testkit.Eventually(t, "the session has ended", func() bool {
				return ask[int64](t, s.connect(), running, int64(pid)) == 0
			})
		})
	}
}

// A session that was terminated while it was kept is not handed on.
func TestKeptSessionThatHasEndedIsReplaced(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin, first := s.connect(), s.connect()
	pid := first.PgConn().PID()
	s.leave(first)
	require.NoError(t, s.next(pid).Close(t.Context()))
	testkit.Eventually(t, "the session is terminated", func() bool {
		return ask[bool](t, admin, "SELECT pg_terminate_backend($1)", int64(pid))
	})
	require.NotEqual(t, pid, s.connect("search_path", "one").PgConn().PID())
}

// A client that asks for more than a search_path, or for another database, gets a session that no other client has had.
func TestOtherClientsHaveSessionsOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := start(t)
	own := s.connect("bytea_output", "escape", "search_path", "one")
	pid := own.PgConn().PID()
	_, err := own.Exec(t.Context(), "RESET ALL")
	require.NoError(t, err)
	require.Equal(t, "escape", ask[string](t, own, "SHOW bytea_output"))
	require.Equal(t, "one", ask[string](t, own, "SHOW search_path"))
	s.leave(own)
	require.NotEqual(t, pid, s.connect("bytea_output", "escape").PgConn().PID())
	_, err = pgx.Connect(t.Context(), s.url("dbname", "there_is_none_of_this_name"))
	require.ErrorContains(t, err, "3D000") // invalid_catalog_name, the server's own
}

// A statement whose context ends is canceled on the server, through the same port.
func TestStatementIsCanceled(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.connect()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Exec(ctx, "SELECT pg_sleep(60)")
		done <- err
	}()
	watch := s.connect()
	sleeping := "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = $1"
	pid := int64(c.PgConn().PID())
	testkit.Eventually(t, "it sleeps", func() bool { return ask[int64](t, watch, sleeping, pid) == 1 })
	cancel()
	require.Error(t, <-done)
	testkit.Eventually(t, "it is canceled", func() bool { return ask[int64](t, watch, sleeping, pid) == 0 })
}

// A database that wants TLS has no clients here: they ask it themselves.
func TestDatabaseThatWantsTLSIsRefused(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]error{"require": pgsessions.ErrTLS, "verify-full": pgsessions.ErrTLS, "prefer": nil, "disable": nil} {
		s, err := pgsessions.Start("postgres://postgres@localhost:5432/postgres?sslmode=" + mode)
		require.ErrorIs(t, err, want, mode)
		if err == nil {
			s.Close()
		}
	}
}

// What is longer than the buffers arrives whole, in both directions.
func TestLongMessagesArrive(t *testing.T) {
	t.Parallel()
	s := start(t)
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = byte('a' + i%26)
	}
	require.Equal(t, string(long), ask[string](t, s.connect(), "SELECT $1::text", string(long)))
}

type server struct {
	t      *testing.T
	server *pgsessions.Server
}

func start(t *testing.T) *server {
	t.Helper()
	database := cmp.Or(os.Getenv(testkit.EnvPostgres), testkit.LocalPostgres)
	db, err := sql.Open("pgx", database)
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	if err := db.PingContext(t.Context()); err != nil {
		testkit.Missing(t, "no PostgreSQL: %v", err)
	}
	s, err := pgsessions.Start(database)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return &server{t, s}
}

// url is the server's, with parameters.
func (s *server) url(parameters ...string) string {
	s.t.Helper()
	u, err := url.Parse(s.server.URL())
	require.NoError(s.t, err)
	q := u.Query()
	for i := 0; i < len(parameters); i += 2 {
		q.Set(parameters[i], parameters[i+1])
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func (s *server) connect(parameters ...string) *pgx.Conn {
	s.t.Helper()
	c, err := pgx.Connect(s.t.Context(), s.url(parameters...))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// leave ends a client's session as drivers do.
func (s *server) leave(c *pgx.Conn) {
	s.t.Helper()
	_ = c.Close(s.t.Context())
}

// next connects until the session is the one of a process, which is handed on after it was cleaned.
func (s *server) next(pid uint32, parameters ...string) (c *pgx.Conn) {
	s.t.Helper()
	testkit.Eventually(s.t, "the session is handed on", func() bool {
		c = s.connect(parameters...)
		return c.PgConn().PID() == pid
	})
	return c
}

func ask[T any](t *testing.T, c *pgx.Conn, query string, args ...any) T {
	t.Helper()
	var got T
	require.NoError(t, c.QueryRow(t.Context(), query, args...).Scan(&got))
	return got
}
