package ttlconfig_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

func TestPoliciesTakeWhatTheyLeaveOpenFromTheFallback(t *testing.T) {
	t.Parallel()
	type times struct{ row, list, count, absent time.Duration }
	fallback := ttlconfig.Policy{
		TTL: time.Hour, RowTTL: 2 * time.Hour, CountTTL: time.Second, AbsentTTL: 10 * time.Second, Jitter: 0.2,
	}.WithDefaults(ttlconfig.Default())
	for name, c := range map[string]struct {
		in   ttlconfig.Policy
		want times
	}{
		"nothing is said":          {ttlconfig.Policy{}, times{2 * time.Hour, time.Hour, time.Second, 10 * time.Second}},
		"one time for all":         {ttlconfig.Policy{TTL: time.Second}, times{time.Second, time.Second, time.Second, time.Second}},
		"only absent rows":         {ttlconfig.Policy{AbsentTTL: time.Minute}, times{2 * time.Hour, time.Hour, time.Second, time.Minute}},
		"lists of their own":       {ttlconfig.Policy{ListTTL: 3}, times{2 * time.Hour, 3, time.Second, 10 * time.Second}},
		"rows of their own":        {ttlconfig.Policy{RowTTL: 3}, times{3, time.Hour, time.Second, 3}},
		"all but lists":            {ttlconfig.Policy{ListTTL: ttlconfig.Off}, times{2 * time.Hour, ttlconfig.Off, time.Second, 10 * time.Second}},
		"nothing but lists":        {ttlconfig.Policy{TTL: ttlconfig.Off, ListTTL: 3}, times{ttlconfig.Off, 3, ttlconfig.Off, ttlconfig.Off}},
		"nothing":                  {ttlconfig.Never, times{ttlconfig.Off, ttlconfig.Off, ttlconfig.Off, ttlconfig.Off}},
		"no rows that are not one": {ttlconfig.Policy{AbsentTTL: ttlconfig.Off}, times{2 * time.Hour, time.Hour, time.Second, ttlconfig.Off}},
	} {
		got := c.in.WithDefaults(fallback)
		require.Equal(t, c.want, times{
			got.Of(ttlconfig.Row), got.Of(ttlconfig.List), got.Of(ttlconfig.Count), got.AbsentTTL,
		}, name)
		require.InDelta(t, 0.2, got.Jitter, 0, name)
		require.Equal(t, c.in.Off(), got.Off(), name)
	}
	require.Equal(t, ttlconfig.Default(), ttlconfig.Policy{}.WithDefaults(ttlconfig.Default()))
}

func TestPolicyIsOffIfNoKindIsKept(t *testing.T) {
	t.Parallel()
	off := ttlconfig.Off
	require.True(t, ttlconfig.Never.Off())
	require.True(t, ttlconfig.Policy{TTL: time.Hour, RowTTL: off, ListTTL: off, CountTTL: off}.Off())
	require.False(t, ttlconfig.Policy{}.Off())
	require.False(t, ttlconfig.Policy{TTL: off, CountTTL: time.Hour}.Off())
	require.False(t, ttlconfig.Policy{RowTTL: off, ListTTL: off}.Off())
}

func TestInvalidPoliciesNameTheField(t *testing.T) {
	t.Parallel()
	for _, p := range []ttlconfig.Policy{
		{},
		ttlconfig.Never, ttlconfig.Volatile, ttlconfig.Static, ttlconfig.Default(),
		{Jitter: ttlconfig.NoJitter},
		{Jitter: 0.5},
		{TTL: ttlconfig.Off, RowTTL: time.Second},
	} {
		require.NoError(t, p.Validate())
	}
	for want, p := range map[string]ttlconfig.Policy{
		"TTL: want a positive duration, got -1s":                        {TTL: -time.Second},
		"TTL: want 24h0m0s at most, got 25h0m0s":                        {TTL: 25 * time.Hour},
		"AbsentTTL: want a millisecond at least, got 5ns":               {AbsentTTL: 5},
		"RowTTL: want a positive duration, got -1ns":                    {RowTTL: -1},
		"ListTTL: want a millisecond at least, got 1ns":                 {ListTTL: 1},
		"CountTTL: want 24h0m0s at most, got 24h0m1s":                   {CountTTL: ttlconfig.MaxTTL + time.Second},
		"Jitter: want a share of 0.5 at most, or NoJitter, got 0.51":    {Jitter: 0.51},
		"Jitter: want a share of 0.5 at most, or NoJitter, got -0.1":    {Jitter: -0.1},
		"Jitter: want a share of 0.5 at most, or NoJitter, got NaN":     {Jitter: math.NaN()},
		"TTL: want a positive duration, got -1ns\nRowTTL: want a posit": {TTL: -1, RowTTL: -1},
	} {
		require.ErrorContains(t, p.Validate(), want)
	}
}

