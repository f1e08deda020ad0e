package tests_test

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
)

// writer is another process that writes.
type writer struct{ *child }

// startWriter starts another process that carries out mutations by their names.
func (m *matrix) startWriter() writer {
	m.t.Helper()
	w := writer{m.w.child("TestProcessThatWrites")}
	require.Equal(m.t, "ready", w.hear())
	return w
}

func (w writer) run(name string) {
	w.t.Helper()
	w.say(name)
	require.Equal(w.t, "done", w.hear())
}

// TestProcessThatWrites is not a test: it is the process that startWriter starts.
func TestProcessThatWrites(t *testing.T) { //nolint:paralleltest // it is no test
	dsn, client, namespace := bornInto(t)
	if dsn == "" {
		return
	}
	d := dialectNamed(t, os.Getenv(childDialect))
	dialector, pool, err := d.open(dsn, &statements{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	plugin := rediscache.New(rediscache.Config{Redis: client, Namespace: namespace, Timeout: patience, LearnTimeout: patience})
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
