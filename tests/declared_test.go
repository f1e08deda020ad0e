package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

type rate struct {
	ID    int64
	Value int64
}

// quoteOfDay is a table that a job fills from others, when they change.
type quoteOfDay struct {
	ID    int64
	Value int64
}

func (quoteOfDay) CacheDependsOn() []string { return []string{"rates", "renamed"} }

// A model says what its table depends on besides: a write to that costs the answers, rows and lists.
func TestModelSaysWhatItsTableDependsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.old = true // the quotes are changed behind the plugin's back
	plain := w.migrate(&rate{}, &quoteOfDay{})
	w.members(1)
	require.NoError(t, plain.Exec("CREATE VIEW renamed AS SELECT name FROM members").Error)
	require.NoError(t, plain.Create(&quoteOfDay{ID: 1, Value: 1}).Error)
	h, writer := w.cached(), w.cached()
	reads := map[string]func(*gorm.DB) any{
		"row": func(db *gorm.DB) any {
			var q quoteOfDay
			require.NoError(t, db.First(&q, 1).Error)
			return q
		},
		"list": func(db *gorm.DB) any {
			var all []quoteOfDay
			require.NoError(t, db.Find(&all).Error)
			return all
		},
	}
	for name, write := range map[string]func() error{
		"a table":              func() error { return writer.Create(&rate{Value: 1}).Error },
		"a table below a view": func() error { return writer.Create(&member{Name: "new"}).Error },
	} {
		for read, f := range reads {
			agreesFromCache(t, plain, h, read, f)
		}
		require.NoError(t, plain.Exec("UPDATE quote_of_days SET value = value + 1").Error)
		require.NoError(t, write())
		for read, f := range reads {
			agreesFromCache(t, plain, h, read+" after a write to "+name, f)
		}
	}
}
