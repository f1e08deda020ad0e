package faults_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// unhurried is a Config.Timeout that a loaded machine keeps: where it is not slowness that is tested, no step is given up.
const unhurried = 10 * time.Second

// serverFaults are what happens to the server's process, and to its data.
func serverFaults() []fault {
	return []fault{
		{name: "killed, and restarted empty", inflict: func(s *scene) {
			s.server.Kill()
			s.more()
			s.server.Start()
		}},
		{name: "restarted from an old snapshot at once", restored: true, inflict: func(s *scene) {
			s.save()
			s.more()
			s.server.Kill()
			s.server.Start()
		}},
		{name: "restarted from an old snapshot after an outage", restored: true, inflict: func(s *scene) {
			s.save()
			s.more()
			s.server.Kill()
			s.more()
			s.server.Start()
		}},
		{name: "stopped, and continued with its data", inflict: func(s *scene) {
			s.server.Stop()
			s.more()
			s.server.Continue()
		}},
		{name: "flushed", timeout: unhurried, reached: true, inflict: func(s *scene) {
			for range 5 {
				require.NoError(s.t, s.admin.FlushAll(s.t.Context()).Err())
				s.more()
			}
		}},
		{name: "its scripts flushed", timeout: unhurried, reached: true, inflict: func(s *scene) {
			for range 5 {
				require.NoError(s.t, s.admin.ScriptFlush(s.t.Context()).Err())
				s.more()
			}
			s.answered("NOSCRIPT")
		}},
		{name: "its clients killed", timeout: unhurried, inflict: func(s *scene) {
			for range 5 {
				s.killClients()
				s.more()
			}
		}},
		{name: "paused again and again", inflict: func(s *scene) {
			for range 5 {
				require.NoError(s.t, s.admin.ClientPause(s.t.Context(), 200*time.Millisecond).Err())
				s.more()
			}
			s.killClients() // so that no answer is under way any more
		}},
		{name: "a replica whose primary is away, then a primary again", inflict: func(s *scene) {
			require.NoError(s.t, s.admin.ReplicaOf(s.t.Context(), "127.0.0.1", "1").Err())
			s.more()
			s.answered("READONLY")
			require.NoError(s.t, s.admin.ReplicaOf(s.t.Context(), "NO", "ONE").Err())
		}},
		{name: "its clock set forward, and back", timeout: unhurried, reached: true, inflict: func(s *scene) {
			for range 5 {
				s.setClock(time.Minute)
				s.more()
				s.setClock(-time.Minute)
				s.more()
			}
		}},
		{name: "loading what it had", restored: true, inflict: func(s *scene) {
			s.ballast(3000)
			s.save()
			s.more()
			s.server.Kill()
			// A key takes 10 ms, and the server listens after each: it answers in time, and loads for half a minute.
			s.server.Launch("--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024")
			s.answered("LOADING")
			s.more()
			require.NoError(s.t, s.admin.ConfigSet(s.t.Context(), "key-load-delay", "0").Err())
			testkit.Eventually(s.t, "it has loaded", func() bool {
				return strings.Contains(s.admin.Info(s.t.Context(), "persistence").Val(), "\nloading:0")
			})
		}},
	}
}

// save writes a snapshot, which the server has when it starts anew.
func (s *scene) save() { require.NoError(s.t, s.admin.Save(s.t.Context()).Err()) }

// killClients ends the connections of the processes.
func (s *scene) killClients() {
	require.NoError(s.t, s.admin.Do(s.t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err())
}

// clock makes all that a server has older, which is what it makes of a clock that is set forward: intents lapse, and entries
// expire.
var clock = redis.NewScript(`
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key) - ARGV[1]
  if redis.call('TYPE', key).ok == 'zset' then
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      redis.call('ZINCRBY', key, -ARGV[1], member)
    end
  end
  if left > 0 then
    redis.call('PEXPIRE', key, left)
  else
    redis.call('DEL', key)
  end
end`)

func (s *scene) setClock(by time.Duration) {
	require.ErrorIs(s.t, clock.Run(s.t.Context(), s.admin, nil, by.Milliseconds()).Err(), redis.Nil)
}

// ballast adds keys that take the server time to load: each more than a kibibyte of its file.
func (s *scene) ballast(keys int) {
	s.t.Helper()
	require.NoError(s.t, s.admin.ConfigSet(s.t.Context(), "rdbcompression", "no").Err())
	pipe := s.admin.Pipeline()
	for i := range keys {
		pipe.Set(s.t.Context(), "ballast:"+strconv.Itoa(i), strings.Repeat("x", 1100), time.Hour)
	}
	_, err := pipe.Exec(s.t.Context())
	require.NoError(s.t, err)
}

// What is read while the server is broken, and afterwards, is what the row of the fault promises.
func TestServerIsBrokenUnderTraffic(t *testing.T) {
	t.Parallel()
	for _, f := range serverFaults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.play(t)
		})
	}
}
