package sqltext_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

func TestAggregatesAreToldFromLists(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"SELECT count(*) FROM users",
		"select Count(1) from users where name = $1",
		"SELECT COUNT(DISTINCT(`name`)) FROM `users`",
		"SELECT max(id), min(id) AS least FROM users HAVING count(*) > 1",
		"SELECT coalesce(sum(amount), 0) AS total FROM orders",
		"SELECT 100 * sum(a) / (sum(b)) FROM t",
		"SELECT count(*) FILTER (WHERE paid) FROM orders",
		"SELECT count(*) FROM (SELECT user_id FROM orders GROUP BY user_id) AS t",
		"WITH big AS (SELECT * FROM orders WHERE amount > 9) SELECT count(*) FROM big",
		"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM orders",
		"SELECT extract(year FROM max(at)) FROM orders",
	} {
		require.True(t, sqltext.Parse(text, sqltext.Postgres).Parts[0].Aggregate, text)
	}
	for _, text := range []string{
		"SELECT * FROM users",
		"SELECT count FROM users",
		`SELECT "count" FROM users`,
		"SELECT status, count(*) FROM orders GROUP BY status",
		"SELECT count(*) FROM a UNION ALL SELECT count(*) FROM b",
		"SELECT id, (SELECT count(*) FROM orders WHERE user_id = users.id) FROM users",
		"SELECT id, count(*) OVER () FROM users",
		"SELECT sum(amount) FILTER (WHERE paid) OVER (PARTITION BY user_id) FROM orders",
		"SELECT id FROM users WHERE id = (SELECT max(id) FROM users)",
		"SELECT length(name) FROM users",
		"SELECT s.count(1) FROM users",
		"(SELECT count(*) FROM a)",
		"VALUES (1)",
		"INSERT INTO a SELECT count(*) FROM b",
	} {
		require.False(t, sqltext.Parse(text, sqltext.Postgres).Parts[0].Aggregate, text)
	}
}
