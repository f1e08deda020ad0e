package callbacks

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// models is what the models say that GORM has parsed: by which columns rows are looked up, and which tables belong
// together. It only grows. Tables are named without their schemas, in lower case; columns as in the models.
type models struct {
	seen     sync.Map // *schema.Schema → true
	mu       sync.Mutex
	known    atomic.Pointer[modelFacts]
	policies *policies
	log      *slog.Logger
}

// modelFacts are what all models say together. They do not change.
type modelFacts struct {
	version uint64
	// byTable holds the scopes of tables, everywhere those that any table may have.
	byTable    map[string][][]string
	everywhere [][]string
	depends    map[string][]string
	// keys are the foreign keys that AutoMigrate makes of the associations, tables what it makes of the models.
	keys   []catalog.ForeignKey
	tables map[string]catalog.Table
}

func newModels(p *policies, log *slog.Logger) *models {
	m := &models{policies: p, log: log}
	m.known.Store(&modelFacts{
		byTable: map[string][][]string{}, depends: map[string][]string{}, tables: map[string]catalog.Table{},
	})
	return m
}

// learn takes notice of a model, and of all models that it is associated with. It answers true if that said anything new.
func (m *models) learn(s *schema.Schema) bool {
	grew, err := m.consult(s)
	if err != nil {
		m.log.Warn("rediscache: what a model says of its policy cannot be used as it is", "error", err)
	}
	return grew
}

// consult is learn for who wants to know what models say that cannot be used.
func (m *models) consult(s *schema.Schema) (grew bool, err error) {
	if s == nil {
		return false, nil
	}
	if _, seen := m.seen.Load(s); seen {
		return false, nil
	}
	// Only this model is known to be parsed to its end: another goroutine may be at work on those that it leads to. They
	// are looked at again when they are used.
	defer m.seen.Store(s, true)
	return m.grow(func(w *modelWalk) { w.schema(s) })
}

// configure takes a policy of Config.Models.
func (m *models) configure(table, model string, policy ttlconfig.Policy) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.policies.configure(table, stated{policy, model})
}

// declare takes notice of scopes that a policy names: those of a table, or of any if no table is named.
func (m *models) declare(table string, scopes [][]string) {
	_, _ = m.grow(func(w *modelWalk) { w.scopes(table, scopes) })
}

// grow lets a walk add to a copy of what is known.
func (m *models) grow(add func(*modelWalk)) (grew bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.known.Load()
	w := &modelWalk{
		visited: map[*schema.Schema]bool{}, policies: m.policies,
		facts: modelFacts{
			version: before.version + 1, byTable: maps.Clone(before.byTable), everywhere: slices.Clip(before.everywhere),
			depends: maps.Clone(before.depends), keys: slices.Clip(before.keys), tables: maps.Clone(before.tables),
		},
	}
	if add(w); w.grew {
		m.known.Store(&w.facts)
	}
	return w.grew, errors.Join(w.wrong...)
}

// version changes whenever something new is known.
func (m *models) version() uint64 { return m.known.Load().version }

// scopes returns the columns by which rows of a table are looked up: those that are given together, sorted. The caller
// must not change them. Whether the table has such columns is not known here.
func (m *models) scopes(table string) [][]string {
	known := m.known.Load()
	if len(known.everywhere) == 0 {
		return known.byTable[table]
	}
	return append(slices.Clip(known.byTable[table]), known.everywhere...)
}

// dependsOn returns the tables that queries of a table depend on besides, as its model says: a view, whose tables the
// catalog does not show.
func (m *models) dependsOn(table string) []string { return m.known.Load().depends[table] }

// catalog returns what the models say of a database that does not show its own catalog, and the version of that.
func (m *models) catalog() (c *catalog.Catalog, version uint64) {
	known := m.known.Load()
	c = &catalog.Catalog{ForeignKeys: known.keys, Partial: true}
	for _, name := range slices.Sorted(maps.Keys(known.tables)) {
		c.Tables = append(c.Tables, known.tables[name])
	}
	return c, known.version
}
