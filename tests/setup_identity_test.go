package tests_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// A setting of a role changes what new connections see. Processes with connections of before and of after do not get each
// other's answers.
func TestSessionsWhoseRoleGotOtherSettingsDoNotMix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t)
	admin := w.plain()
	role := testkit.Unique(t)
	for _, text := range []string{
		"CREATE ROLE " + role + " LOGIN SUPERUSER", "CREATE SCHEMA a", "CREATE SCHEMA b",
		"CREATE TABLE a.members (id int PRIMARY KEY, name text, age int, deleted timestamptz)",
		"CREATE TABLE b.members (LIKE a.members INCLUDING ALL)",
		"INSERT INTO a.members VALUES (1, 'a', 1)", "INSERT INTO b.members VALUES (1, 'b', 1)",
		"ALTER ROLE " + role + " SET search_path = a",
	} {
		require.NoError(t, admin.Exec(text).Error, text)
	}
	t.Cleanup(func() {
		db := admin.WithContext(context.Background())
		db.Exec("DROP OWNED BY " + role)
		db.Exec("DROP ROLE " + role)
	})
	u, err := url.Parse(w.dsn)
	require.NoError(t, err)
	u.User = url.User(role)
	w.dsn = u.String()
	one := func(h *handle) *handle { // one connection, which stays
		pool, err := h.DB.DB()
		require.NoError(t, err)
		pool.SetMaxOpenConns(1)
		return h
	}
	before, after := one(w.cached()), w.cached()
	warmMember(t, before, 1)
	require.Equal(t, "a", nameOf(t, before.DB, 1))
	require.NoError(t, after.Exec("ALTER ROLE "+role+" SET search_path = b").Error)
	pool, err := after.DB.DB()
	require.NoError(t, err)
	pool.SetMaxIdleConns(0) // connections of before are closed
	pool.SetMaxIdleConns(2)
	for range 3 {
		require.Equal(t, "b", nameOf(t, after.DB, 1))
		require.Equal(t, "a", nameOf(t, before.DB, 1))
	}
	warmMember(t, after, 1)
	warmMember(t, before, 1)
	require.Equal(t, "b", nameOf(t, after.DB, 1))
	require.Equal(t, "a", nameOf(t, before.DB, 1))
}

// What a program does that the cache cannot follow in detail, it says once.
func TestProgramIsToldOnceWhatCostsItTheCache(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"COMMIT":                     {"a transaction is ended by a text", "COMMIT"},
		"SET search_path = public":   {"a setting of the session was changed", "SET search_path = public"},
		"SET TIME ZONE 'Asia/Tokyo'": {"a setting of the session was changed", "SET TIME ZONE ?"},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(1)
			var log bytes.Buffer
			h := w.cached(withPlugin(func(c *rediscache.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }))
			for range 2 {
				require.NoError(t, h.Connection(func(tx *gorm.DB) error { return tx.Exec(text).Error }))
			}
			require.Equal(t, 1, strings.Count(log.String(), want[0]), log.String())
			require.Contains(t, log.String(), want[1])
		})
	}
}
