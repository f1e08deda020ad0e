package callbacks

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// What was planned costs time to plan again: a reading of the catalog that says the same as before takes nothing away.
func TestPlansAreKeptWhileTheCatalogSaysTheSame(t *testing.T) {
	t.Parallel()
	names, err := keying.NewSpace("rc", "db", keying.ManySlots)
	require.NoError(t, err)
	d := &database{h: &Hooks{models: newModels(newPolicies(ttlconfig.Policy{}), nil)}, dialect: catalog.Postgres, lexer: sqltext.Postgres}
	id := &identity{names: names}
	read := func(id *identity, table catalog.Table) *knowledge {
		k := d.learned(t.Context(), id, &catalog.Catalog{Tables: []catalog.Table{table}}, nil)
		d.known.Store(k)
		return k
	}
	users := catalog.Table{Name: "users", Kind: catalog.Base, Identity: "1"}
	k := read(id, users)
	planned := k.plan(d, planKey{text: "SELECT * FROM users"})
	again := read(id, users)
	require.NotSame(t, k, again)
	require.Same(t, planned, again.plan(d, planKey{text: "SELECT * FROM users"}))
	users.Identity = "2"
	anew := read(id, users).plan(d, planKey{text: "SELECT * FROM users"})
	require.NotEqual(t, planned.read.seed, anew.read.seed)
	require.NotSame(t, anew, read(&identity{names: names}, users).plan(d, planKey{text: "SELECT * FROM users"}), "another session")
}
