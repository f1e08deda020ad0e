package tests_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// child is another process: this test binary, which runs one function. It is commanded by lines, and answers by lines.
type child struct {
	t       *testing.T
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *bufio.Scanner
}

// What a child is told of the world that it lives in, by its environment.
const (
	childDialect   = "REDISCACHE_CHILD_DIALECT"
	childDSN       = "REDISCACHE_CHILD_DSN"
	childNamespace = "REDISCACHE_CHILD_NAMESPACE"
	childRedis     = "REDISCACHE_CHILD_REDIS"
)

// child starts a process that runs the function, with more variables in its environment. It ends with the test.
func (w *world) child(function string, env ...string) *child {
	w.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+function+"$")
	cmd.Env = append(append(os.Environ(), childDialect+"="+w.dialect.name, childDSN+"="+w.dsn,
		childNamespace+"="+w.namespace, childRedis+"="+strings.Join(w.addrs(), ",")), env...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // one that is stopped would stay for ever
	in, err := cmd.StdinPipe()
	require.NoError(w.t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(w.t, err)
	require.NoError(w.t, cmd.Start())
	c := &child{w.t, cmd, in, bufio.NewScanner(out)}
	w.t.Cleanup(c.end)
	return c
}

// end lets the process come to its end, and kills it if it does not.
func (c *child) end() {
	_ = c.in.Close()
	_ = c.cmd.Process.Signal(syscall.SIGCONT)
	hangs := time.AfterFunc(time.Minute, func() { _ = c.cmd.Process.Kill() })
	defer hangs.Stop()
	_ = c.cmd.Wait()
}

// kill is kill -9.
func (c *child) kill() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Kill())
	require.Error(c.t, c.cmd.Wait())
}

// say sends a line.
func (c *child) say(line string) {
	c.t.Helper()
	_, err := fmt.Fprintln(c.in, line)
	require.NoError(c.t, err)
}

// hear returns the next line.
func (c *child) hear() string {
	c.t.Helper()
	hangs := time.AfterFunc(time.Minute, func() { _ = c.cmd.Process.Kill() })
	defer hangs.Stop()
	require.True(c.t, c.answers.Scan(), "the process is gone, or does not answer")
	return c.answers.Text()
}

// bornInto returns the DSN that a child was given, and the client and the namespace of its cache. Without a DSN the process is
// the test itself.
func bornInto(t *testing.T) (dsn string, client redis.UniversalClient, namespace string) {
	t.Helper()
	dsn = os.Getenv(childDSN)
	if dsn == "" {
		return "", nil, ""
	}
	client = redis.NewUniversalClient(&redis.UniversalOptions{Addrs: strings.Split(os.Getenv(childRedis), ",")})
	t.Cleanup(func() { _ = client.Close() })
	return dsn, client, os.Getenv(childNamespace)
}

// addrs returns by which servers the world's Redis is found.
func (w *world) addrs() []string {
	if c, ok := w.redis.(*redis.ClusterClient); ok {
		return c.Options().Addrs
	}
	return []string{w.server().Options().Addr}
}

// server returns the client of the one server that the world's Redis is.
func (w *world) server() *redis.Client {
	w.t.Helper()
	c, ok := w.redis.(*redis.Client)
	require.True(w.t, ok, "it is a Cluster")
	return c
}
