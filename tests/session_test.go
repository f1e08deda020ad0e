package tests_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// twoSchemas makes a database with a table of members in each of two schemas, public and second. The latter's are all called
// "second".
func twoSchemas(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t) // tables of one name, whatever their schema, are taken for one
	plain := w.members(30)
	for _, text := range []string{
		"CREATE SCHEMA second", "CREATE TABLE second.members (LIKE members INCLUDING ALL)",
		"INSERT INTO second.members SELECT id, 'second', age, deleted FROM members",
	} {
		require.NoError(t, plain.Exec(text).Error, text)
	}
	w.old = true // the end of a test asks a connection, which may be set to anything
	return w
}

// poolOf returns the pool of a handle, which has as many connections as that.
func poolOf(t *testing.T, h *handle, connections int) *sql.DB {
	t.Helper()
	pool, err := h.DB.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool
}

// A setting of the session that answers depend on: from then on they are those of the connection.
func TestReadsAreAnsweredByWhatTheirConnectionIsSetTo(t *testing.T) {
	t.Parallel()
	w := twoSchemas(t)
	other := w.cached()
	for name, set := range map[string]func(*gorm.DB) error{
		"SET":        func(db *gorm.DB) error { return db.Exec("SET search_path TO second").Error },
		"SET SCHEMA": func(db *gorm.DB) error { return db.Exec("SET SCHEMA 'second'").Error },
		"set_config": func(db *gorm.DB) error {
			return db.Raw("SELECT set_config('search_path', 'second', false)").Scan(new(string)).Error
		},
		"in a transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Exec("SET search_path TO second").Error })
		},
		"on a connection": func(db *gorm.DB) error {
			return db.Connection(func(tx *gorm.DB) error { return tx.Exec("SET search_path TO second").Error })
		},
	} {
		h := w.cached()
		pool := poolOf(t, h, 1)
		h.warm(t, func(db *gorm.DB) { require.Equal(t, "m1", nameOf(t, db, 1), name) })
		require.NoError(t, h.Exec("SET statement_timeout = '1min'").Error)
		require.Empty(t, h.sql.during(func() { nameOf(t, h.DB, 1) }), "a setting without consequences")
		require.NoError(t, set(h.DB), name)
		h.warm(t, func(db *gorm.DB) { require.Equal(t, "second", nameOf(t, db, 1), name) })
		require.Empty(t, h.sql.during(func() { require.Equal(t, "second", nameOf(t, h.DB, 1)) }))
		require.NoError(t, h.Exec("UPDATE members SET age = 77 WHERE id = 1").Error)
		var age int
		require.NoError(t, h.Model(&member{}).Where("id = 1").Pluck("age", &age).Error)
		require.Equal(t, 77, age, "a write through such a connection is seen")
		require.Equal(t, "m1", nameOf(t, other.DB, 1), "what another process reads is what its connections are set to")
		pool.SetMaxIdleConns(0) // the next connection is a new one, and as it was
		require.Equal(t, "m1", nameOf(t, h.DB, 1), name)
		pool.SetMaxIdleConns(1)
	}
}

// Of several connections, one is set to something: which one answers, nobody knows before.
func TestConnectionsOfOnePoolMayBeSetToDifferentThings(t *testing.T) {
	t.Parallel()
	w := twoSchemas(t)
	h := w.cached()
	pool := poolOf(t, h, 2)
	h.warm(t, func(db *gorm.DB) { require.Equal(t, "m1", nameOf(t, db, 1)) })
	hold := func() *sql.Conn {
		conn, err := pool.Conn(t.Context())
		require.NoError(t, err)
		return conn
	}
	first := hold()
	require.NoError(t, h.Exec("SET search_path TO second").Error) // on the other one, which is left
	for range 3 {
		require.Equal(t, "second", nameOf(t, h.DB, 1))
		other := hold()
		require.NoError(t, first.Close())
		require.Equal(t, "m1", nameOf(t, h.DB, 1))
		first = hold()
		require.NoError(t, other.Close())
	}
	require.Empty(t, h.sql.during(func() { require.Equal(t, "second", nameOf(t, h.DB, 1)) }), "and both are cached")
	require.NoError(t, h.Exec("SET search_path TO public").Error)
	require.Equal(t, "m1", nameOf(t, h.DB, 1))
	require.NoError(t, first.Close())
}

