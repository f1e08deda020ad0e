package tests_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// refusals is a schema of what must not be cached, and of what looks like it.
const refusals = `
CREATE SEQUENCE counter;
CREATE FUNCTION often(bigint) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT $1 + (random() * 1000000)::bigint';
CREATE FUNCTION within_statement(bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT $1 + extract(microseconds FROM now())::bigint';
CREATE FUNCTION twice(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION mixed(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION mixed(text) RETURNS float LANGUAGE sql VOLATILE AS 'SELECT random()';
CREATE FUNCTION marks(bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$BEGIN UPDATE members SET age = age + 1 WHERE id = $1; RETURN 1; END$$;
CREATE VIEW moments AS SELECT id, clock_timestamp() AS at FROM members;
CREATE VIEW connections AS SELECT pid FROM pg_stat_activity;
CREATE VIEW calm AS SELECT id, upper(name) AS name FROM members;
CREATE TABLE secrets (id int PRIMARY KEY, owner text);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
`

// Every read that may not be answered from the cache says why, and agrees with the database.
func TestRefusedReadsHaveAReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(3)
	for _, text := range splitStatements(refusals) {
		require.NoError(t, plain.Exec(text).Error, text)
	}
	h := w.cached()
	for text, want := range map[string]metrics.Reason{
		"SELECT id, now() FROM members":                                       metrics.ReasonVolatile,
		"SELECT id, pg_catalog.now() FROM members":                            metrics.ReasonVolatile,
		`SELECT id, "now"() FROM members`:                                     metrics.ReasonVolatile,
		"SELECT id FROM members ORDER BY random()":                            metrics.ReasonVolatile,
		"SELECT id FROM members WHERE random() > 2":                           metrics.ReasonVolatile,
		"SELECT id, md5(random()::text) FROM members":                         metrics.ReasonVolatile,
		"SELECT id, clock_timestamp() FROM members":                           metrics.ReasonVolatile,
		"SELECT id, statement_timestamp() FROM members":                       metrics.ReasonVolatile,
		"SELECT id, transaction_timestamp() FROM members":                     metrics.ReasonVolatile,
		"SELECT id, timeofday() FROM members":                                 metrics.ReasonVolatile,
		"SELECT id, age(timestamp '2001-01-01') FROM members":                 metrics.ReasonVolatile,
		"SELECT id, CURRENT_TIMESTAMP FROM members":                           metrics.ReasonVolatile,
		"SELECT id, current_timestamp(0) FROM members":                        metrics.ReasonVolatile,
		"SELECT id, localtime FROM members":                                   metrics.ReasonVolatile,
		"SELECT id FROM members WHERE current_date > '2001-01-01'":            metrics.ReasonVolatile,
		"SELECT id, 'now'::timestamp FROM members":                            metrics.ReasonVolatile,
		"SELECT id, date 'today' FROM members":                                metrics.ReasonVolatile,
		"SELECT id, ' Tomorrow '::date FROM members":                          metrics.ReasonVolatile,
		"SELECT id, nextval('counter') FROM members":                          metrics.ReasonVolatile,
		"SELECT id, txid_current() FROM members":                              metrics.ReasonVolatile,
		"SELECT id, pg_current_xact_id() FROM members":                        metrics.ReasonVolatile,
		"SELECT id, pg_backend_pid() FROM members":                            metrics.ReasonVolatile,
		"SELECT id, gen_random_uuid() FROM members":                           metrics.ReasonVolatile,
		"SELECT id, current_user FROM members":                                metrics.ReasonVolatile,
		"SELECT id, session_user FROM members":                                metrics.ReasonVolatile,
		"SELECT id, user FROM members":                                        metrics.ReasonVolatile,
		"SELECT id, current_schema FROM members":                              metrics.ReasonVolatile,
		"SELECT id, current_setting('TimeZone') FROM members":                 metrics.ReasonVolatile,
		"SELECT id, current_setting('app.user', true) FROM members":           metrics.ReasonVolatile,
		"SELECT id, inet_client_port() FROM members":                          metrics.ReasonVolatile,
		"SELECT id, pg_sleep(0) FROM members":                                 metrics.ReasonVolatile,
		"SELECT id, pg_table_size('members') FROM members":                    metrics.ReasonVolatile,
		"SELECT id, 'members'::regclass FROM members":                         metrics.ReasonVolatile,
		"SELECT id, ctid FROM members":                                        metrics.ReasonVolatile,
		"SELECT id, xmin FROM members":                                        metrics.ReasonVolatile,
		"SELECT id, often(id) FROM members":                                   metrics.ReasonVolatile,
		"SELECT id, within_statement(id) FROM members":                        metrics.ReasonVolatile,
		"SELECT id, mixed(id) FROM members":                                   metrics.ReasonVolatile,
		"SELECT id FROM members WHERE id IN (SELECT often(1))":                metrics.ReasonVolatile,
		"WITH x AS (SELECT now() AS at) SELECT id, at FROM members, x":        metrics.ReasonVolatile,
		"SELECT * FROM members TABLESAMPLE BERNOULLI (50)":                    metrics.ReasonVolatile,
		"SELECT m.* FROM members m TABLESAMPLE SYSTEM (50)":                   metrics.ReasonVolatile,
		"SELECT * FROM moments":                                               metrics.ReasonVolatile,
		"SELECT * FROM members FOR UPDATE":                                    metrics.ReasonLock,
		"SELECT * FROM members WHERE id = 1 FOR NO KEY UPDATE":                metrics.ReasonLock,
		"SELECT * FROM members WHERE id = 1 FOR SHARE":                        metrics.ReasonLock,
		"SELECT * FROM members WHERE id = 1 FOR KEY SHARE SKIP LOCKED":        metrics.ReasonLock,
		"SELECT * FROM (SELECT * FROM members FOR UPDATE) x":                  metrics.ReasonLock,
		"WITH x AS (SELECT * FROM members FOR SHARE) SELECT * FROM x":         metrics.ReasonLock,
		"SELECT * FROM pg_catalog.pg_class":                                   metrics.ReasonRelation,
		"SELECT * FROM pg_class, members":                                     metrics.ReasonRelation,
		"SELECT * FROM information_schema.tables":                             metrics.ReasonRelation,
		"SELECT pid FROM pg_stat_activity":                                    metrics.ReasonRelation,
		"SELECT * FROM connections":                                           metrics.ReasonRelation,
		"SELECT * FROM secrets":                                               metrics.ReasonRelation,
		"SELECT last_value FROM counter":                                      metrics.ReasonRelation,
		"SELECT 1":                                                            metrics.ReasonRelation,
		"EXPLAIN SELECT * FROM members":                                       metrics.ReasonStatement,
		"SHOW server_version":                                                 metrics.ReasonStatement,
		"SELECT id FROM members; ":                                            "",
		"SELECT name FROM members -- FOR UPDATE":                              "",
		"SELECT name /* random() */ FROM members":                             "",
		"SELECT 'random() FOR UPDATE; DROP TABLE members' FROM members":       "",
		`SELECT name AS "now", age AS "current_user" FROM members`:            "",
		"SELECT m.name, m.age FROM members m WHERE m.id = 2":                  "",
		"SELECT id, twice(id), lower(name), coalesce(name, '') FROM members":  "",
		"SELECT * FROM calm":                                                  "",
		"TABLE members":                                                       "",
		"(SELECT id FROM members) UNION ALL (SELECT age FROM members)":        "",
		"WITH x AS (SELECT 1 AS one) SELECT id, one FROM members, x":          "",
		"SELECT date_trunc('day', timestamp '2001-01-01 10:00') FROM members": "",
	} {
		for range 2 {
			var got []map[string]any
			e := h.log.read(t, func() { require.NoError(t, h.Raw(text).Scan(&got).Error, text) })
			require.Equal(t, want, e.Reason, text)
			if want != "" {
				require.Equal(t, metrics.Bypass, e.Outcome, text)
				continue
			}
			var expected []map[string]any
			require.NoError(t, plain.Raw(text).Scan(&expected).Error, text)
			require.ElementsMatch(t, expected, got, text)
		}
	}
}

