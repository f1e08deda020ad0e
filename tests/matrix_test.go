package tests_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit/stores"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// Every way to write × every way to read: what was served from Redis before the write is, after it, what a handle
// without the plugin reads. Writers are the reader's own handle and another process; readers are the handle that may
// have written, and another one.
func TestMatrixOfWritesAndReadsHasNoWrongCell(t *testing.T) {
	t.Parallel()
	for _, d := range raced(dialects()) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			matrixOf(t, d)
		})
	}
}

// raced is the first of what a test runs on where the race detector watches (make test-race): each runs the same code of
// the plugin, one statement after the other.
func raced[E any](all []E) []E {
	if testing.Short() {
		return all[:1]
	}
	return all
}

func matrixOf(t *testing.T, d *dialect) {
	t.Helper()
	for i, chunk := range matrixChunks(d) {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			m := newMatrix(t, d)
			process := m.startWriter()
			for _, mutation := range chunk {
				if mutation.here {
					m.reset()
					m.warm()
					require.NoError(t, mutation.run(m.readers[0].DB), mutation.name)
					m.check("in this process", mutation.matrixMutation)
				}
				if mutation.there {
					m.reset()
					m.warm()
					process.run(mutation.name)
					m.check("in another process", mutation.matrixMutation)
				}
			}
		})
	}
}

// The same on a Redis Cluster, whose servers hold a part of the entries and tags each: what is looked at together is not of
// one instant, and a write is announced server by server.
func TestMatrixOnACluster(t *testing.T) {
	t.Parallel()
	stores.OnACluster(t, "^(TestMatrixOfWritesAndReadsHasNoWrongCell|TestMatrixOfDefinitionsInAnotherProcess|"+
		"TestMatrixSeesEveryWriteThatIsForgotten|TestEveryReadOfTheMatrixIsServedFromRedis)$")
}

// matrixIsWhole says whether everything is tried: with REDISCACHE_MATRIX=full (make matrix), and on PostgreSQL with one server
// of Redis.
func matrixIsWhole(d *dialect) bool {
	return os.Getenv("REDISCACHE_MATRIX") == "full" || d.name == "postgres" && !testing.Short() && !stores.Clustered()
}

// matrixPlaces says where the i-th mutation is tried: in the reader's process, in another one, or both. If the matrix is not
// whole, that is one of them, for some of the mutations only.
func matrixPlaces(d *dialect, i int, mutation matrixMutation) (here, there bool) {
	every := matrixStride(d)
	switch {
	case matrixIsWhole(d):
		return true, !mutation.definition // which has a world of its own below
	case mutation.definition:
		return d.name == "postgres" && i%every == 0, false
	default:
		return i%every == 0 && i/every%2 == 0, i%every == 0 && i/every%2 == 1
	}
}

// matrixStride is how many mutations go by for each that is tried.
func matrixStride(d *dialect) int {
	switch {
	case matrixIsWhole(d):
		return 1
	case d.kin != "":
		return 12
	case stores.Clustered():
		return 8
	default:
		return 4
	}
}

// Definitions cannot be undone by other rows: each has a world of its own.
func TestMatrixOfDefinitionsInAnotherProcess(t *testing.T) {
	t.Parallel()
	for _, d := range raced(dialects()) {
		for i, mutation := range matrixDefinitions(d) {
			if i%matrixStride(d) != 0 {
				continue
			}
			t.Run(d.name+", "+mutation.name, func(t *testing.T) {
				t.Parallel()
				m := newMatrix(t, d)
				process := m.startWriter()
				m.warm()
				process.run(mutation.name)
				m.check("in another process", mutation)
			})
		}
	}
}

// The same matrix sees every write that is forgotten: here the writer does not use the plugin.
func TestMatrixSeesEveryWriteThatIsForgotten(t *testing.T) {
	t.Parallel()
	for _, d := range raced(dialects()) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			m := newMatrix(t, d)
			m.w.old = true
			for i, mutation := range matrixMutations(d) {
				if here, there := matrixPlaces(d, i, mutation); mutation.definition || !here && !there {
					continue
				}
				m.reset()
				m.warm()
				require.NoError(t, mutation.run(m.plain.DB), mutation.name)
				require.Equal(t, mutation.nothing, len(m.wrong()) == 0, mutation.name)
			}
		})
	}
}

