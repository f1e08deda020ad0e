package tests_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// With CreateBatchSize one Create is several INSERTs: in one transaction, announced once, or each by itself.
func TestCreateBatchSize(t *testing.T) {
	t.Parallel()
	size := withGORM(func(c *gorm.Config) { c.CreateBatchSize = 2 })
	skip := withGORM(func(c *gorm.Config) { c.SkipDefaultTransaction = true })
	for name, c := range map[string]struct {
		options []option
		session gorm.Session
		writes  int // announced
		kept    int // rows, after a batch that failed
	}{
		"config":                           {[]option{size}, gorm.Session{}, 1, 2},
		"session":                          {nil, gorm.Session{CreateBatchSize: 2}, 1, 2},
		"without default transaction":      {[]option{size, skip}, gorm.Session{}, 3, 4},
		"prepared":                         {[]option{size}, gorm.Session{PrepareStmt: true}, 1, 2},
		"without transaction, by session":  {[]option{size}, gorm.Session{SkipDefaultTransaction: true}, 3, 4},
		"no batches":                       {nil, gorm.Session{}, 1, 2},
		"batches greater than what is new": {nil, gorm.Session{CreateBatchSize: 100}, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.wares(1)
			h, reader := w.cached(c.options...), w.cached()
			reader.warmView(t, 1, look(t, plain.DB, 1))
			rows := []ware{{ID: 12, Grp: 1}, {ID: 13, Grp: 1}, {ID: 14, Grp: 1}, {ID: 15, Grp: 1}, {ID: 16, Grp: 1, Labels: []sticker{{Text: "new"}}}}
			events := h.log.wrote(func() {
				tx := h.Session(&c.session).Create(&rows)
				require.NoError(t, tx.Error)
				require.Equal(t, int64(5), tx.RowsAffected)
			})
			announced := 0
			for _, e := range events {
				if e.Outcome == metrics.Committed {
					announced++
				}
			}
			if c.writes == 1 {
				require.Equal(t, 1, announced)
			} else {
				require.GreaterOrEqual(t, announced, c.writes)
			}
			want := look(t, plain.DB, 1)
			require.Len(t, want.List, 7)
			require.Equal(t, want, look(t, reader.DB, 1))
			reader.warmView(t, 1, want)

			// A batch that fails takes the others with it, or not; what is there is what is read.
			require.NoError(t, h.Exec("DELETE FROM stickers").Error)
			require.NoError(t, h.Exec("DELETE FROM wares WHERE id > 11").Error)
			reader.warmView(t, 1, look(t, plain.DB, 1))
			bad := []ware{{ID: 12, Grp: 1}, {ID: 13, Grp: 1}, {ID: 14, Grp: 1}, {ID: 10, Grp: 1}}
			require.Error(t, h.Session(&c.session).Create(&bad).Error)
			want = look(t, plain.DB, 1)
			require.Len(t, want.List, c.kept, fmt.Sprint(want.List))
			require.Equal(t, want, look(t, reader.DB, 1))
			reader.warmView(t, 1, want)
		})
	}
}
