package tests_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// maxAsked bounds the queries that are remembered of a handle.
const maxAsked = 300

// asked remembers what a handle was asked, so that the end of a test can ask it again: when nothing is under way,
// nothing that Redis answers differs from the database.
type asked struct {
	mu      sync.Mutex
	queries map[string]query
}

type query struct {
	sql   string
	args  []any
	model reflect.Type // nil: none
}

// remember notes the queries of a handle from now on.
func (a *asked) remember(db *gorm.DB) error {
	note := func(db *gorm.DB) {
		stmt := db.Statement
		if _, tx := stmt.ConnPool.(gorm.TxCommitter); tx || db.Error != nil || db.DryRun {
			return
		}
		q := query{sql: stmt.SQL.String(), args: slices.Clone(stmt.Vars)}
		if stmt.Schema != nil {
			q.model = stmt.Schema.ModelType
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.queries == nil {
			a.queries = map[string]query{}
		}
		if len(a.queries) < maxAsked {
			a.queries[fmt.Sprintf("%s %#v %v", q.sql, q.args, q.model)] = q
		}
	}
	if err := db.Callback().Query().After("gorm:query").Register("test:remember", note); err != nil {
		return err
	}
	return db.Callback().Row().After("gorm:row").Register("test:remember", note)
}

// run asks a query once more, for its rows as the driver returns them.
func (q query) run(db *gorm.DB) (rows []string, err error) {
	tx := db.Session(&gorm.Session{NewDB: true}).Clauses(dbresolver.Write) // no replica, if there are any
	if q.model != nil {
		tx = tx.Model(reflect.New(q.model).Interface())
	}
	tx = tx.Set("rediscache:test", true) // a statement of its own
	tx.Statement.SQL.WriteString(q.sql)
	tx.Statement.Vars = slices.Clone(q.args)
	var found []map[string]any
	if err := tx.Find(&found).Error; err != nil {
		return nil, err
	}
	for _, row := range found {
		for column, value := range row {
			if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && !v.IsNil() {
				row[column] = v.Elem().Interface()
			}
		}
		rows = append(rows, fmt.Sprintf("%#v", row)) // maps are printed in the order of their keys
	}
	slices.Sort(rows) // queries without an order have any
	return rows, nil
}

// quiescent asks again what the handle was asked, compares what Redis answers with the database, and returns the first
// answers that are wrong.
func (h *handle) quiescent() (wrong []string) {
	for _, q := range h.asked.queries {
		h.log.mu.Lock()
		h.log.reads = nil
		h.log.mu.Unlock()
		cached, err := q.run(h.DB)
		if err != nil || h.log.lastOutcome() != metrics.Hit {
			continue
		}
		fresh, err := q.run(h.WithContext(rediscache.WithBypass(context.Background())))
		if err == nil && !slices.Equal(cached, fresh) && len(wrong) < 5 {
			wrong = append(wrong, fmt.Sprintf("%s %v\n  Redis:    %v\n  database: %v", q.sql, q.args, cached, fresh))
		}
	}
	return wrong
}

// The check that every test ends with finds what is old.
func TestCheckFindsWhatIsOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.old = true
	plain := w.members(2)
	h := w.cached()
	for _, read := range []func(*gorm.DB){
		func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) },
		func(db *gorm.DB) { require.NoError(t, db.Order("id").Find(&[]member{}).Error) },
		func(db *gorm.DB) { require.NoError(t, db.Raw("SELECT name FROM members").Scan(&[]string{}).Error) },
	} {
		h.warm(t, read)
	}
	require.Empty(t, h.quiescent())
	require.NoError(t, plain.Model(&member{ID: 1}).Update("name", "changed").Error)
	require.Len(t, h.quiescent(), 3)
}
