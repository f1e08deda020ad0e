package hitrate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
	"github.com/gorm-rediscache/rediscache/benchmarks/world"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// Options says how long the simulations are.
type Options struct {
	Size shop.Size
	// Warm operations are carried out before Count are counted.
	Warm, Count int
	// Preloads are as many operations of the preload simulations, after half as many to warm up.
	Preloads int
}

// zipfExponent is how uneven the choice of users is.
const zipfExponent = 1.1

// writeShare is the part of operations that write.
const writeShare = 0.05

// A scenario is a kind of application.
type scenario interface {
	// prepare is called once, before anything is measured.
	prepare(r *run) error
	// choose decides what is read next.
	choose(r *run) question
	// write changes something, and tells the oracle what.
	write(r *run) error
}

// A question is one operation that reads.
type question struct {
	// ask carries it out, and returns an answer that can be compared.
	ask func(*gorm.DB) (any, error)
	// answers returns what the statement on each table asks for, given the answer.
	answers func(result any) map[string][]string
}

// A run is one simulation under way.
type run struct {
	ctx           context.Context // that of the whole run
	plain, cached *world.Handle
	events        *world.Events
	rng           *rand.Rand
	users         *rand.Zipf
	size          shop.Size
	oracle        *oracle
	tally         tally
}

// errUntrue is returned if a cached answer differs from that of the database.
var errUntrue = errors.New("the cache does not tell the truth")

// simulate carries out a scenario.
func simulate(ctx context.Context, w *world.World, name string, s scenario, size shop.Size, warm, count int) (*tally, error) {
	r := &run{
		ctx: ctx, events: &world.Events{}, size: size, oracle: newOracle(), rng: rand.New(rand.NewPCG(1, 2)),
	}
	r.users = rand.NewZipf(r.rng, zipfExponent, 1, uint64(size.Users-1))
	if err := r.open(w, name); err != nil {
		return nil, err
	}
	if err := s.prepare(r); err != nil {
		return nil, err
	}
	for i := range warm + count {
		if i == warm {
			r.tally = tally{tables: map[string]*share{}}
		}
		if err := r.step(s); err != nil {
			return nil, fmt.Errorf("%s, operation %d: %w", name, i, err)
		}
	}
	return &r.tally, nil
}

func (r *run) open(w *world.World, name string) (err error) {
	r.tally.tables = map[string]*share{}
	if r.plain, err = w.Plain(); err != nil {
		return err
	}
	if r.cached, err = w.Cached("hitrate-"+name, r.events); err != nil {
		return err
	}
	for _, h := range []*world.Handle{r.plain, r.cached} {
		if err := shop.Prepare(h.DB); err != nil {
			return err
		}
		h.DB = h.WithContext(r.ctx)
	}
	return nil
}

// step is one operation.
func (r *run) step(s scenario) error {
	if r.rng.Float64() < writeShare {
		if err := s.write(r); err != nil {
			return err
		}
		_, writes := r.events.Take()
		r.tally.wrote(writes)
		return nil
	}
	return r.read(s.choose(r))
}

// read asks the cache and plain GORM, and tells the oracle. Each is the first every other time: what one has read is then
// in memory for the other.
func (r *run) read(q question) error {
	asks := []func(question) (any, error){r.askCache, r.askPlain}
	answers := make([]any, len(asks))
	for n := range asks {
		i := (n + r.tally.operations.asked) % len(asks)
		var err error
		if answers[i], err = asks[i](q); err != nil {
			return err
		}
	}
	if got, want := answers[0], answers[1]; !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%w: got %+v, want %+v", errUntrue, got, want)
	}
	reads, _ := r.events.Take()
	return r.count(reads, q.answers(answers[1]))
}

// askCache asks the cache, and waits until it has stored what it did not have.
func (r *run) askCache(q question) (any, error) {
	before, start := r.cached.SQL.Queries(), time.Now()
	answer, err := q.ask(r.cached.DB)
	r.tally.cachedTimes = append(r.tally.cachedTimes, float64(time.Since(start)))
	if err != nil {
		return nil, err
	}
	err = r.events.Settle(r.ctx)
	r.tally.queries += int(r.cached.SQL.Queries() - before)
	return answer, err
}

// askPlain asks the database.
func (r *run) askPlain(q question) (any, error) {
	before, start := r.plain.SQL.Queries(), time.Now()
	answer, err := q.ask(r.plain.DB)
	r.tally.plainTimes = append(r.tally.plainTimes, float64(time.Since(start)))
	r.tally.plainQueries += int(r.plain.SQL.Queries() - before)
	return answer, err
}

// count compares what was found with what the oracle had.
func (r *run) count(reads []metrics.ReadEvent, asked map[string][]string) error {
	var o outcome
	for _, e := range reads {
		answers, ok := asked[e.Table]
		if !ok {
			return fmt.Errorf("an unexpected statement on %q", e.Table)
		}
		delete(asked, e.Table)
		o.add(r.tally.table(e.Table), e, len(answers), r.oracle.ask(answers))
	}
	for table, answers := range asked {
		if len(answers) > 0 {
			return fmt.Errorf("no statement on %q", table)
		}
	}
	r.tally.add(o)
	return nil
}

// user picks a user.
func (r *run) user() int64 { return int64(r.users.Uint64()) + 1 }
