package faults_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// memoryFaults are a memory that is too small, under each policy.
func memoryFaults() []fault {
	var all []fault
	for _, policy := range []string{
		"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
	} {
		all = append(all, fault{
			name: policy, args: []string{"--maxmemory-policy", policy}, timeout: unhurried, reached: true,
			inflict: func(s *scene) {
				s.limit(1 << 20)
				for range 5 {
					s.press()
					s.more()
				}
				require.Positive(s.t, field(s.admin.Info(s.t.Context(), "stats").Val(), "evicted_keys:"))
				s.unlimit()
			},
		})
	}
	return append(all, fault{
		name: "noeviction", args: []string{"--maxmemory-policy", "noeviction"}, timeout: unhurried, reached: true,
		inflict: func(s *scene) {
			require.NoError(s.t, s.admin.ConfigSet(s.t.Context(), "maxmemory", "1mb").Err())
			require.ErrorContains(s.t, s.admin.Set(s.t.Context(), "k", "v", 0).Err(), "OOM")
			s.more()
			s.answered("OOM")
			s.unlimit()
		},
	})
}

// limit leaves the server so much more memory than it uses.
func (s *scene) limit(more int) {
	used := field(s.admin.Info(s.t.Context(), "memory").Val(), "used_memory:")
	require.NoError(s.t, s.admin.ConfigSet(s.t.Context(), "maxmemory", strconv.Itoa(used+more)).Err())
}

// press adds more than there is room for. What does not fit, when nothing is left to evict, is refused.
func (s *scene) press() {
	pipe := s.admin.Pipeline()
	for i := range 1000 {
		pipe.Set(s.t.Context(), "pressure:"+strconv.Itoa(i), strings.Repeat("x", 2000), time.Hour)
	}
	if _, err := pipe.Exec(s.t.Context()); err != nil {
		require.ErrorContains(s.t, err, "OOM")
	}
}

func (s *scene) unlimit() {
	require.NoError(s.t, s.admin.ConfigSet(s.t.Context(), "maxmemory", "0").Err())
}

// A memory that is too small costs hits, and nothing else.
func TestMemoryIsShortUnderTraffic(t *testing.T) {
	t.Parallel()
	for _, f := range memoryFaults() {
		t.Run(strings.ReplaceAll(f.name, "-", " "), func(t *testing.T) {
			t.Parallel()
			f.play(t)
		})
	}
}
