package model_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/stores"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// A pair is a real store and the model of it, which take the same steps on two tags and an entry. What the real one answers
// has to be what the model says.
type pair struct {
	t      testing.TB
	real   store.Store
	client *redis.Client // nil if keys cannot be taken away behind the store's back
	model  memory
	names  [nTags]keying.Tag
	key    keying.Key

	last  uint8                   // token of the model's
	known [nTags]map[uint8]string // what it is called in the real store
	seen  map[string]bool         // all of them
	long  [nTags]bool             // whether there ever was an intent that does not lapse
	brief time.Duration           // how long the last writer's intents live
	since time.Time               // when the first of them was asked for
	late  bool                    // it may have lapsed by itself: the sequence tells nothing
	told  strings.Builder         // what was done, for people
}

// sleeper is the writer whose intents lapse.
const sleeper = 2

func newPair(t testing.TB, s store.Store, client *redis.Client, space keying.Space, id string) *pair {
	t.Helper()
	p := &pair{t: t, real: s, client: client, seen: map[string]bool{}, brief: time.Minute}
	table := space.Table(id)
	p.names = [nTags]keying.Tag{table.List(), table.Absent()}
	for i := range p.known {
		p.known[i] = map[uint8]string{}
	}
	p.key = keying.Key(string(table.List()) + "/entry")
	return p
}

// same holds a value of the real store to what the model has under a tag.
func (p *pair) same(tag int, token uint8, names mask, v store.Value) {
	p.t.Helper()
	switch token {
	case absent:
		require.False(p.t, v.Found, "%s: want nothing, got %q", &p.told, v.Data)
		return
	case writing:
		require.Equal(p.t, store.Writing, v.Data, "%s", &p.told)
		return
	}
	require.GreaterOrEqual(p.t, len(v.Data), store.TokenSize, "%s: want a token, got %q", &p.told, v.Data)
	data := v.Data[:store.TokenSize]
	if called, ok := p.known[tag][token]; ok {
		require.Equal(p.t, called, data, "%s: want the same token", &p.told)
	} else {
		require.False(p.t, p.seen[data], "%s: want a new token", &p.told)
		p.known[tag][token], p.seen[data] = data, true
	}
	var carried mask
	for _, name := range store.Names(v.Data) {
		carried |= 1 << slices.Index([]string{"a", "b", "c"}, name)
	}
	require.Equal(p.t, names, carried, "%s: names", &p.told)
}

// look compares all that can be seen.
func (p *pair) look() {
	p.t.Helper()
	snap, err := p.real.Load(p.t.Context(), []string{p.names[0].Token(), p.names[1].Token(), string(p.key)})
	require.NoError(p.t, err)
	if p.overdue() {
		return
	}
	for i := range nTags {
		p.same(i, p.model.tags[i].token, p.model.tags[i].names, snap.Values[i])
	}
	if e := p.model.entries[0]; e.stored {
		require.Equal(p.t, string(e.value[0]), snap.Values[2].Data, "%s", &p.told)
	}
}

// overdue reports whether an intent may have lapsed that the model still has.
func (p *pair) overdue() bool {
	p.late = p.late || !p.since.IsZero() && time.Since(p.since) > p.brief*9/10
	return p.late
}

func (p *pair) fresh() uint8 {
	p.last++
	return first + p.last
}

// A move is a step of both.
type move struct {
	name string
	do   func(p *pair)
}

func (p *pair) make(m move) {
	p.t.Helper()
	p.told.WriteString(m.name + "; ")
	if m.do(p); !p.late {
		p.look()
	}
}

func mintMove(tag int) move {
	return move{fmt.Sprint("mint ", tag), func(p *pair) {
		token := strings.Repeat("x", store.TokenSize) // the same each time: the store has to see to it that it is not
		snap, err := p.real.Mint(p.t.Context(), []store.Mint{{Tag: p.names[tag], Token: token, TTL: time.Hour}})
		require.NoError(p.t, err)
		if p.overdue() {
			return
		}
		got := rule{}.mint(&p.model.tags[tag], p.fresh())
		p.same(tag, got, p.model.tags[tag].names, snap.Values[0])
	}}
}

func declareMove(names mask, most int) move {
	return move{fmt.Sprintf("declare %03b, %d at most", names, most), func(p *pair) {
		d := store.Declaration{
			Tag: p.names[0], Token: strings.Repeat("x", store.TokenSize), TTL: time.Hour, Max: most,
		}
		for i, name := range []string{"a", "b", "c"} {
			if names>>i&1 != 0 {
				d.Names = append(d.Names, name)
			}
		}
		v, err := p.real.Declare(p.t.Context(), d)
		require.NoError(p.t, err)
		if p.overdue() {
			return
		}
		got := rule{}.declare(&p.model.tags[0], names, most, p.fresh())
		p.same(0, got, p.model.tags[0].names, v)
	}}
}

// writeMove is an intent, or a release, on tags, while both tags are watched.
func writeMove(writer int, on mask, join bool) move {
	return move{fmt.Sprintf("w%d intends %t on %02b", writer, join, on), func(p *pair) {
		var tags []keying.Tag
		for i := range nTags {
			if on>>i&1 != 0 {
				tags = append(tags, p.names[i])
			}
		}
		ttl := time.Minute
		if writer == sleeper {
			ttl = p.brief
			if join && p.since.IsZero() {
				p.since = time.Now()
			}
		}
		step, id := rule{}.release, fmt.Sprint("w", writer)
		var watched []store.Value
		var err error
		if join {
			step = rule{}.intend
			watched, err = p.real.Intend(p.t.Context(), id, ttl, tags, p.names[:])
		} else {
			watched, err = p.real.Release(p.t.Context(), id, tags, p.names[:])
		}
		require.NoError(p.t, err)
		if p.overdue() {
			return
		}
		for i := range nTags {
			if on>>i&1 != 0 {
				step(&p.model.tags[i], writer)
				p.long[i] = p.long[i] || join && writer != sleeper
			}
		}
		for i, v := range watched {
			p.same(i, p.model.tags[i].token, p.model.tags[i].names, v)
		}
	}}
}

