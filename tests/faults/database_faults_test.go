package faults_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// gone are the errors of a database that has gone away, or is not back yet.
var gone = []string{
	"57P01", "57P02", "57P03", "connection refused", "connection reset", "broken pipe", "EOF", "conn closed", "bad connection",
	"closed network connection", "already been committed or rolled back",
}

// databaseFaults are what happens to PostgreSQL. Redis stays: everybody hears of every write.
func databaseFaults() []fault {
	return []fault{
		{name: "killed, and restarted", errors: gone, doubt: true, inflict: func(s *scene) {
			for range 3 {
				s.database.Kill()
				s.more()
				s.database.Start()
				s.more()
			}
		}},
		{name: "restarted", errors: gone, doubt: true, inflict: func(s *scene) {
			for range 3 {
				s.database.Restart()
				s.more()
			}
		}},
		{name: "connections end", errors: gone, doubt: true, inflict: func(s *scene) {
			for range 5 {
				s.ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity " +
					"WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
				s.more()
			}
		}},
		{name: "COMMITs are canceled", errors: []string{"57014"}, doubt: true, inflict: cancelCommits},
		{name: "transactions deadlock", errors: []string{"40P01"}, way: crossing, inflict: untilFelt},
		{name: "transactions cannot be serialized", errors: []string{"40001"}, way: serializable, inflict: untilFelt},
		{name: "a deferred constraint fails at COMMIT", errors: []string{"23503"}, way: dangling, inflict: untilFelt},
		{name: "a synchronous standby stalls the acknowledgement", inflict: stallAcknowledgements},
	}
}

// ask runs a query on a connection of its own, and returns the number that it answers.
func (s *scene) ask(query string) (n int64) {
	s.t.Helper()
	require.NoError(s.t, s.sql.QueryRowContext(s.t.Context(), query).Scan(&n))
	return n
}

// tell runs a statement.
func (s *scene) tell(statement string) {
	s.t.Helper()
	_, err := s.sql.ExecContext(s.t.Context(), statement)
	require.NoError(s.t, err)
}

// untilFelt goes on until transactions have failed of what they do.
func untilFelt(s *scene) {
	for range 20 {
		felt := true
		for _, r := range s.all(tellMore) {
			felt = felt && r.Felt > 3
		}
		if felt {
			return
		}
	}
	s.t.Fatal("no transaction has failed")
}

// cancelCommits makes COMMITs last, and cancels those that are under way.
func cancelCommits(s *scene) {
	s.tell("CREATE FUNCTION lasting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$")
	s.tell("CREATE CONSTRAINT TRIGGER lasting AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED " +
		"FOR EACH ROW EXECUTE FUNCTION lasting()")
	for range 10 {
		testkit.Eventually(s.t, "a COMMIT is canceled", func() bool {
			return s.ask("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "+
				"WHERE state = 'active' AND query ILIKE 'commit%' AND wait_event = 'PgSleep'") > 0
		})
		s.all(tellReads)
	}
	s.tell("DROP TRIGGER lasting ON accounts")
}

// stallAcknowledgements holds all writers at their COMMIT: it is carried out, and neither shown nor acknowledged. Some of them
// are canceled there, which PostgreSQL acknowledges with a warning; the rest is let go.
func stallAcknowledgements(s *scene) {
	const waiting = "pg_stat_activity WHERE wait_event = 'SyncRep'"
	s.tell("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
	s.tell("SELECT pg_reload_conf()")
	for range 3 {
		testkit.Eventually(s.t, "all writers wait", func() bool { return s.ask("SELECT count(*) FROM "+waiting) == rows })
		s.all(tellReads)
		s.ask("SELECT count(pg_cancel_backend(pid)) FROM " + waiting)
	}
	testkit.Eventually(s.t, "all writers wait", func() bool { return s.ask("SELECT count(*) FROM "+waiting) == rows })
	s.tell("ALTER SYSTEM RESET synchronous_standby_names")
	s.tell("SELECT pg_reload_conf()")
}

// The application gets the errors of its database, and nothing else: no read is old, and none shows what was rolled back.
func TestDatabaseIsBrokenUnderTraffic(t *testing.T) {
	t.Parallel()
	for _, f := range databaseFaults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.timeout, f.reached = unhurried, true
			f.playOn(t, testkit.StartPostgres(t, "deadlock_timeout=20ms"))
		})
	}
}
