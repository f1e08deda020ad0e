package soundness_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Writers and readers at the same time: what is stored meanwhile is right when they are through.
func TestAnswersStoredWhileOthersWriteAreRight(t *testing.T) {
	t.Parallel()
	if os.Getenv(envPrecision) != "" {
		return
	}
	w := newWorld(t, nil)
	d, _ := soak(t)
	first, end := seed(t), time.Now().Add(d)
	hits := 0
	for i := uint64(0); i < rushes || time.Now().Before(end); i++ {
		h, wrong := w.rush(first + i)
		require.Empty(t, wrong, "%s=%d", envSeed, first+i)
		hits += h
	}
	t.Logf("%d answers from the store in the end", hits)
	require.Positive(t, hits)
}

const (
	// rushes is how many there are, but in a soak.
	rushes = 12
	// writesOfRush is how many writes each of the writers makes.
	writesOfRush = 8
	// readsOfRush is how many different queries there are.
	readsOfRush = 40
)

// rush lets two processes write while two read. It returns how many answers come from the store afterwards, and what is
// wrong with them.
func (w *world) rush(seed uint64) (hits int, wrong string) {
	w.t.Helper()
	w.reset()
	g := newGen(seed)
	reads := drawReads(g)
	g.Shuffle(len(reads), func(i, j int) { reads[i], reads[j] = reads[j], reads[i] })
	reads = reads[:readsOfRush]
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for n, by := range []*writer{&w.writers[g.IntN(3)], &w.writers[3+g.IntN(2)]} {
		own := newGen(seed*10 + uint64(n))
		writing.Go(func() {
			for range writesOfRush {
				if s := (step{write: drawWrite(own, by.stranger), by: by}); !s.redefines {
					_ = s.run(by.DB)
				}
			}
		})
	}
	for n, reader := range w.readers {
		own := newGen(seed*10 + 5 + uint64(n))
		reading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					reads[own.IntN(len(reads))].ask(reader.DB)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	for _, r := range w.readers {
		r.log.settle()
	}
	return w.quiescent(reads)
}

// quiescent asks when nothing is under way.
func (w *world) quiescent(reads []read) (hits int, wrong string) {
	for i := range reads {
		q := &reads[i]
		want := q.ask(w.plain.DB)
		for n, reader := range w.readers {
			got := ""
			events, _ := reader.log.during(func() { got = q.ask(reader.DB) })
			if hit(events) {
				hits++
			}
			if got != want {
				var tags []string
				for _, e := range events {
					tags = append(tags, string(e.Outcome)+", depends on "+strings.Join(e.Tags, ", "))
				}
				return hits, fmt.Sprintf("%s:\n    %s\n    %s\nwhen all is over, the cache serves (reader %d): %s\n  the database answers: %s",
					q.kind, w.sqlOf(q), strings.Join(tags, "\n    "), n, got, want)
			}
		}
	}
	return hits, ""
}
