package callbacks

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/relations"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

const veryMany = 200_000

func TestPlansAreBoundedByNumberAndByLength(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ padding, texts int }{
		"short texts": {20, veryMany}, "long texts": {10_000, veryMany / 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p plans
			pad := strings.Repeat("x", c.padding)
			for n := range c.texts {
				p.get(planKey{text: pad + strconv.Itoa(n)}, func() *plan { return &plan{src: pad} })
			}
			require.LessOrEqual(t, p.len(), planShards*maxPlans)
			kept := 0
			for i := range p.shards {
				weight := 0
				for _, planned := range p.shards[i].m {
					weight += planned.weight()
				}
				require.Equal(t, weight, p.shards[i].weight)
				require.LessOrEqual(t, weight, maxPlanned)
				kept += weight
			}
			require.Positive(t, kept)
		})
	}
	var p plans
	long := planKey{text: strings.Repeat("x", maxPlannedText+1)}
	p.get(long, func() *plan { return &plan{} })
	require.Zero(t, p.len())
}

// Preloads have lists of any length, each a text of its own.
func TestMemoryOfPlansIsBounded(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	names, err := keying.NewSpace("rc", "db", keying.OneSlot)
	require.NoError(t, err)
	users := catalog.Table{
		Name: "users", Kind: catalog.Base,
		Key: []catalog.Column{{Name: "id", Type: "int8"}}, Columns: []catalog.Column{{Name: "id", Type: "int8"}},
	}
	heap := func() int {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int(stats.HeapAlloc)
	}
	for dialect, value := range map[string]func(n int) string{
		catalog.Postgres: func(n int) string { return "$" + strconv.Itoa(n) },
		catalog.MySQL:    func(int) string { return "?" },
		catalog.SQLite:   strconv.Itoa,
	} {
		d := &database{h: &Hooks{models: newModels(newPolicies(ttlconfig.Policy{}), nil)}, dialect: dialect, lexer: lexerOf(dialect)}
		k := &snapshot{
			identity: &identity{names: names}, models: d.h.models,
			graph: relations.New(&catalog.Catalog{Tables: []catalog.Table{users}}, d.lexer),
		}
		before := heap()
		for n := range 600 {
			values := make([]string, n*8)
			for i := range values {
				values[i] = value(i + 1)
			}
			k.plan(d, planKey{text: "SELECT * FROM users WHERE id IN (" + strings.Join(values, ",") + ")"})
		}
		took := heap() - before
		weight := 0
		for i := range k.plans.shards {
			weight += k.plans.shards[i].weight
		}
		require.Less(t, took, planShards*maxPlanned, dialect)
		require.InEpsilon(t, weight, took, 0.5, "%s: what plans weigh is what they take", dialect)
		runtime.KeepAlive(k)
	}
}

func TestTablesThatDoNotExistAreNotRemembered(t *testing.T) {
	t.Parallel()
	names, err := keying.NewSpace("rc", "db", keying.ManySlots)
	require.NoError(t, err)
	c := &catalog.Catalog{Tables: []catalog.Table{{Name: "users"}}}
	k := &snapshot{identity: &identity{names: names}, graph: relations.New(c, sqltext.Postgres)}
	users, nobody := k.table("users"), k.table("nobody1")
	require.Same(t, users, k.table("users"))
	for n := range veryMany / 10 {
		k.table("nobody" + strconv.Itoa(n))
	}
	require.Equal(t, nobody.List(), k.table("nobody1").List())
	remembered := 0
	k.tables.Range(func(any, any) bool { remembered++; return true })
	require.Equal(t, 1, remembered)
}

// One transaction may write any number of rows: what it announces, and what it remembers until then, is bounded.
func TestRowsOfATransactionAreRememberedUpToABound(t *testing.T) {
	t.Parallel()
	names, err := keying.NewSpace("rc", "db", keying.ManySlots)
	require.NoError(t, err)
	table := names.Table("users")
	key := func(n int) keying.PrimaryKey {
		k, ok := keying.NewPrimaryKey([]keying.KeyKind{keying.Integer}, n)
		require.True(t, ok)
		return k
	}
	var inserted, updated, both effect
	for n := range veryMany {
		inserted.addRow(key(n), true)
		updated.addRow(key(n), false)
		both.addRow(key(n), true)
		inserted.addScope(table.Scope("group_id", key(n)))
	}
	require.Len(t, inserted.rows, maxAnnounced+1)
	require.Equal(t, []keying.Tag{table.Registry(), table.Absent()}, inserted.tags(table))
	require.Len(t, updated.rows, maxAnnounced+1)
	require.Equal(t, table.Bulk(), updated.tags(table))

	both.addRow(key(veryMany-1), false) // one that was inserted, and forgotten
	require.Equal(t, []keying.Tag{table.Absent(), table.Row(key(veryMany - 1))}, both.tags(table))
	for n := range maxAnnounced {
		both.addRow(key(n), false)
	}
	require.Equal(t, table.Bulk(), both.tags(table))
}
