package sim_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/storetest"
)

// A dataset is a server of the store. It takes the steps of the scripts (store/internal/script).
type dataset struct {
	mu      sync.Mutex
	history store.History
	values  map[string]kept // entries and tokens, by key
	// writers are those of tags, by the key of the token: until when.
	writers map[string]map[string]time.Time
	made    uint64 // tokens so far
}

// kept is what is kept under a key.
type kept struct {
	data  string
	until time.Time
}

func newDataset() *dataset {
	d := &dataset{values: map[string]kept{}, writers: map[string]map[string]time.Time{}}
	d.restart()
	return d
}

// restart gives the dataset another history.
func (d *dataset) restart() { _, _ = rand.Read(d.history[:]) } // never fails (crypto/rand)

// clone returns a copy, for restore.
func (d *dataset) clone() *dataset {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &dataset{values: maps.Clone(d.values), writers: make(map[string]map[string]time.Time, len(d.writers))}
	for key, w := range d.writers {
		c.writers[key] = maps.Clone(w)
	}
	return c
}

// restore replaces what is there by a copy from before, as a server does that takes another one's place.
func (d *dataset) restore(from *dataset) {
	c := from.clone()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values, d.writers = c.values, c.writers
	d.restart()
}

// evict forgets the keys that a function names. Writers are asked for by the key of the set.
func (d *dataset) evict(gone func(key string) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.values, func(key string, _ kept) bool { return gone(key) })
	maps.DeleteFunc(d.writers, func(key string, _ map[string]time.Time) bool { return gone(keying.Tag(key).Writers()) })
}

// isWriter reports whether a writer is one of a tag's.
func (d *dataset) isWriter(tag keying.Tag, writer string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Before(d.writers[tag.Token()][writer])
}

func (d *dataset) get(key string) store.Value {
	v, ok := d.values[key]
	if !ok || !time.Now().Before(v.until) {
		return store.Value{}
	}
	return store.Value{Data: v.data, Found: true, History: d.history}
}

func (d *dataset) set(key, data string, ttl time.Duration) {
	d.values[key] = kept{data: data, until: time.Now().Add(ttl)}
}

// live returns until when the last of the writers of a tag is one; zero if there are none.
func (d *dataset) live(token string) (until time.Time) {
	for writer, t := range d.writers[token] {
		if !time.Now().Before(t) {
			delete(d.writers[token], writer)
		} else if t.After(until) {
			until = t
		}
	}
	return until
}

// Load implements [store.Store].
func (d *dataset) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	snap := store.Snapshot{Values: make([]store.Value, len(keys)), Atomic: true}
	for i, key := range keys {
		snap.Values[i] = d.get(key)
	}
	return snap, ctx.Err()
}

// Put implements [store.Store].
func (d *dataset) Put(ctx context.Context, entries []store.Entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range entries {
		d.set(string(e.Key), string(e.Data), e.TTL)
	}
	return ctx.Err()
}

// Mint implements [store.Store].
func (d *dataset) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	snap := store.Snapshot{Values: make([]store.Value, len(mints)), Atomic: true}
	for i, m := range mints {
		snap.Values[i] = d.token(m.Tag, m.Token, m.TTL)
	}
	return snap, ctx.Err()
}

// token returns the token of a tag: if it has none and nobody writes it, a new one.
func (d *dataset) token(tag keying.Tag, given string, ttl time.Duration) store.Value {
	if v := d.get(tag.Token()); len(v.Data) >= store.TokenSize {
		return v
	}
	if !d.live(tag.Token()).IsZero() {
		return store.Value{Data: store.Writing, Found: true, History: d.history}
	}
	d.set(tag.Token(), d.fresh(given), ttl)
	return d.get(tag.Token())
}

// fresh makes a token that there never was: the first half of the given one, and a number that only rises.
func (d *dataset) fresh(given string) string {
	d.made++
	token := binary.BigEndian.AppendUint64([]byte(given[:store.TokenSize/2]), d.made)
	return string(token)
}

// Declare implements [store.Store].
func (d *dataset) Declare(ctx context.Context, c store.Declaration) (store.Value, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.get(c.Tag.Token())
	names := store.Names(v.Data)
	if len(v.Data) < store.TokenSize {
		if !d.live(c.Tag.Token()).IsZero() {
			return store.Value{Data: store.Writing, Found: true, History: d.history}, ctx.Err()
		}
		names = nil
	}
	had := len(names)
	for _, name := range c.Names {
		if !slices.Contains(names, name) && len(names) < c.Max {
			names = append(names, name)
		}
	}
	if len(v.Data) < store.TokenSize || len(names) > had {
		d.set(c.Tag.Token(), d.fresh(c.Token)+strings.Join(names, "\n"), c.TTL)
	}
	return d.get(c.Tag.Token()), ctx.Err()
}

// Intend implements [store.Store].
func (d *dataset) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, tag := range tags {
		token := tag.Token()
		if d.writers[token] == nil {
			d.writers[token] = map[string]time.Time{}
		}
		if until := time.Now().Add(ttl); until.After(d.writers[token][writer]) {
			d.writers[token][writer] = until
		}
		d.set(token, store.Writing, time.Until(d.live(token)))
	}
	return d.watched(watch), ctx.Err()
}

// Release implements [store.Store].
func (d *dataset) Release(ctx context.Context, writer string, tags, watch []keying.Tag) ([]store.Value, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, tag := range tags {
		token := tag.Token()
		delete(d.values, token)
		delete(d.writers[token], writer)
		if until := d.live(token); !until.IsZero() {
			d.set(token, store.Writing, time.Until(until))
		}
	}
	return d.watched(watch), ctx.Err()
}

func (d *dataset) watched(watch []keying.Tag) []store.Value {
	values := make([]store.Value, len(watch))
	for i, tag := range watch {
		values[i] = d.get(tag.Token())
		values[i].History = store.History{}
	}
	return values
}

// Close implements [store.Store].
func (d *dataset) Close() error { return nil }

func (d *dataset) Layout() keying.Layout { return keying.ManySlots }

// What is simulated is a store.
func TestDatasetIsAStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Features{Atomic: true, History: true}, func(t *testing.T) (store.Store, keying.Space) {
		t.Helper()
		names, err := keying.NewSpace("sim", t.Name()[:8], keying.ManySlots)
		if err != nil {
			t.Fatal(err)
		}
		return newDataset(), names
	})
}