// A triedMutation is a mutation of the matrix, and where it is tried.
type triedMutation struct {
	matrixMutation
	here, there bool
}

// matrixChunks cuts the mutations that are tried into parts that run at the same time. Each definition is a part of its own.
func matrixChunks(d *dialect) [][]triedMutation {
	const size = 20
	var chunks [][]triedMutation
	for i, mutation := range matrixMutations(d) {
		here, there := matrixPlaces(d, i, mutation)
		if !here && !there {
			continue
		}
		last := len(chunks) - 1
		if last < 0 || mutation.definition || len(chunks[last]) == size {
			chunks = append(chunks, nil)
			last++
		}
		chunks[last] = append(chunks[last], triedMutation{mutation, here, there})
	}
	return chunks
}

// matrix is a world with the tables of the matrix.
type matrix struct {
	t       *testing.T
	w       *world
	plain   *handle
	readers []*handle
	reads   []matrixRead
}

func newMatrix(t *testing.T, d *dialect) *matrix {
	t.Helper()
	m := &matrix{t: t, w: newWorldOn(t, d), reads: matrixReads(d)}
	m.reads = slices.DeleteFunc(m.reads, func(r matrixRead) bool { return slices.Contains(d.without, r.name) })
	m.plain = m.w.plain()
	require.NoError(t, m.plain.Exec(d.schema()).Error)
	require.NoError(t, m.plain.Exec(d.rows()+d.matrix().finish).Error)
	m.readers = []*handle{m.w.cached(), m.w.cached()}
	return m
}

// reset gives the tables their rows again.
func (m *matrix) reset() {
	m.t.Helper()
	require.NoError(m.t, m.readers[1].Exec(m.w.dialect.rows()).Error)
	if renumber := m.w.dialect.matrix().renumber; renumber != nil {
		require.NoError(m.t, renumber(m.plain.DB))
	}
}

// warm reads everything until all of it comes from Redis, on every reader.
func (m *matrix) warm() {
	m.t.Helper()
	for i := range m.reads {
		m.reads[i].run(m.readers[0].DB) // stored in the background, while the next one is read
	}
	for _, reader := range m.readers {
		for i := range m.reads {
			if read := &m.reads[i]; !read.live {
				reader.warm(m.t, func(db *gorm.DB) { read.run(db) })
			}
		}
	}
}

// wrong returns the reads whose answer differs from that of a handle without the plugin. The first reader reads twice, as
// its second answer may be the first one, stored.
func (m *matrix) wrong() (names []string) {
	m.t.Helper()
	for i := range m.reads {
		read := &m.reads[i]
		want := read.again(m.plain.DB)
		for _, reader := range []int{0, 0, 1} {
			if got := read.again(m.readers[reader].DB); !reflect.DeepEqual(want, got) {
				names = append(names, fmt.Sprintf("%s, reader %d: got %s, want %s", read.name, reader, show(got), show(want)))
			}
		}
	}
	return names
}

// again reads, and once more if the driver had prepared the statement before the schema was changed: with or without
// the plugin, the first attempt then fails.
func (r *matrixRead) again(db *gorm.DB) any {
	got := r.run(db)
	if s, ok := got.(seen); ok && strings.Contains(s.Err, "cached plan must not change result type") {
		got = r.run(db)
	}
	return got
}

func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// check demands that there is no wrong cell.
func (m *matrix) check(where string, mutation matrixMutation) {
	m.t.Helper()
	require.Empty(m.t, m.wrong(), "%s %s", mutation.name, where)
}

// TestEveryReadOfTheMatrixIsServedFromRedis makes sure that the matrix tests what it says.
func TestEveryReadOfTheMatrixIsServedFromRedis(t *testing.T) {
	t.Parallel()
	for _, d := range dialects() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			m := newMatrix(t, d)
			m.warm()
			for _, read := range m.reads {
				sent := m.readers[0].sql.during(func() { read.run(m.readers[0].DB) })
				require.Equal(t, read.live, len(sent) > 0, "%s: %v", read.name, sent)
				if !read.live {
					require.Equal(t, metrics.Hit, m.readers[0].log.lastOutcome(), read.name)
				}
			}
		})
	}
}
