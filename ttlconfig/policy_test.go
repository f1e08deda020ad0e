package ttlconfig_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

func TestPoliciesTakeWhatTheyLeaveOpenFromTheFallback(t *testing.T) {
	t.Parallel()
	fallback := ttlconfig.Policy{TTL: time.Hour, AbsentTTL: 10 * time.Second}
	for _, c := range []struct{ in, want ttlconfig.Policy }{
		{ttlconfig.Policy{}, fallback},
		{ttlconfig.Policy{TTL: time.Second}, ttlconfig.Policy{TTL: time.Second, AbsentTTL: time.Second}},
		{ttlconfig.Policy{AbsentTTL: time.Minute}, ttlconfig.Policy{TTL: time.Hour, AbsentTTL: time.Minute}},
		{ttlconfig.Never, ttlconfig.Never},
	} {
		require.Equal(t, c.want, c.in.WithDefaults(fallback))
	}
	require.Equal(t, ttlconfig.Default(), ttlconfig.Policy{}.WithDefaults(ttlconfig.Default()))
}

func TestInvalidPoliciesNameTheField(t *testing.T) {
	t.Parallel()
	require.NoError(t, ttlconfig.Policy{}.Validate())
	require.NoError(t, ttlconfig.Never.Validate())
	require.ErrorContains(t, ttlconfig.Policy{TTL: -time.Second}.Validate(), "TTL: want a positive duration, got -1s")
	require.ErrorContains(t, ttlconfig.Policy{TTL: 25 * time.Hour}.Validate(), "TTL: want 24h0m0s at most, got 25h0m0s")
	require.ErrorContains(t, ttlconfig.Policy{AbsentTTL: 5}.Validate(), "AbsentTTL: want a millisecond at least, got 5ns")
}

func TestTagColumnsAreNamesOfColumnsPerhapsJoined(t *testing.T) {
	t.Parallel()
	p := ttlconfig.Policy{TagColumns: []string{"tenant_id", "tenant_id+email"}}
	require.NoError(t, p.Validate())
	require.Equal(t, [][]string{{"tenant_id"}, {"email", "tenant_id"}}, p.Scopes())
	require.Empty(t, ttlconfig.Policy{}.Scopes())
	for _, wrong := range []string{"", "a+", "+a", "a++b", "a+a"} {
		err := ttlconfig.Policy{TagColumns: []string{"fine", wrong}}.Validate()
		require.ErrorContains(t, err, `TagColumns[1]: want names of columns joined by +, got "`+wrong+`"`)
	}
	many := ttlconfig.Policy{TagColumns: strings.Split("a,b,c,d,e,f,g,h,i", ",")}
	require.EqualError(t, many.Validate(), "TagColumns: want 8 at most, got 9")
}

func TestTagColumnsOfTheFallbackCountBesides(t *testing.T) {
	t.Parallel()
	fallback := ttlconfig.Policy{TagColumns: []string{"tenant_id", "slug"}}
	own := ttlconfig.Policy{TagColumns: []string{"slug", "email"}}
	require.Equal(t, []string{"slug", "email", "tenant_id"}, own.WithDefaults(fallback).TagColumns)
	require.Equal(t, []string{"slug", "email"}, own.TagColumns)
	require.Equal(t, fallback.TagColumns, ttlconfig.Policy{}.WithDefaults(fallback).TagColumns)
	tables := ttlconfig.NewTables(fallback, map[string]ttlconfig.Policy{"users": own})
	require.Equal(t, []string{"slug", "email", "tenant_id"}, tables.For([]string{"users"}).TagColumns)
	require.Empty(t, tables.For([]string{"users", "other"}).TagColumns)
}

func TestTablesUseTheStrictestPolicy(t *testing.T) {
	t.Parallel()
	tables := ttlconfig.NewTables(ttlconfig.Policy{TTL: time.Hour}, map[string]ttlconfig.Policy{
		"quick": {TTL: time.Second}, "slow": {TTL: 5 * time.Hour}, "audit": ttlconfig.Never,
	})
	require.Equal(t, time.Hour, tables.For(nil).TTL)
	require.Equal(t, time.Hour, tables.For([]string{"other"}).TTL)
	require.Equal(t, 5*time.Hour, tables.For([]string{"slow"}).TTL)
	require.Equal(t, time.Hour, tables.For([]string{"slow", "other"}).TTL)
	require.Equal(t, time.Second, tables.For([]string{"slow", "other", "quick"}).TTL)
	require.True(t, tables.For([]string{"slow", "audit"}).Off())
	require.False(t, tables.For([]string{"slow", "quick"}).Off())
	require.Equal(t, time.Minute, tables.For([]string{"slow"}).AbsentTTL)
}

func TestJitterTakesATenthAtMost(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	for range 1000 {
		ttl := ttlconfig.Jittered(time.Second)
		require.LessOrEqual(t, ttl, time.Second)
		require.GreaterOrEqual(t, ttl, 900*time.Millisecond)
		seen[ttl] = true
	}
	require.Greater(t, len(seen), 100)
	require.Positive(t, ttlconfig.Jittered(1))
}

func TestModelsAreToldApartByType(t *testing.T) {
	t.Parallel()
	type user struct{ ID int }
	models := ttlconfig.Models{ttlconfig.For[user](): ttlconfig.Never}
	require.True(t, models[ttlconfig.For[user]()].Off())
	require.NotContains(t, models, ttlconfig.For[struct{}]())
	require.IsType(t, &user{}, ttlconfig.For[user]().New())
	require.Equal(t, "ttlconfig_test.user", ttlconfig.For[user]().String())
	require.Nil(t, ttlconfig.Model{}.New())
}
