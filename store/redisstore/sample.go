package redisstore

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/metrics"
)

const (
	// draws is how many keys are drawn from each primary for a sample.
	draws = 32
	// samples is how many of the latest samples count for an estimate.
	samples = 8
)

// A Sampler asks the primaries of a [Store] what they hold. It never looks through keys: it draws a few at random.
type Sampler struct {
	s      *Store
	prefix string
	log    *slog.Logger

	mu      sync.Mutex
	drawn   map[string][]draw // by server
	refused map[string]bool   // commands that a server may not be asked for
}

// A draw is what became of the keys that were drawn from a server for one sample.
type draw struct {
	keys, own, weighed int
	bytes              int64
}

// NewSampler returns a sampler that takes keys with a prefix for the cache's own.
//
// Needed are INFO memory, INFO stats, DBSIZE, RANDOMKEY and MEMORY USAGE. Services that manage Redis may forbid some of
// them: what these would have told is NaN then, they are not asked for again, and the logger is told once, at level Debug.
func NewSampler(s *Store, prefix string, log *slog.Logger) *Sampler {
	return &Sampler{s: s, prefix: prefix, log: log, drawn: map[string][]draw{}, refused: map[string]bool{}}
}

// Name names the servers: two samplers with the same name ask the same ones.
func (s *Sampler) Name() string {
	switch c := s.s.client.(type) {
	case *redis.Client:
		return c.Options().Addr + "/" + strconv.Itoa(c.Options().DB)
	case *redis.ClusterClient:
		return strings.Join(c.Options().Addrs, ",")
	default:
		return ""
	}
}

// Client returns the client that is asked.
func (s *Sampler) Client() redis.UniversalClient { return s.s.client }

// Pool returns the state of the client's connections.
func (s *Sampler) Pool() metrics.Pool {
	stats := s.s.client.PoolStats()
	p := metrics.Pool{
		Total: int(stats.TotalConns), Idle: int(stats.IdleConns), Hits: uint64(stats.Hits), Misses: uint64(stats.Misses),
		Timeouts: uint64(stats.Timeouts), Stale: uint64(stats.StaleConns),
	}
	if own := stats.PipelineStats; own != nil { // pipelines have a pool of their own
		p.Total, p.Idle = p.Total+int(own.TotalConns), p.Idle+int(own.IdleConns)
		p.Hits, p.Misses = p.Hits+uint64(own.Hits), p.Misses+uint64(own.Misses)
		p.Timeouts, p.Stale = p.Timeouts+uint64(own.Timeouts), p.Stale+uint64(own.StaleConns)
	}
	return p
}

// Sample asks all primaries, and returns the sums. Each is asked for two pipelines of cheap commands.
//
// How many keys are the cache's is estimated: it is their share of the keys that were drawn, of the latest 8 samples, 256
// for each primary, times the number of keys. If a share p of the keys is the cache's, two estimates of three are off by
// less than √(p·(1-p)/256) of all keys: 3 % of them at most.
func (s *Sampler) Sample(ctx context.Context) (metrics.Server, error) {
	var sum metrics.Server
	var mu sync.Mutex
	unlimited := false
	err := s.s.servers.each(ctx, func(ctx context.Context, n *node) error {
		one, err := s.ask(ctx, n)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		unlimited = unlimited || one.Max == 0
		sum.Used, sum.Max, sum.Evicted = sum.Used+one.Used, sum.Max+one.Max, sum.Evicted+one.Evicted
		sum.Keys, sum.OwnKeys, sum.OwnBytes = sum.Keys+one.Keys, sum.OwnKeys+one.OwnKeys, sum.OwnBytes+one.OwnBytes
		return nil
	})
	if unlimited {
		sum.Max = 0
	}
	return sum, err
}

