package ttlconfig_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

func TestTablesUseTheStrictestPolicy(t *testing.T) {
	t.Parallel()
	tables := ttlconfig.NewTables(ttlconfig.Policy{TTL: time.Hour}, map[string]ttlconfig.Policy{
		"quick": {TTL: time.Second}, "slow": {TTL: 5 * time.Hour}, "audit": ttlconfig.Never,
		"rows": {ListTTL: ttlconfig.Off, CountTTL: time.Minute}, "wide": {Jitter: 0.4},
	}, nil)
	list := func(names ...string) time.Duration { return tables.For(names).Of(ttlconfig.List) }
	require.Equal(t, time.Hour, list())
	require.Equal(t, time.Hour, list("other"))
	require.Equal(t, 5*time.Hour, list("slow"))
	require.Equal(t, time.Hour, list("slow", "other"))
	require.Equal(t, time.Second, list("slow", "other", "quick"))
	require.Equal(t, ttlconfig.Off, list("slow", "rows"))
	require.Equal(t, time.Minute, tables.For([]string{"slow", "rows"}).Of(ttlconfig.Count))
	require.Equal(t, time.Hour, tables.For([]string{"rows", "slow"}).Of(ttlconfig.Row))
	require.True(t, tables.For([]string{"slow", "audit"}).Off())
	require.False(t, tables.For([]string{"slow", "quick", "rows"}).Off())
	require.Equal(t, time.Minute, tables.For([]string{"slow"}).AbsentTTL)
	require.InDelta(t, 0.4, tables.For([]string{"wide", "slow"}).Jitter, 0)
}

func TestTablesTakeWhatOnePolicyLeavesOpenFromTheNext(t *testing.T) {
	t.Parallel()
	tables := ttlconfig.NewTables(
		ttlconfig.Policy{TTL: time.Hour},
		map[string]ttlconfig.Policy{"a": {ListTTL: time.Second}, "b": {TTL: time.Second}},
		map[string]ttlconfig.Policy{"a": {TTL: time.Minute}, "b": ttlconfig.Never, "c": ttlconfig.Never},
	)
	of := func(name string, k ttlconfig.Kind) time.Duration { return tables.For([]string{name}).Of(k) }
	require.Equal(t, time.Second, of("a", ttlconfig.List))
	require.Equal(t, time.Minute, of("a", ttlconfig.Row))
	require.Equal(t, time.Second, of("b", ttlconfig.Row))
	require.Equal(t, ttlconfig.Off, of("c", ttlconfig.Row))
	require.Equal(t, time.Hour, of("d", ttlconfig.Row))
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
