package testkit

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A PostgresServer is a server of the test's own, which it may stop, kill, and copy.
type PostgresServer struct {
	// Addr is where it listens, and URL its database postgres.
	Addr, URL string
	// Data is the folder that it keeps its data in. Copied while the server is stopped, it is a snapshot.
	Data string

	t        testing.TB
	attr     syscall.SysProcAttr
	settings []string
	cmd      *exec.Cmd
}

// StartPostgres starts an empty server on a private port, with settings of the form name=value.
func StartPostgres(t testing.TB, settings ...string) *PostgresServer {
	t.Helper()
	s := newPostgresServer(t)
	for _, setting := range settings {
		s.settings = append(s.settings, "-c", setting)
	}
	s.program("initdb", "-D", s.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	s.Start()
	return s
}

// StartStandby starts a physical replica of a server, by streaming. It has all that was committed before.
func (s *PostgresServer) StartStandby() *Standby {
	s.t.Helper()
	c := newPostgresServer(s.t)
	host, port, err := net.SplitHostPort(s.Addr)
	require.NoError(s.t, err)
	c.program("pg_basebackup", "-R", "-D", c.Data, "-h", host, "-p", port, "-U", "postgres", "--checkpoint=fast", "--no-sync")
	c.Start()
	r := &Standby{PostgresServer: c, primary: OpenPostgres(s.t, s.URL), db: OpenPostgres(s.t, c.URL)}
	r.CatchUp()
	return r
}

// newPostgresServer makes the folder of a server, which refuses to run as root.
func newPostgresServer(t testing.TB) *PostgresServer {
	t.Helper()
	s := &PostgresServer{t: t, Addr: freeAddr(t)}
	s.URL = "postgres://postgres@" + s.Addr + "/postgres?sslmode=disable"
	// Not t.TempDir: its parents are closed to the user that the server runs as.
	base, err := os.MkdirTemp("", "rediscache-postgres-") //nolint:usetesting // see above
	require.NoError(t, err)
	require.NoError(t, os.Chmod(base, 0o755))
	s.Data = filepath.Join(base, "data")
	require.NoError(t, os.Mkdir(s.Data, 0o700))
	t.Cleanup(func() {
		s.Kill()
		_ = os.RemoveAll(base)
	})
	if os.Geteuid() == 0 {
		uid, gid := unprivileged(t)
		s.attr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
		require.NoError(t, os.Chown(s.Data, int(uid), int(gid)))
	}
	return s
}

// unprivileged returns a user that is not root.
func unprivileged(t testing.TB) (uid, gid uint32) {
	t.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	require.NoError(t, err)
	id, err := strconv.ParseUint(u.Uid, 10, 32)
	require.NoError(t, err)
	group, err := strconv.ParseUint(u.Gid, 10, 32)
	require.NoError(t, err)
	return uint32(id), uint32(group)
}

// command is a program of PostgreSQL, as the server's user.
func (s *PostgresServer) command(name string, args ...string) *exec.Cmd {
	s.t.Helper()
	cmd := exec.Command(PostgresProgram(s.t, name), args...)
	attr := s.attr
	cmd.SysProcAttr, cmd.Dir = &attr, s.Data
	return cmd
}

// PostgresProgram returns the path of an installed program of PostgreSQL's.
func PostgresProgram(t testing.TB, name string) string {
	t.Helper()
	path, ok := PostgresBinary(name)
	if !ok && os.Getenv(EnvWithout) == "postgres" {
		t.Skipf("the program %s of PostgreSQL is not installed", name)
	}
	if !ok {
		Missing(t, "the program %s of PostgreSQL is not installed", name)
	}
	return path
}

func (s *PostgresServer) program(name string, args ...string) {
	s.t.Helper()
	out, err := s.command(name, args...).CombinedOutput()
	require.NoError(s.t, err, "%s: %s", name, out)
}

// Start starts the server again, with the data that it kept.
func (s *PostgresServer) Start() {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.Addr)
	require.NoError(s.t, err)
	s.cmd = s.command("postgres", append([]string{
		"-D", s.Data, "-p", port, "-k", "", "-F", "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB",
		"-c", "max_connections=50", "-c", "wal_level=replica", "-c", "max_wal_senders=4", "-c", "hot_standby=on",
		"-c", "logging_collector=off",
	}, s.settings...)...)
	s.cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT // at once, and its children with it
	require.NoError(s.t, s.cmd.Start())
	db := OpenPostgres(s.t, s.URL)
	Eventually(s.t, "postgres on "+s.Addr, func() bool { return db.PingContext(context.Background()) == nil })
}

// Stop is pg_ctl stop -m fast: transactions are rolled back, clients are told "terminating connection due to administrator
// command", and what was committed is on disk.
func (s *PostgresServer) Stop() { s.end(syscall.SIGINT) }

// Kill is pg_ctl stop -m immediate: as after a crash, the server recovers when it is started again. A server that is gone
// stays gone.
func (s *PostgresServer) Kill() { s.end(syscall.SIGQUIT) }

// Restart is pg_ctl restart -m fast.
func (s *PostgresServer) Restart() {
	s.t.Helper()
	s.Stop()
	s.Start()
}

func (s *PostgresServer) end(how syscall.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Process.Signal(how)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// A Standby is a replica, whose lag a test decides.
type Standby struct {
	*PostgresServer
	primary, db *sql.DB
}

// Hold makes the replica stay as it is: what is committed from now on arrives, and is not shown.
func (s *Standby) Hold() {
	s.t.Helper()
	s.CatchUp()
	s.exec("SELECT pg_wal_replay_pause()")
	Eventually(s.t, "replay is paused", func() bool { return s.text("SELECT pg_get_wal_replay_pause_state()") == "paused" })
}

// Release ends Hold, and waits until the replica has caught up.
func (s *Standby) Release() {
	s.t.Helper()
	s.exec("SELECT pg_wal_replay_resume()")
	s.CatchUp()
}

// CatchUp waits until the replica shows all that is committed.
func (s *Standby) CatchUp() {
	s.t.Helper()
	var at string
	require.NoError(s.t, s.primary.QueryRowContext(context.Background(), "SELECT pg_current_wal_lsn()::text").Scan(&at))
	Eventually(s.t, "the replica has caught up", func() bool {
		return s.text(fmt.Sprintf("SELECT coalesce(pg_last_wal_replay_lsn() >= '%s', false)::text", at)) == "true"
	})
}

func (s *Standby) exec(query string) {
	s.t.Helper()
	_, err := s.db.ExecContext(context.Background(), query)
	require.NoError(s.t, err)
}

func (s *Standby) text(query string) (v string) {
	s.t.Helper()
	require.NoError(s.t, s.db.QueryRowContext(context.Background(), query).Scan(&v))
	return v
}

// PostgresBinary finds a program of PostgreSQL, also where Debian keeps it.
func PostgresBinary(name string) (path string, ok bool) {
	if path, err := exec.LookPath(name); err == nil {
		if program, err := filepath.EvalSymlinks(path); err == nil && filepath.Base(program) == name {
			return program, true
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is well-formed
	if len(found) == 0 {
		return "", false
	}
	slices.Sort(found)
	return found[len(found)-1], true
}
