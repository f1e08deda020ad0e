package tests_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// argument returns the same world, whose connections are made with one more argument.
func (w *world) argument(name, value string) *world {
	other := *w
	other.dsn += "&" + name + "=" + url.QueryEscape(value)
	return &other
}

// Settings under which text means something else, or under which a query reads what is not committed: nothing is stored
// or served there, and what is written there is seen by everybody else.
func TestMySQLSettingsUnderWhichNothingIsCached(t *testing.T) {
	t.Parallel()
	for _, setting := range []struct{ name, value string }{
		{"sql_mode", "'ANSI_QUOTES'"},
		{"sql_mode", "'NO_BACKSLASH_ESCAPES'"},
		{"sql_mode", "'ORACLE'"},
		{"sql_mode", "'ANSI'"},
		{"sql_mode", "'STRICT_TRANS_TABLES,ANSI_QUOTES'"},
		{"autocommit", "0"},
		{"tx_isolation", "'READ-UNCOMMITTED'"},
	} {
		t.Run(setting.name+" "+setting.value, func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, onMySQL())
			plain := w.members(2)
			odd, reader := w.argument(setting.name, setting.value).cached(), w.cached()
			for i, write := range []func(*gorm.DB) error{
				func(db *gorm.DB) error { return db.Model(&member{ID: 1}).Update("name", "by key").Error },
				func(db *gorm.DB) error {
					return db.Transaction(func(tx *gorm.DB) error { return tx.Exec("UPDATE members SET name = 'by text'").Error })
				},
				func(db *gorm.DB) error {
					return db.Connection(func(tx *gorm.DB) error {
						if err := tx.Exec("UPDATE members SET name = 'on a connection' WHERE id = 1").Error; err != nil {
							return err
						}
						return tx.Exec("COMMIT").Error
					})
				},
			} {
				warmMember(t, reader, 1)
				before := nameOf(t, plain.DB, 1)
				require.NoError(t, write(odd.DB), i)
				want := nameOf(t, plain.DB, 1)
				require.NotEqual(t, want, before, i)
				require.Equal(t, want, nameOf(t, reader.DB, 1), i)
				for range 3 {
					require.Len(t, odd.sql.during(func() { nameOf(t, odd.DB, 1) }), 1, "it was served")
				}
			}
		})
	}
}

// Sessions that get other answers to the same question keep them apart: each sees what it would without the plugin.
func TestMySQLSessionsDoNotMix(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, onMySQL())
	require.NoError(t, w.plain().Exec(`CREATE TABLE moments (id int PRIMARY KEY, at timestamp(3) NULL, day date, name varchar(20), n decimal(9, 3));
		INSERT INTO moments VALUES (1, '2020-06-01 12:00:00.123', '2020-06-01', 'é', 1.5)`).Error)
	var plains, cached []*handle
	for _, argument := range [][2]string{
		{"charset", "utf8mb4"},
		{"time_zone", "'+05:00'"},
		{"time_zone", "'-03:00'"},
		{"loc", "Asia/Tokyo"},
		{"parseTime", "false"},
		{"charset", "latin1"},
		{"sql_mode", "'PAD_CHAR_TO_FULL_LENGTH'"},
		{"div_precision_increment", "8"},
		{"lc_time_names", "'de_DE'"},
		{"collation", "utf8mb4_bin"},
		{"group_concat_max_len", "4"},
		{"sql_select_limit", "1"},
	} {
		session := w.argument(argument[0], argument[1])
		plains, cached = append(plains, session.plain()), append(cached, session.cached())
	}
	for _, text := range []string{
		"SELECT * FROM moments WHERE id = 1", "SELECT CAST(at AS char) FROM moments", "SELECT n / 7 FROM moments",
		"SELECT DATE_FORMAT(day, '%W') FROM moments", "SELECT name = 'É' FROM moments", "SELECT GROUP_CONCAT(name, name, name) FROM moments",
		"SELECT m.id FROM moments m JOIN moments n ON n.id = m.id UNION ALL SELECT id FROM moments",
	} {
		read := func(db *gorm.DB) any {
			var v []map[string]any
			return see(db.Raw(text).Scan(&v), v)
		}
		for range 5 { // the first answers are stored while the next ones are read
			for i, h := range cached {
				require.Equal(t, read(plains[i].DB), read(h.DB), "session %d: %s", i, text)
			}
		}
	}
}

