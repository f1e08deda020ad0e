package keying_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/keying"
)

// traffic counts what readers ask of a Redis Cluster of three primaries, which have a third of the slots each.
type traffic struct {
	keys  map[string]int
	nodes [3]int
	total int
}

func (a *traffic) read(key keying.Key, tags ...keying.Tag) {
	names := []string{string(key)}
	for _, tag := range tags {
		names = append(names, tag.Token())
	}
	for _, name := range names {
		a.keys[name]++
		a.nodes[int(crc16(slotOf(name)))%16384*3/16384]++
		a.total++
	}
}

// hottest returns the share of all reads that ask for the key which most ask for, and of the server that is asked most.
func (a *traffic) hottest(reads int) (key, node float64) {
	most := 0
	for name, n := range a.keys {
		if !strings.Contains(name, "=") { // an entry or a scope is as hot as the application asks for it
			most = max(most, n)
		}
	}
	return float64(most) / float64(reads), float64(slices.Max(a.nodes[:])) / float64(a.total)
}

// Of lookups of one table by key, no key is asked for by more than a little above one in as many as there are copies, and no
// server by much more than its third. See docs/decisions/0015-sixteen-copies.md.
func TestLookupsOfATableSpreadOverACluster(t *testing.T) {
	t.Parallel()
	const rows = 20_000
	variant := keying.NewFingerprint("select *").Variant()
	a := traffic{keys: map[string]int{}}
	table := space(t).Table("users")
	for id := range rows {
		entry, tags := table.RowEntry(key(t, integer, id), variant)
		a.read(entry, tags[:]...)
	}
	hot, node := a.hottest(rows)
	t.Logf("points of one table: hottest key %.3f of all reads, busiest of 3 primaries %.3f", hot, node)
	require.Less(t, hot, 1.1/keying.Copies)
	require.Less(t, node, 0.39)
}

// Lists depend on one tag of their table, which is in one place: it is the tables that spread them.
func TestListsOfManyTablesSpreadOverACluster(t *testing.T) {
	t.Parallel()
	const tables, lists = 60, 100
	a := traffic{keys: map[string]int{}}
	for n := range tables {
		table := space(t).Table(fmt.Sprintf("table%d", n))
		for q := range lists {
			key, all := table.QueryEntry(keying.NewFingerprint(strconv.Itoa(q)).Query())
			a.read(key, table.List(), all)
		}
	}
	hot, node := a.hottest(tables * lists)
	t.Logf("lists of %d tables: hottest key %.3f of all reads, busiest of 3 primaries %.3f", tables, hot, node)
	require.Less(t, hot, 0.12)
	require.Less(t, node, 0.45)
}
