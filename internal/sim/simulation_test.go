package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// options say what is simulated.
type options struct {
	Outage consistency.Outage
	// Servers is the number of servers that the store consists of; 0: one.
	Servers int
	// Broken makes a store of a server on which the protocol does not hold; nil: it is right.
	Broken func(store.Store) store.Store
	// Announces are the tags that a change of the schema announces; nil: those that it must.
	Announces func(keying.Space) []keying.Tag
}

// A run is what came of a simulation.
type run struct {
	// Wrong are the answers that break a promise.
	Wrong []string
	// Trace is what happened, step by step.
	Trace []string
	// Reads and Hits count what has been read by applications, and found in the store; Commits, what was written.
	Reads, Hits, Commits int
}

const (
	readers = 2 // of each process
	living  = 3 // processes at a time
	turns   = 300
	forever = 100 * 365 * 24 * time.Hour
	// quiet is how long nothing happens in the end: what is owed to the store is paid.
	quiet = 2 * (intentTTL + inDoubtHold)
)

// simulation is one run.
type simulation struct {
	opt   options
	ctx   context.Context // of all that applications do
	rng   *rand.Rand
	gate  gate
	judge judge
	names keying.Space
	table *keying.Table

	disks   []*dataset    // what the servers hold
	servers []store.Store // the ways to them
	// shadows hold who is writing, as a right store does: by them it is judged what is safe.
	shadows []*dataset
	copies  []copied

	processes int
	alive     []*process
	ranks     map[string]float64 // of actors; nil: nobody has one
	weather   weather
	began     time.Time
	over      bool
	run       run
}

// copied is a copy of a server.
type copied struct{ disk, shadow *dataset }

// simulate plays the run of a seed.
func simulate(t *testing.T, seed uint64, opt options) run {
	t.Helper()
	var r run
	synctest.Test(t, func(t *testing.T) {
		names, err := keying.NewSpace("sim", "db", keying.ManySlots)
		if err != nil {
			t.Fatal(err)
		}
		s := &simulation{
			opt: opt, ctx: t.Context(), rng: rand.New(rand.NewPCG(seed, 1)), names: names, table: names.Table("rows"), began: time.Now(),
		}
		s.weather = s.drawWeather()
		if s.weather.ranks {
			s.ranks = map[string]float64{}
		}
		s.judge.reading = map[*read]bool{}
		s.judge.states = []state{{}, {1, 1, 0, 1}} // row 2 is not there
		s.judge.seen = s.judge.now()
		for range max(1, opt.Servers) {
			s.addServer()
		}
		s.play()
		r = s.run
	})
	return r
}

func (s *simulation) addServer() {
	disk := newDataset()
	var way store.Store = disk
	if s.opt.Broken != nil {
		way = s.opt.Broken(disk)
	}
	s.disks, s.servers, s.shadows = append(s.disks, disk), append(s.servers, way), append(s.shadows, newDataset())
	s.copies = append(s.copies, copied{disk.clone(), newDataset()})
}

// serverOf returns the server of a key, by its hash tag.
func (s *simulation) serverOf(key string) int {
	_, slot, _ := strings.Cut(key, "{")
	return int(slot[0]) % len(s.disks)
}

func (s *simulation) play() {
	for range living {
		s.start()
	}
	for range turns {
		s.wait()
		s.turn()
	}
	s.over = true
	s.note("no more faults")
	for until := time.Now().Add(quiet); s.gate.acting() || time.Now().Before(until); {
		s.wait()
		if calls := s.gate.calls(); len(calls) > 0 {
			s.carryOut(calls[0])
		} else {
			time.Sleep(stepTimeout)
		}
	}
	for _, p := range s.alive {
		s.end(p)
	}
	s.quiescent()
	s.run.Wrong, s.run.Commits = s.judge.wrong, len(s.judge.states)-2
}

// start starts a process.
func (s *simulation) start() {
	p := s.newProcess()
	s.alive = append(s.alive, p)
	p.lives()
}

// end ends a process that has nothing more to do, or that has crashed.
func (s *simulation) end(p *process) {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	_ = p.Close(ctx)
}

func (s *simulation) note(format string, args ...any) {
	s.run.Trace = append(s.run.Trace, fmt.Sprintf("%8s  ", time.Since(s.began))+fmt.Sprintf(format, args...))
}

// quiescent judges Q: what is served when nothing is under way.
func (s *simulation) quiescent() {
	if len(s.servers) > 1 || len(s.judge.unsafe) > 0 {
		return // each has its part, which the reads of the run have shown; or the time to live bounds what is served
	}
	p := consistency.New(consistency.Config{Store: s.servers[0], Foreground: true, Draw: s.draw})
	defer s.end(&process{Protocol: p})
	for id := range nRows {
		now := s.judge.now()[id]
		reading, err := p.Read(s.ctx, consistency.Request{
			Kind: metrics.Row, Entries: []consistency.Entry{s.entry(id)}, Pins: &consistency.Pins{},
		}, func(context.Context, []int) ([]consistency.Result, error) { return []consistency.Result{row(now)}, nil })
		if err == nil && reading.Outcome == metrics.Hit && reading.Payloads[0].Data != strconv.Itoa(now) {
			s.judge.lies("row %d is %d, and served as %s when all is over", id, now, reading.Payloads[0].Data)
		}
	}
}

// draw stands for what the protocol leaves to chance.
func (*simulation) draw() float64 { return 0.5 }

// covered reports whether a write is one of the writers of all its tags.
func (s *simulation) covered(w *write) bool {
	for _, tag := range w.tags {
		if !s.shadows[s.serverOf(tag.Token())].isWriter(tag, w.writer) {
			return false
		}
	}
	return true
}

var errRefused = errors.New("the database has refused the COMMIT")