// Tables of engines without transactions, tables that are one connection's own, and sequences are read from the database.
func TestMySQLTablesThatAreNotCached(t *testing.T) {
	t.Parallel()
	for _, create := range []string{
		"CREATE TABLE members (id int PRIMARY KEY, name varchar(20), age int, deleted datetime) ENGINE = MyISAM",
		"CREATE TABLE members (id int PRIMARY KEY, name varchar(20), age int, deleted datetime) ENGINE = MEMORY",
		"CREATE TABLE members (id int PRIMARY KEY, name varchar(20), age int, deleted datetime) ENGINE = Aria",
		"CREATE TABLE base (id int PRIMARY KEY, name varchar(20), age int, deleted datetime) ENGINE = MyISAM; " +
			"CREATE VIEW members AS SELECT * FROM base",
	} {
		w := newWorldOn(t, onMySQL())
		plain := w.plain()
		require.NoError(t, plain.Exec(create).Error)
		require.NoError(t, plain.Exec("INSERT INTO members VALUES (1, 'm1', 1, NULL)").Error)
		h := w.cached()
		for range 5 {
			require.Len(t, h.sql.during(func() { nameOf(t, h.DB, 1) }), 1, create)
			require.Len(t, h.sql.during(func() { require.NoError(t, h.Find(&[]member{}).Error) }), 1, create)
		}
		require.NotEqual(t, metrics.Hit, h.log.lastOutcome())
	}
	w := newWorldOn(t, onMySQL())
	plain := w.plain()
	require.NoError(t, plain.Exec("CREATE SEQUENCE numbers").Error)
	h := w.cached()
	for want := range 5 {
		var n int
		require.NoError(t, h.Raw("SELECT NEXT VALUE FOR numbers").Scan(&n).Error)
		require.Equal(t, want+1, n)
	}
	for want := range 5 {
		var n int
		require.NoError(t, h.Raw("SELECT NEXTVAL(numbers)").Scan(&n).Error)
		require.Equal(t, want+6, n)
		require.NoError(t, h.Raw("SELECT LASTVAL(numbers)").Scan(&n).Error)
		require.Equal(t, want+6, n)
	}
}

// Two databases of one server have the same tables and keys, and no Namespace was thought of.
func TestMySQLDatabasesOnOneRedisDoNotMix(t *testing.T) {
	t.Parallel()
	first := newWorldOn(t, onMySQL())
	second := &world{
		t: t, dialect: onMySQL(), dsn: first.dialect.database(t), redis: first.redis, namespace: first.namespace,
	}
	first.members(2)
	require.NoError(t, second.members(2).Exec("UPDATE members SET name = 'second'").Error)
	unnamed := withPlugin(func(c *rediscache.Config) { c.Namespace = "" })
	t.Cleanup(func() { // the namespace of the defaults is not the test's own
		ctx := context.Background()
		for _, w := range []*world{first, second} {
			keys := first.redis.Scan(ctx, 0, "rc/1:"+w.mysqlDatabase()+"*", 1000).Iterator()
			for keys.Next(ctx) {
				first.redis.Unlink(ctx, keys.Val())
			}
		}
	})
	a, b := first.cached(unnamed), second.cached(unnamed)
	warmMember(t, a, 1)
	name, e := memberName(t, b, 1)
	require.Equal(t, "second", name)
	require.Equal(t, metrics.Miss, e.Outcome)
	warmMember(t, b, 1)
	require.NoError(t, a.Model(&member{ID: 1}).Update("name", "changed").Error)
	name, e = memberName(t, b, 1)
	require.Equal(t, "second", name)
	require.Equal(t, metrics.Hit, e.Outcome, "a write to one database costs the other its entry")
	closeNow(t, a)
	closeNow(t, b)
}

// mysqlDatabase returns the name of the database.
func (w *world) mysqlDatabase() string {
	_, rest, _ := strings.Cut(w.dsn, ")/")
	name, _, _ := strings.Cut(rest, "?")
	return name
}

// What is in an executable comment depends on the server: the database answers.
func TestMySQLExecutableCommentIsNotCached(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, onMySQL())
	plain := w.members(2)
	h := w.cached()
	read := raw[string]("SELECT name FROM members WHERE id = 1 /*!50000 OR id = 2 */ /*M! OR id = 3 */ ORDER BY id")
	for range 5 {
		require.Len(t, h.sql.during(func() { require.Equal(t, read(plain.DB), read(h.DB)) }), 1)
	}
}
