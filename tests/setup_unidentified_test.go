package tests_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// Settings change how PostgreSQL spells values, so that a driver may not understand those that the cache asks for when it looks
// at a session. Whatever a handle cannot find out, others see what it writes, and it reads what it would without the cache.
func TestWritesAreSeenWhateverTheWriterCannotFindOut(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		for name, value := range map[string]string{
			"bytea_output": "escape", "datestyle": "German", "intervalstyle": "sql_standard", "extra_float_digits": "-15",
			"timezone": "Asia/Kathmandu", "lc_monetary": "C", "xmlbinary": "hex", "default_transaction_isolation": "serializable",
		} {
			t.Run(mode+", "+name+"="+value, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.members(1)
				reader := w.cached()
				warmMember(t, reader, 1)
				odd := w.with("default_query_exec_mode", mode).with(name, value)
				writer, plain := odd.cached(), odd.plain()
				require.NoError(t, writer.Exec("UPDATE members SET name = 'text' WHERE id = 1").Error)
				require.Equal(t, "text", nameOf(t, reader.DB, 1))
				warmMember(t, reader, 1)
				require.NoError(t, writer.Model(&member{ID: 1}).Update("name", "model").Error)
				require.Equal(t, "model", nameOf(t, reader.DB, 1))
				require.Equal(t, nameOf(t, plain.DB, 1), nameOf(t, writer.DB, 1))
				warmMember(t, writer, 1) // it is cached all the same
				require.Equal(t, nameOf(t, plain.DB, 1), nameOf(t, writer.DB, 1))
			})
		}
	}
}

// A role that may not ask which server it is on cannot know with whom it shares a database. It is not cached; what it writes is
// seen by those who may ask.
func TestWritesOfARoleThatCannotIdentifyTheServerAreSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t)
	admin := w.members(1)
	role := testkit.Unique(t)
	for _, text := range []string{
		"CREATE ROLE " + role + " LOGIN", "GRANT ALL ON members TO " + role,
		"REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC",
	} {
		require.NoError(t, admin.Exec(text).Error, text)
	}
	t.Cleanup(func() {
		db := admin.WithContext(context.Background())
		db.Exec("DROP OWNED BY " + role)
		db.Exec("DROP ROLE " + role)
	})
	reader := w.cached()
	warmMember(t, reader, 1)
	u, err := url.Parse(w.dsn)
	require.NoError(t, err)
	u.User = url.User(role)
	restricted := *w
	restricted.dsn = u.String()
	writer := restricted.cached()
	require.NoError(t, writer.Transaction(func(tx *gorm.DB) error {
		return tx.Model(&member{ID: 1}).Update("name", "restricted").Error
	}))
	require.Equal(t, "restricted", nameOf(t, reader.DB, 1))
	require.Equal(t, "restricted", nameOf(t, writer.DB, 1))
}