// A query that writes, by a function or within WITH, is a write: it is carried out each time, and announced.
func TestQueriesThatWriteAreCarriedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(3)
	for _, text := range splitStatements(refusals) {
		require.NoError(t, plain.Exec(text).Error, text)
	}
	h, other := w.cached(), w.cached()
	age := func(db *gorm.DB) (n int) {
		require.NoError(t, db.Model(&member{}).Select("age").Where("id = 1").Scan(&n).Error)
		return n
	}
	for _, text := range []string{
		"SELECT id, marks(1) FROM members WHERE id = 3",
		"WITH x AS (UPDATE members SET age = age + 1 WHERE id = 1 RETURNING id) SELECT * FROM x",
		"UPDATE members SET age = age + 1 WHERE id = 1 RETURNING id",
		"EXPLAIN ANALYZE UPDATE members SET age = age + 1 WHERE id = 1",
		"SELECT id FROM members WHERE id = 1 AND marks(id) = 1",
	} {
		for range 2 {
			other.warm(t, func(db *gorm.DB) { age(db) })
			before := age(other.DB)
			require.NotEmpty(t, h.log.wrote(func() { require.NoError(t, h.Raw(text).Scan(&[]map[string]any{}).Error, text) }), text)
			require.Equal(t, before+1, age(plain.DB), text)
			require.Equal(t, before+1, age(other.DB), text)
		}
	}
}

