package speed

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/benchmarks/floor"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
	"github.com/gorm-rediscache/rediscache/benchmarks/world"
)

// A variant is a way to do the same.
type variant string

// The variants.
const (
	plain  variant = "plain"
	aside  variant = "floor"
	behind variant = "behind"
	cached variant = "cached"
)

// variants lists them in the order of the report.
func variants() []variant { return []variant{plain, aside, behind, cached} }

// An op is one operation.
type op func(c *caller) error

// A workload is an operation in several variants.
type workload struct {
	name string
	// time and throughput are what is wanted of the cache, as ratios to plain, at one goroutine and at 64.
	time, throughput string
	ops              map[variant]op
	// warm is how many different answers there are: all of them are cached before anything is measured.
	warm int
	// mix is set for workloads with reads and writes, whose answers are cached as it happens.
	mix bool
	// base is set for workloads that are measured on distant servers, too.
	base bool
}

// A caller carries out operations, one after the other.
type caller struct {
	ctx context.Context // that of the whole run
	rng *rand.Rand
	// users picks users unevenly.
	users *rand.Zipf
	// sequence is set while the cache is warmed: then each is picked in turn.
	sequence bool
	n        int
}

// zipfExponent is how uneven the choice of users is.
const zipfExponent = 1.1

// writeShare is the part of operations of a mix that write.
const writeShare = 0.05

func newCaller(ctx context.Context, seed uint64, size shop.Size) *caller {
	rng := rand.New(rand.NewPCG(seed, 7))
	return &caller{ctx: ctx, rng: rng, users: rand.NewZipf(rng, zipfExponent, 1, uint64(size.Users-1))}
}

// pick returns one of so many, from 1.
func (c *caller) pick(n int) int64 {
	if c.sequence {
		c.n++
		return int64((c.n-1)%n) + 1
	}
	return int64(c.rng.IntN(n)) + 1
}

// user returns a user, the first ones more often.
func (c *caller) user() int64 { return int64(c.users.Uint64()) + 1 }

// A bench is what the workloads work on.
type bench struct {
	size shop.Size
	// hot is how many different answers the workloads ask for whose answers are all cached.
	hot     int
	handles map[variant]*gorm.DB
	cache   *floor.Cache
	sql     map[variant]*world.Statements
	redis   map[variant]*world.Commands
	// next is the user that a miss looks up next, by variant.
	next map[variant]*atomic.Int64
	// marks makes what is written different each time.
	marks atomic.Int64
}

// newBench opens a handle for each variant.
func newBench(ctx context.Context, w *world.World, size shop.Size, hot int) (*bench, error) {
	b := &bench{
		size: size, hot: hot, handles: map[variant]*gorm.DB{}, sql: map[variant]*world.Statements{},
		redis: map[variant]*world.Commands{}, next: map[variant]*atomic.Int64{},
	}
	b.marks.Store(time.Now().UnixNano())
	for _, v := range variants() {
		h, err := b.open(w, v)
		if err != nil {
			return nil, err
		}
		if err := shop.Prepare(h.DB); err != nil {
			return nil, err
		}
		b.handles[v], b.sql[v], b.redis[v], b.next[v] = h.WithContext(ctx), h.SQL, h.Redis, &atomic.Int64{}
	}
	return b, nil
}

func (b *bench) open(w *world.World, v variant) (*world.Handle, error) {
	if v == cached {
		return w.Cached("speed", nil)
	}
	h, err := w.Plain()
	if err != nil || v == plain {
		return h, err
	}
	cache := &floor.Cache{Redis: w.Client(h.Redis), Prefix: w.Prefix(string(v)) + ":"}
	if v == behind {
		return h, cache.Behind(h.DB)
	}
	b.cache = cache
	return h, nil
}

// through is an operation that is the same on every handle: plain, behind and cached.
func (b *bench) through(f func(db *gorm.DB, c *caller) error, among ...variant) map[variant]op {
	ops := map[variant]op{}
	for _, v := range among {
		db := b.handles[v]
		ops[v] = func(c *caller) error { return f(db, c) }
	}
	return ops
}