func TestContradictionsNameTheFieldsAndSayWhatToDo(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]ttlconfig.Policy{
		"AbsentTTL: 1h0m0s is longer than TTL, 1m0s, though nobody announces a row that another program adds: make AbsentTTL " +
			"1m0s at most, or TTL longer": {TTL: time.Minute, AbsentTTL: time.Hour},
		"AbsentTTL: 1h0m0s is longer than RowTTL, 1m0s, though nobody announces a row that another program adds: make AbsentTTL " +
			"1m0s at most, or RowTTL longer": {TTL: 2 * time.Hour, RowTTL: time.Minute, AbsentTTL: time.Hour},
		"AbsentTTL: TTL is Off, and an absent row is kept as a row is: leave AbsentTTL out, or keep rows (RowTTL)": {
			TTL: ttlconfig.Off, ListTTL: time.Hour, AbsentTTL: time.Minute,
		},
		"Jitter: nothing is kept (TTL is Off), so that there is no time to take it off: leave Jitter out, or give TTL a " +
			"duration": {TTL: ttlconfig.Off, Jitter: 0.3},
		"TagColumns: no list and no count is kept (TTL, or ListTTL and CountTTL, are Off), so that finer tags only make writes " +
			"dearer: leave TagColumns out, or give ListTTL or CountTTL a duration": {
			TTL: ttlconfig.Off, RowTTL: time.Hour, TagColumns: []string{"tenant_id"},
		},
	} {
		require.EqualError(t, p.Validate(), want)
	}
	require.NoError(t, ttlconfig.Policy{TTL: ttlconfig.Off, CountTTL: 1e9, TagColumns: []string{"a"}, Jitter: 0.1}.Validate())
	require.NoError(t, ttlconfig.Policy{AbsentTTL: time.Hour}.Validate(), "perhaps the fallback keeps rows for longer")
}

func TestPolicyMayContradictItsFallback(t *testing.T) {
	t.Parallel()
	p := ttlconfig.Policy{AbsentTTL: 30 * time.Minute}
	require.NoError(t, p.ValidateWith(ttlconfig.Policy{TTL: time.Hour}))
	require.ErrorContains(t, p.ValidateWith(ttlconfig.Policy{}), "AbsentTTL: 30m0s is longer than RowTTL, 10m0s")
	require.ErrorContains(t, p.ValidateWith(ttlconfig.Policy{RowTTL: ttlconfig.Off}), "AbsentTTL: RowTTL is Off")
	require.ErrorContains(t, ttlconfig.Policy{TTL: -1}.ValidateWith(ttlconfig.Policy{}), "TTL: want a positive")
	fallback := ttlconfig.Policy{TagColumns: []string{"tenant_id"}, Jitter: 0.3}
	require.NoError(t, ttlconfig.Never.ValidateWith(fallback), "what is inherited is nobody's mistake")
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
	tables := ttlconfig.NewTables(fallback, map[string]ttlconfig.Policy{"users": own}, nil)
	require.Equal(t, []string{"slug", "email", "tenant_id"}, tables.For([]string{"users"}).TagColumns)
	require.Empty(t, tables.For([]string{"users", "other"}).TagColumns)
}

func TestJitterTakesItsShareAtMost(t *testing.T) {
	t.Parallel()
	for share, least := range map[float64]time.Duration{
		0: 900 * time.Millisecond, 0.5: 500 * time.Millisecond, ttlconfig.NoJitter: time.Second,
	} {
		p := ttlconfig.Policy{Jitter: share}.WithDefaults(ttlconfig.Default())
		seen := map[time.Duration]bool{}
		for range 1000 {
			ttl := p.Jittered(time.Second)
			require.LessOrEqual(t, ttl, time.Second)
			require.GreaterOrEqual(t, ttl, least)
			seen[ttl] = true
		}
		require.Equal(t, share >= 0, len(seen) > 100)
		require.Positive(t, p.Jittered(1))
		require.Equal(t, ttlconfig.Off, p.Jittered(ttlconfig.Off))
	}
}

func TestPoliciesAreTheSameIfTheySayTheSame(t *testing.T) {
	t.Parallel()
	require.True(t, ttlconfig.Policy{}.Same(ttlconfig.Policy{TagColumns: []string{}}))
	require.True(t, ttlconfig.Static.Same(ttlconfig.Static))
	for _, other := range []ttlconfig.Policy{
		{TTL: 1}, {RowTTL: 1}, {ListTTL: 1}, {CountTTL: 1}, {AbsentTTL: 1}, {Jitter: 0.2}, {TagColumns: []string{"a"}},
	} {
		require.False(t, ttlconfig.Policy{}.Same(other))
	}
}