// splitStatements cuts at semicolons that end a line.
func splitStatements(s string) (all []string) {
	from := 0
	for i := range s {
		if s[i] == ';' && s[i+1] == '\n' {
			all = append(all, s[from:i])
			from = i + 1
		}
	}
	return all
}

// The reasons that do not lie in the text.
func TestRefusalsThatTheApplicationAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(3)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	first := func(db *gorm.DB) error { return db.First(&member{}, 1).Error }
	for name, c := range map[string]struct {
		read func(*gorm.DB) error
		want metrics.Reason
	}{
		"clause":  {func(db *gorm.DB) error { return first(db.Clauses(rediscache.Bypass)) }, metrics.ReasonControl},
		"context": {func(db *gorm.DB) error { return first(db.WithContext(rediscache.WithBypass(t.Context()))) }, metrics.ReasonControl},
		"bypass and refresh": {
			func(db *gorm.DB) error { return first(db.Clauses(rediscache.Refresh, rediscache.Bypass)) }, metrics.ReasonControl,
		},
		"transaction":   {func(db *gorm.DB) error { return db.Transaction(first) }, metrics.ReasonTransaction},
		"connection":    {func(db *gorm.DB) error { return db.Connection(first) }, metrics.ReasonConnection},
		"locking":       {func(db *gorm.DB) error { return first(db.Clauses(clause.Locking{Strength: "UPDATE"})) }, metrics.ReasonLock},
		"locking share": {func(db *gorm.DB) error { return first(db.Clauses(clause.Locking{Strength: "SHARE"})) }, metrics.ReasonLock},
		"locking of a table": {
			func(db *gorm.DB) error {
				return first(db.Clauses(clause.Locking{
					Strength: "UPDATE", Table: clause.Table{Name: clause.CurrentTable}, Options: "NOWAIT",
				}))
			}, metrics.ReasonLock,
		},
		"rows": {func(db *gorm.DB) error {
			rows, err := db.Model(&member{}).Rows()
			if err == nil {
				err = rows.Close()
			}
			return err
		}, metrics.ReasonCursor},
		"row": {
			func(db *gorm.DB) error {
				return db.Raw("SELECT name FROM members WHERE id = 1").Row().Scan(new(string))
			},
			metrics.ReasonCursor,
		},
		"array": {
			func(db *gorm.DB) error { return db.Where("id = ANY(?)", &[]int64{1}).Find(&[]member{}).Error }, metrics.ReasonArgument,
		},
	} {
		for range 2 {
			e := h.log.read(t, func() { require.NoError(t, c.read(h.DB), name) })
			require.Equal(t, metrics.Bypass, e.Outcome, name)
			require.Equal(t, c.want, e.Reason, name)
		}
	}
	// Bypass does not see what is stored, nor store what it sees.
	require.NoError(t, plain.Model(&member{ID: 1}).Update("name", "unseen").Error)
	require.Equal(t, "unseen", nameOf(t, h.Clauses(rediscache.Bypass), 1))
	require.Equal(t, "m1", nameOf(t, h.DB, 1))
	require.Equal(t, "unseen", nameOf(t, h.Clauses(rediscache.Refresh), 1))
	waitFor(t, func() bool { return nameOf(t, h.DB, 1) == "unseen" })
}

type hideaway struct {
	ID   int
	Name string
}

