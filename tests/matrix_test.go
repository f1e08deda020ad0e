package tests_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// Every way to write × every way to read: what was served from Redis before the write is, after it, what a handle
// without the plugin reads. Writers are the reader's own handle and another process; readers are the handle that may
// have written, and another one.
func TestMatrixOfWritesAndReadsHasNoWrongCell(t *testing.T) {
	t.Parallel()
	for i, chunk := range matrixChunks() {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			m := newMatrix(t)
			process := m.startWriter()
			for i, mutation := range chunk {
				here, there := true, !mutation.definition // which has a world of its own below
				if testing.Short() && there {
					here, there = i%2 == 0, i%2 == 1
				}
				if here {
					m.reset()
					m.warm()
					require.NoError(t, mutation.run(m.readers[0].DB), mutation.name)
					m.check("in this process", mutation)
				}
				if there {
					m.reset()
					m.warm()
					process.run(mutation.name)
					m.check("in another process", mutation)
				}
			}
		})
	}
}

// Definitions cannot be undone by other rows: each has a world of its own.
func TestMatrixOfDefinitionsInAnotherProcess(t *testing.T) {
	t.Parallel()
	for _, mutation := range matrixDefinitions() {
		t.Run(mutation.name, func(t *testing.T) {
			t.Parallel()
			m := newMatrix(t)
			process := m.startWriter()
			m.warm()
			process.run(mutation.name)
			m.check("in another process", mutation)
		})
	}
}

// The same matrix sees every write that is forgotten: here the writer does not use the plugin.
func TestMatrixSeesEveryWriteThatIsForgotten(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	m.w.old = true
	for _, mutation := range matrixMutations() {
		if mutation.definition {
			continue
		}
		m.reset()
		m.warm()
		require.NoError(t, mutation.run(m.plain.DB), mutation.name)
		require.Equal(t, mutation.nothing, len(m.wrong()) == 0, mutation.name)
	}
}

// matrixChunks cuts the mutations into parts that run at the same time. Each definition is a part of its own.
func matrixChunks() [][]matrixMutation {
	const size = 20
	var chunks [][]matrixMutation
	for _, mutation := range matrixMutations() {
		last := len(chunks) - 1
		if last < 0 || mutation.definition || len(chunks[last]) == size {
			chunks = append(chunks, nil)
			last++
		}
		chunks[last] = append(chunks[last], mutation)
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

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{t: t, w: newWorld(t), reads: matrixReads()}
	m.plain = m.w.plain()
	require.NoError(t, m.plain.Exec(matrixSchema).Error)
	require.NoError(t, m.plain.Exec(matrixRows+"REFRESH MATERIALIZED VIEW totals").Error)
	m.readers = []*handle{m.w.cached(), m.w.cached()}
	return m
}

// reset gives the tables their rows again.
func (m *matrix) reset() {
	m.t.Helper()
	require.NoError(m.t, m.readers[1].Exec(matrixRows).Error)
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
	m := newMatrix(t)
	m.warm()
	for _, read := range m.reads {
		sent := m.readers[0].sql.during(func() { read.run(m.readers[0].DB) })
		require.Equal(t, read.live, len(sent) > 0, "%s: %v", read.name, sent)
		if !read.live {
			require.Equal(t, metrics.Hit, m.readers[0].log.lastOutcome(), read.name)
		}
	}
}
