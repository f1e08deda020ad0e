package tests_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
)

// writer is another process that writes.
type writer struct {
	t       *testing.T
	in      io.Writer
	answers *bufio.Scanner
}

// startWriter starts another process that carries out mutations by their names.
func (m *matrix) startWriter() *writer {
	m.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestProcessThatWrites$")
	cmd.Env = append(os.Environ(), "REDISCACHE_WRITER_DIALECT="+m.w.dialect.name, "REDISCACHE_WRITER_DSN="+m.w.dsn,
		"REDISCACHE_WRITER_NAMESPACE="+m.w.namespace, "REDISCACHE_WRITER_REDIS="+m.w.redisURL())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(m.t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(m.t, err)
	require.NoError(m.t, cmd.Start())
	m.t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	w := &writer{t: m.t, in: in, answers: bufio.NewScanner(out)}
	w.answer("ready")
	return w
}

func (w *writer) run(name string) {
	w.t.Helper()
	_, err := fmt.Fprintln(w.in, name)
	require.NoError(w.t, err)
	w.answer("done")
}

func (w *writer) answer(want string) {
	w.t.Helper()
	require.True(w.t, w.answers.Scan(), "the process is gone")
	require.Equal(w.t, want, w.answers.Text())
}

// TestProcessThatWrites is not a test: it is the process that startWriter starts.
func TestProcessThatWrites(t *testing.T) { //nolint:paralleltest // it is no test
	dsn := os.Getenv("REDISCACHE_WRITER_DSN")
	if dsn == "" {
		return
	}
	opt, err := redis.ParseURL(os.Getenv("REDISCACHE_WRITER_REDIS"))
	require.NoError(t, err)
	client := redis.NewClient(opt)
	t.Cleanup(func() { _ = client.Close() })
	d := dialectNamed(t, os.Getenv("REDISCACHE_WRITER_DIALECT"))
	dialector, pool, err := d.open(dsn, &statements{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	plugin := rediscache.New(rediscache.Config{Redis: client, Namespace: os.Getenv("REDISCACHE_WRITER_NAMESPACE")})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { _ = plugin.Close(t.Context()) })

	mutations := map[string]func(*gorm.DB) error{}
	for _, m := range matrixMutations(d) {
		mutations[m.name] = m.run
	}
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := mutations[lines.Text()](db); err != nil {
			fmt.Printf("%s: %v\n", lines.Text(), err)
		} else {
			fmt.Println("done")
		}
	}
}