// A temporary table hides the table of the same name, on its connection alone.
func TestTemporaryTableHidesAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.migrate(&hideaway{}).Create(&hideaway{ID: 1, Name: "seen"}).Error)
	other, h := w.cached(), w.cached()
	read := func(h *handle) string {
		var a hideaway
		require.NoError(t, h.First(&a, 1).Error)
		return a.Name
	}
	other.warm(t, func(*gorm.DB) { read(other) })
	pool, err := h.DB.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	require.NoError(t, h.Exec("CREATE TEMPORARY TABLE hideaways AS SELECT 1::bigint AS id, 'hidden' AS name").Error)
	for range 3 {
		e := h.log.read(t, func() { require.Equal(t, "hidden", read(h)) })
		require.Equal(t, metrics.ReasonRelation, e.Reason)
		require.Equal(t, "seen", read(other))
	}
	require.NoError(t, h.Exec("UPDATE hideaways SET name = 'still hidden'").Error)
	require.Equal(t, "still hidden", read(h))
	require.Equal(t, "seen", read(other))
	require.NoError(t, h.Exec("DROP TABLE hideaways").Error)
	require.Equal(t, "seen", read(h))
}

// A setting that ends with its transaction, one that the database refuses, and one that no answer depends on, change nothing for
// those who get the connection next.
func TestSettingThatDoesNotOutliveItsStatementLeavesTheCacheAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	pool := poolOf(t, h, 1)
	set := func(text string, args ...any) func() error {
		return func() error { return h.Exec(text, args...).Error }
	}
	local := func(db *gorm.DB) error { return db.Exec("SELECT set_config('app.tenant', ?, true)", "7").Error }
	for name, c := range map[string]struct {
		run     func() error
		refused bool
	}{
		"set_config, local, in a transaction": {func() error { return h.Transaction(local) }, false},
		"set_config, local, Scan": {func() error {
			return h.Transaction(func(tx *gorm.DB) error {
				return tx.Raw("SELECT set_config('app.tenant', ?, true)", "7").Scan(new(string)).Error
			})
		}, false},
		"set_config, local, Row": {func() error {
			return h.Transaction(func(tx *gorm.DB) error {
				return tx.Raw("SELECT set_config('app.tenant', ?, true)", "7").Row().Scan(new(string))
			})
		}, false},
		"set_config, local, without a transaction": {func() error { return local(h.DB) }, false},
		"set_config, without consequences":         {set("SELECT set_config('statement_timeout', ?, false)", "60000"), false},
		"SET, refused":                             {set("SET nope = 1"), true},
		"SET, refused, Scan":                       {func() error { return h.Raw("SET nope = 1").Scan(new(string)).Error }, true},
		"set_config, refused":                      {set("SELECT set_config('nope', ?, false)", "1"), true},
		"set_config, refused, Row": {func() error {
			return h.Raw("SELECT set_config('nope', ?, false)", "1").Row().Scan(new(string))
		}, true},
	} {
		if err := c.run(); c.refused {
			require.Error(t, err, name)
		} else {
			require.NoError(t, err, name)
		}
		h.warm(t, func(db *gorm.DB) { require.Equal(t, "m1", nameOf(t, db, 1), name) })
		require.Empty(t, h.sql.during(func() { nameOf(t, h.DB, 1) }), name)
		held, err := pool.Conn(t.Context())
		require.NoError(t, err)
		ctx, cancel := contextWithTimeout(t, time.Second)
		require.NoError(t, h.WithContext(ctx).First(&member{}, 1).Error, "%s: a hit needs no connection", name)
		cancel()
		require.NoError(t, held.Close())
	}
}

// However a setting is changed for the session, nothing is read from the cache any more.
func TestSettingOfTheSessionIsNoticedHoweverItIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	const text = "SELECT set_config('app.tenant', '7', false)"
	for name, send := range map[string]func(*gorm.DB) error{
		"Exec": func(db *gorm.DB) error { return db.Exec(text).Error },
		"Scan": func(db *gorm.DB) error { return db.Raw(text).Scan(new(string)).Error },
		"Row":  func(db *gorm.DB) error { return db.Raw(text).Row().Scan(new(string)) },
		"Rows": func(db *gorm.DB) error {
			rows, err := db.Raw(text).Rows()
			if err != nil {
				return err
			}
			return rows.Close()
		},
		"one of two fails": func(db *gorm.DB) error {
			require.Error(t, db.Session(&gorm.Session{}).Exec("SET app.tenant = '7'; SELECT 1 / 0").Error)
			return nil
		},
	} {
		h := w.cached()
		h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
		require.NoError(t, send(h.DB), name)
		e := h.log.read(t, func() { nameOf(t, h.DB, 1) })
		require.Equal(t, metrics.ReasonSession, e.Reason, name)
	}
}