// A setting that is set back has changed, too.
func TestSettingThatIsSetBackIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	poolOf(t, h, 1)
	require.NoError(t, h.Exec("SET TIME ZONE 'Asia/Tokyo'").Error)
	warmMember(t, h, 1)
	require.NoError(t, h.Exec("RESET TIME ZONE").Error)
	require.Equal(t, metrics.ReasonSession, h.log.read(t, func() { nameOf(t, h.DB, 1) }).Reason, "nor looked at at once")
}

// A connection is given back when the rows are read, also of an answer that is too large to be kept, and of one that fails.
func TestConnectionThatAReadTookIsGivenBack(t *testing.T) {
	t.Parallel()
	w := twoSchemas(t)
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.MaxRows = 3 }))
	pool := poolOf(t, h, 1)
	require.NoError(t, h.Exec("SET search_path TO second").Error)
	for range 3 {
		var all []member
		require.NoError(t, h.Order("id").Find(&all).Error)
		require.Len(t, all, 30)
		require.Zero(t, pool.Stats().InUse)
		require.Error(t, h.Where("1 / (id - id) = 1").Order("name").Find(&all).Error)
		require.Zero(t, pool.Stats().InUse)
		require.NoError(t, h.Where("random() < 2").Find(&all).Error, "not cached")
		require.NoError(t, h.Clauses(rediscache.StaleOK(1<<40)).First(&member{}, 1).Error)
		require.Zero(t, pool.Stats().InUse)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, h.WithContext(ctx).First(&member{}, 1).Error, context.Canceled)
	require.Zero(t, pool.Stats().InUse)
}

// A read that is under way when a setting changes may get the connection on which it holds: what it reads is nobody else's.
func TestReadThatASettingOvertakesIsNotStored(t *testing.T) {
	t.Parallel()
	w := twoSchemas(t)
	h, g := w.gated()
	poolOf(t, h, 1)
	nameOf(t, h.DB, 2) // the schema is known
	var name string
	g.during(t, afterMint, func() { name = nameOf(t, h.DB, 1) }, func() {
		require.NoError(t, h.Exec("SET search_path TO second").Error)
	})
	require.Equal(t, "second", name, "as the connection has it")
	other := w.cached()
	require.Equal(t, "m1", nameOf(t, other.DB, 1))
	warmMember(t, other, 1)
	require.Equal(t, "m1", nameOf(t, other.DB, 1))
}

// A driver that panics does so in the application, as without the plugin, and nobody waits for its connection.
func TestPanicOfTheDriverOnAConnectionThatAReadTook(t *testing.T) {
	t.Parallel()
	w := twoSchemas(t)
	h := w.cached()
	poolOf(t, h, 2)
	require.NoError(t, h.Exec("SET search_path TO second").Error)
	warmMember(t, h, 1)
	h.sql.defect.Store(true)
	require.PanicsWithValue(t, "defect in the driver", func() { h.First(&member{}, 2) })
	h.sql.defect.Store(false)
	require.Contains(t, []string{"m2", "second"}, nameOf(t, h.DB, 2))
}

// Who changes settings again and again would have connections asked all the time: then the database answers.
func TestSettingsThatChangeAgainAndAgainAreNotLookedAt(t *testing.T) {
	t.Parallel()
	w := twoSchemas(t)
	h := w.cached()
	poolOf(t, h, 1)
	nameOf(t, h.DB, 1)
	for i := range 20 {
		schema := []string{"second", "public"}[i%2]
		require.NoError(t, h.Exec("SET search_path TO "+schema).Error)
		require.Equal(t, []string{"second", "m1"}[i%2], nameOf(t, h.DB, 1))
	}
	before := h.sql.catalog.Load()
	e := h.log.read(t, func() { require.Equal(t, "m1", nameOf(t, h.DB, 1)) })
	require.Equal(t, metrics.ReasonSession, e.Reason)
	require.Equal(t, before, h.sql.catalog.Load())
}

// A setting that the database does not tell of may change any answer.
func TestSettingThatIsNotToldEndsTheCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	for _, text := range []string{"SET app.tenant = '7'", "SELECT set_config('app.' || 'tenant', '7', false)", "SET plan_cache_mode = auto"} {
		h := w.cached()
		warmMember(t, h, 1)
		require.NoError(t, h.Exec(text).Error)
		for range 3 {
			require.Equal(t, metrics.ReasonSession, h.log.read(t, func() { nameOf(t, h.DB, 1) }).Reason, text)
		}
	}
}
