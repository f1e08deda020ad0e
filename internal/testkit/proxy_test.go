package testkit_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// echo is a server that answers every line with itself.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// line is a client that sends lines.
type line struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, addr string) line {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return line{t, conn, bufio.NewReader(conn)}
}

// ask returns what is answered within some time.
func (l line) ask(text string, patience time.Duration) (string, error) {
	l.t.Helper()
	_, err := io.WriteString(l.conn, text+"\n")
	require.NoError(l.t, err)
	require.NoError(l.t, l.conn.SetReadDeadline(time.Now().Add(patience)))
	answer, err := l.in.ReadString('\n')
	return strings.TrimSuffix(answer, "\n"), err
}

const enough = 20 * time.Second // for what comes

func TestProxyPassesOn(t *testing.T) {
	t.Parallel()
	p := testkit.StartProxy(t, echo(t))
	for range 2 {
		l := dial(t, p.Addr)
		for _, text := range []string{"one", "two", strings.Repeat("long", 50_000)} {
			answer, err := l.ask(text, enough)
			require.NoError(t, err)
			require.Equal(t, text, answer)
		}
	}
	require.Equal(t, 2, p.Accepted())
}

func TestProxyCutsAndRestores(t *testing.T) {
	t.Parallel()
	p := testkit.StartProxy(t, echo(t))
	old := dial(t, p.Addr)
	_, err := old.ask("one", enough)
	require.NoError(t, err)
	p.Cut()
	_, err = old.in.ReadString('\n')
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	_, err = dial(t, p.Addr).in.ReadString('\n')
	require.Error(t, err, "a connection that is made meanwhile ends")
	p.Restore()
	_, err = dial(t, p.Addr).ask("two", enough)
	require.NoError(t, err)
}

func TestProxyForgetsConnectionsWithoutClosingThem(t *testing.T) {
	t.Parallel()
	p := testkit.StartProxy(t, echo(t))
	old := dial(t, p.Addr)
	_, err := old.ask("one", enough)
	require.NoError(t, err)
	p.Silence()
	_, err = old.ask("two", 50*time.Millisecond)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	_, err = dial(t, p.Addr).ask("three", enough)
	require.NoError(t, err)
}

func TestProxyHoldsAnswersBack(t *testing.T) {
	t.Parallel()
	p := testkit.StartProxy(t, echo(t))
	l := dial(t, p.Addr)
	const late = 100 * time.Millisecond
	p.Answers(func() testkit.Fate { return testkit.Fate{Late: late} })
	start := time.Now()
	answer, err := l.ask("one", enough)
	require.NoError(t, err)
	require.Equal(t, "one", answer)
	require.GreaterOrEqual(t, time.Since(start), late)
	_, err = l.ask("two", late/4)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	p.Answers(nil)
	answer, err = l.ask("three", enough)
	require.NoError(t, err)
	require.Equal(t, "two", answer, "what was late comes first")
}

func TestProxySwallowsAnswersOfOldAndNewConnections(t *testing.T) {
	t.Parallel()
	p := testkit.StartProxy(t, echo(t))
	old := dial(t, p.Addr)
	p.Answers(func() testkit.Fate { return testkit.Fate{Lost: true} })
	for _, l := range []line{old, dial(t, p.Addr)} {
		_, err := l.ask("one", 50*time.Millisecond)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	}
	p.Answers(nil)
	answer, err := old.ask("two", enough)
	require.NoError(t, err)
	require.Equal(t, "two", answer)
}

func TestProxyEndsConnectionsInTheMiddleOfAnAnswer(t *testing.T) {
	t.Parallel()
	for end, want := range map[testkit.End]error{testkit.Closed: io.EOF, testkit.Reset: syscall.ECONNRESET} {
		p := testkit.StartProxy(t, echo(t))
		p.Answers(func() testkit.Fate { return testkit.Fate{End: end, Pass: 3} })
		answer, err := dial(t, p.Addr).ask("answer", enough)
		require.ErrorIs(t, err, want)
		if !errors.Is(err, syscall.ECONNRESET) { // which may overtake what was sent
			require.Equal(t, "ans", answer)
		}
	}
}
