package differential_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// Programs that differed once, or cost more than they should.

// A write whose arguments the driver refuses was taken for one that may have been carried out: what it would have touched
// was not cached for a minute.
func TestWriteThatWasNeverSentIsNotInDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, set := range []setting{{Skip: true}, {Simple: true, Skip: true}, {Prepare: true, Skip: true}} {
		require.Empty(t, w.differ(program{set: set, steps: []step{
			exec("INSERT INTO notes (text) VALUES (?)", 3),
			exec("TRUNCATE notes -- ?", 1),
			exec("UPDATE notes SET text = ? WHERE id = ?", 1),
			raw("SELECT * FROM notes WHERE id > ?", 1, func() any { return new([]map[string]any) }),
		}}))
	}
	require.Zero(t, w.reads.reasons[metrics.ReasonWriting])
}

// GORM renames the columns of an answer in place, and database/sql names them in its errors.
func TestErrorsOfScanNameColumnsAsTheyWereMapped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	swapped := expr(`map[string]string{"name": "age", "age": "name"}`, func() any {
		return map[string]string{"name": "age", "age": "name"}
	})
	people := subjects()[0]
	one := people.into("one", people.one, "", func(db *gorm.DB, v any) *gorm.DB { return db.Order("id").Scan(v) }, "Scan", true)
	one.reads = true
	require.Empty(t, w.differ(program{steps: []step{{
		calls: []call{on("MapColumns", swapped), on("Model", people.empty())}, finish: one,
	}}}))
}