func putMove() move {
	return move{"put", func(p *pair) {
		e := &p.model.entries[0]
		e.stored, e.value[0] = true, e.value[0]+1
		data := []byte{e.value[0]}
		require.NoError(p.t, p.real.Put(p.t.Context(), []store.Entry{{Key: p.key, Data: data, TTL: time.Hour}}))
	}}
}

func evictMove(tag int, set bool) move {
	return move{fmt.Sprintf("evict %d, writers %t", tag, set), func(p *pair) {
		if key := p.names[tag].Token(); !set {
			require.NoError(p.t, p.client.Del(p.t.Context(), key).Err())
			evictToken(&p.model.tags[tag])
			return
		}
		require.NoError(p.t, p.client.Del(p.t.Context(), p.names[tag].Writers()).Err())
		evictWriters(&p.model.tags[tag])
	}}
}

// lapseMove waits until the sleeper's intents have lapsed.
func lapseMove() move {
	return move{"the sleeper's intents lapse", func(p *pair) {
		if p.since.IsZero() {
			return
		}
		time.Sleep(p.brief + 20*time.Millisecond)
		p.since = time.Time{}
		for i := range nTags {
			snap, err := p.real.Load(p.t.Context(), []string{p.names[i].Token()})
			require.NoError(p.t, err)
			t := &p.model.tags[i]
			if t.writers>>sleeper&1 == 0 {
				continue
			}
			lingers := p.long[i] && snap.Values[0].Data == store.Writing
			lapse(t, sleeper, lingers)
		}
	}}
}

// moves are all that concern the first tag alone, without time.
func moves(evicts bool) []move {
	all := []move{
		mintMove(0), declareMove(1, 2), declareMove(6, 2), writeMove(0, 1, true), writeMove(0, 1, false),
		writeMove(1, 1, true), writeMove(1, 1, false),
	}
	if evicts {
		all = append(all, evictMove(0, false), evictMove(0, true))
	}
	return all
}

// A system is a store in which nothing is but the test's own.
type system struct {
	store.Store
	client *redis.Client
	space  keying.Space
}

func open(t *testing.T) system {
	t.Helper()
	client, namespace := testkit.Redis(t)
	space, err := keying.NewSpace(namespace, "db", keying.ManySlots)
	require.NoError(t, err)
	return system{stores.Open(t, client, time.Minute), client, space}
}

// evicts returns what takes keys away; nil for a store that does not evict writers, whose keys nobody else gets at.
func (s system) evicts() *redis.Client {
	if stores.InMemory() {
		return nil
	}
	return s.client
}

// parallel calls f for numbers up to n, a few at a time, until one of them has failed.
func parallel(t *testing.T, n, atATime int, f func(i int)) {
	t.Helper()
	var wg sync.WaitGroup
	places := make(chan struct{}, atATime)
	for i := 0; i < n && !t.Failed(); i++ {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }() // also when a test ends in f
			f(i)
		})
	}
	wg.Wait()
}

// Every short sequence of steps gives in the store what it gives in the model.
func TestStoreTakesEveryShortSequenceOfSteps(t *testing.T) {
	t.Parallel()
	s := open(t)
	all := moves(s.evicts() != nil)
	length := 3
	if stores.Other() && !stores.InMemory() {
		length = 2 // each step is an exchange over HTTP
	}
	n := 1
	for range length {
		n *= len(all)
	}
	parallel(t, n, 8, func(i int) {
		p := newPair(t, s, s.evicts(), s.space, fmt.Sprint("t", i))
		for range length {
			p.make(all[i%len(all)])
			i /= len(all)
		}
	})
}

// Long ones do, too, with two tags, entries, and time.
func TestStoreTakesLongSequencesOfSteps(t *testing.T) {
	t.Parallel()
	s := open(t)
	all := append(moves(s.evicts() != nil), mintMove(1), putMove())
	for on := mask(1); on < 4; on++ {
		for w := range sleeper + 1 {
			all = append(all, writeMove(w, on, true), writeMove(w, on, false))
		}
	}
	if s.evicts() != nil {
		all = append(all, evictMove(1, false), evictMove(1, true))
	}
	sequences := 64
	if stores.Other() {
		sequences = 16
	}
	parallel(t, sequences, 16, func(i int) {
		// A machine that is too slow for the life of an intent is given longer.
		for brief := 250 * time.Millisecond; ; brief *= 2 {
			p := newPair(t, s, s.evicts(), s.space, fmt.Sprint("t", i, brief))
			if p.brief = brief; p.random(rand.New(rand.NewPCG(uint64(i), 1)), all) {
				return
			}
		}
	})
}

// random makes moves, with one pause. It answers false if the machine was too slow to tell.
func (p *pair) random(r *rand.Rand, all []move) bool {
	for range 2 {
		for range 16 {
			if p.make(all[r.IntN(len(all))]); p.late {
				return false
			}
		}
		p.make(lapseMove())
		p.make(mintMove(0))
		p.make(mintMove(1))
	}
	return !p.late
}

// The other stores are held to the model as well.
func TestModelOnOtherStores(t *testing.T) { //nolint:paralleltest // it waits for other programs
	stores.OnOthers(t, "TestStoreTakes|TestProtocolMoves", "OnOtherStores")
}