// ask asks one primary.
func (s *Sampler) ask(ctx context.Context, n *node) (metrics.Server, error) {
	p := n.rdb.Pipeline()
	var all []redis.Cmder
	queue := func(cmds ...redis.Cmder) {
		for _, cmd := range cmds {
			if !s.isRefused(cmd) {
				_ = p.Process(ctx, cmd) // queues it
				all = append(all, cmd)
			}
		}
	}
	memory, stats := redis.NewStringCmd(ctx, "info", "memory"), redis.NewStringCmd(ctx, "info", "stats")
	size := redis.NewIntCmd(ctx, "dbsize")
	queue(memory, stats, size)
	keys := make([]*redis.StringCmd, draws)
	for i := range keys {
		keys[i] = redis.NewStringCmd(ctx, "randomkey")
		queue(keys[i])
	}
	_, _ = p.Exec(ctx) // each command has an error of its own
	for _, cmd := range all {
		if err := s.check(ctx, cmd); err != nil {
			return metrics.Server{}, err
		}
	}
	one := metrics.Server{
		Used: field(memory, "used_memory"), Max: field(memory, "maxmemory"), Evicted: field(stats, "evicted_keys"),
		Keys: float64(size.Val()), OwnKeys: math.NaN(), OwnBytes: math.NaN(),
	}
	if s.isRefused(size) {
		one.Keys = math.NaN()
	}
	if s.isRefused(keys[0]) {
		return one, nil
	}
	drawn, err := s.weigh(ctx, n, keys)
	if err != nil {
		return metrics.Server{}, err
	}
	one.OwnKeys, one.OwnBytes = s.estimate(n.rdb.Options().Addr, drawn, one.Keys)
	return one, nil
}

// weigh asks for the memory of the keys that are the cache's.
func (s *Sampler) weigh(ctx context.Context, n *node, keys []*redis.StringCmd) (draw, error) {
	var d draw
	p := n.rdb.Pipeline()
	var usages []*redis.IntCmd
	for _, key := range keys {
		if key.Val() == "" {
			continue // there is none
		}
		d.keys++
		if !strings.HasPrefix(key.Val(), s.prefix) {
			continue
		}
		d.own++
		if usage := redis.NewIntCmd(ctx, "memory", "usage", key.Val()); !s.isRefused(usage) {
			_ = p.Process(ctx, usage) // queues it
			usages = append(usages, usage)
		}
	}
	if len(usages) == 0 {
		return d, nil
	}
	_, _ = p.Exec(ctx) // as above
	for _, usage := range usages {
		if err := s.check(ctx, usage); err != nil {
			return d, err
		}
		if usage.Err() == nil {
			d.weighed++
			d.bytes += usage.Val()
		}
	}
	return d, nil
}

// estimate returns the number and the memory of the cache's keys on a server that has so many keys.
func (s *Sampler) estimate(server string, latest draw, keys float64) (own, bytes float64) {
	s.mu.Lock()
	s.drawn[server] = append(s.drawn[server], latest)
	s.drawn[server] = s.drawn[server][max(len(s.drawn[server])-samples, 0):]
	all := s.drawn[server]
	s.mu.Unlock()
	var d draw
	for _, one := range all {
		d.keys, d.own = d.keys+one.keys, d.own+one.own
		d.weighed, d.bytes = d.weighed+one.weighed, d.bytes+one.bytes
	}
	if d.keys == 0 || keys == 0 {
		return 0, 0
	}
	own = keys * float64(d.own) / float64(d.keys)
	switch {
	case own == 0:
		return 0, 0
	case d.weighed == 0:
		return own, math.NaN()
	default:
		return own, own * float64(d.bytes) / float64(d.weighed)
	}
}

// check returns the error of a command. A refusal is none: it is remembered.
func (s *Sampler) check(ctx context.Context, cmd redis.Cmder) error {
	err := cmd.Err()
	switch {
	case err == nil, errors.Is(err, redis.Nil):
		return nil
	case !isRefusal(err):
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.refused[cmd.Name()] {
		s.refused[cmd.Name()] = true
		s.log.DebugContext(ctx, "rediscache: the server does not let a command be asked; its metrics are absent",
			"command", cmd.Name(), "error", err)
	}
	return nil
}

func (s *Sampler) isRefused(cmd redis.Cmder) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[cmd.Name()]
}

// isRefusal reports whether a server does not know a command, or forbids it.
func isRefusal(err error) bool {
	return redis.HasErrorPrefix(err, "NOPERM") || redis.HasErrorPrefix(err, "unknown command") ||
		redis.HasErrorPrefix(err, "unknown subcommand") || redis.HasErrorPrefix(err, "Unknown subcommand")
}

// field returns a number of INFO's; NaN, if it is not told.
func field(cmd *redis.StringCmd, name string) float64 {
	for line := range strings.SplitSeq(cmd.Val(), "\n") {
		if key, value, _ := strings.Cut(strings.TrimSpace(line), ":"); key == name {
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				return n
			}
		}
	}
	return math.NaN()
}
