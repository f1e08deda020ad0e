package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// What PREPARE TRANSACTION has prepared is seen when COMMIT PREPARED has returned, on whatever handle that runs.
func TestTransactionsThatArePrepared(t *testing.T) {
	t.Parallel()
	server := testkit.StartPostgres(t, "max_prepared_transactions=5")

	w := newWorld(t)
	w.dsn = server.URL
	plain := w.wares(1)
	writer, reader, other := w.cached(), w.cached(), w.cached()
	before := look(t, plain.DB, 1)
	reader.warmView(t, 1, before)
	prepare := func(id, name string) {
		require.NoError(t, writer.Connection(func(tx *gorm.DB) error {
			tx = tx.Session(&gorm.Session{})
			require.NoError(t, tx.Exec("BEGIN").Error)
			require.NoError(t, tx.Exec("UPDATE wares SET name = ? WHERE id = 10", name).Error)
			return tx.Exec("PREPARE TRANSACTION '" + id + "'").Error
		}))
	}
	prepare("one", "new")
	reader.warmView(t, 1, before) // what is prepared is not there yet
	require.NoError(t, other.Exec("COMMIT PREPARED 'one'").Error)
	after := look(t, plain.DB, 1)
	require.NotEqual(t, before, after)
	require.Equal(t, after, look(t, reader.DB, 1))
	reader.warmView(t, 1, after)
	prepare("two", "newer")
	require.NoError(t, other.Exec("ROLLBACK PREPARED 'two'").Error)
	require.Equal(t, after, look(t, reader.DB, 1))
}
