package tests_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// readerPoints are the moments between the steps of a read that is not in the cache. early: it has not read the database.
func readerPoints() []struct {
	at    string
	early bool
} {
	return []struct {
		at    string
		early bool
	}{
		{afterLoad, true},
		{beforeMint, true},
		{afterMint, true},
		{beforeQuery, true},
		{afterQuery, false},
		{beforePut, false},
		{afterPut, false},
	}
}

// Readers are stopped between any two steps of their reads, while what they read is written; then they are killed, or go
// on. Nobody is served what they store late, and dead ones keep nothing from being cached.
func TestReaderThatIsKilledOrStoppedLeavesNothingOld(t *testing.T) {
	t.Parallel()
	for _, dies := range []bool{true, false} {
		t.Run(fmt.Sprintf("killed: %t", dies), func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, onPostgresOfItsOwn())
			plain := w.members(len(readerPoints()) + 1)
			writer, other := w.cached(), w.instance(0)
			readers := make([]*instance, len(readerPoints()))
			for n := range readers {
				readers[n] = w.instance(0)
			}
			for n, p := range readerPoints() {
				// So that it has begun, and minted what all rows share.
				require.Empty(t, readers[n].do(task{Do: doRead, ID: len(readers) + 1}).Error)
				readers[n].begin(task{Do: doRead, ID: n + 1, At: p.at})
				readers[n].awaitStop(p.at)
			}
			require.NoError(t, writer.Exec("UPDATE members SET name = 'new' WHERE id > 0").Error)
			for n, p := range readerPoints() {
				require.Equal(t, "new", nameOf(t, plain.DB, n+1))
				require.Equal(t, "new", other.do(task{Do: doRead, ID: n + 1}).Value, p.at)
				if dies {
					readers[n].kill()
					readers[n] = other
				} else {
					readers[n].goOn()
					require.Equal(t, p.early, readers[n].answer().Value == "new", p.at)
				}
				for range 3 {
					require.Equal(t, "new", readers[n].do(task{Do: doRead, ID: n + 1}).Value, p.at)
					require.Equal(t, "new", nameOf(t, writer.DB, n+1), p.at)
				}
				writer.warm(t, func(db *gorm.DB) { require.Equal(t, "new", nameOf(t, db, n+1), p.at) })
				last := other.do(task{Do: doRead, ID: n + 1})
				require.Equal(t, "new", last.Value, p.at)
				require.Equal(t, metrics.Hit, last.Outcome, p.at)
			}
			require.Empty(t, writer.quiescent())
		})
	}
}
