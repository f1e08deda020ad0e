package consistency_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// schemaWorld is a world whose database has a schema, of which there are versions, and a process that has read it.
type schemaWorld struct {
	*world
	announced func(keying.Space) []keying.Tag // by a change of the schema

	version int
	change  *consistency.Write // under way
	blind   *consistency.Write // under way: may have changed anything, but for the schema

	reader *process
	pins   *consistency.Pins
	known  int // the version that was read under them
	wrong  bool
}

// schemaSteps are what may happen, one after the other. Each is over before the next one begins.
func schemaSteps() map[string]func(*schemaWorld) {
	return map[string]func(*schemaWorld){
		"announce": (*schemaWorld).announceChange,
		"commit": func(w *schemaWorld) {
			if w.change != nil {
				w.version++
			}
		},
		"release": (*schemaWorld).releaseChange,
		"blind write": func(w *schemaWorld) {
			if w.blind == nil {
				w.blind = w.intend(w.names.All())
			} else {
				w.end(&w.blind)
			}
		},
		"evict entries' tags": func(w *schemaWorld) { w.lose(w.names.All()...) },
		"evict schema's tags": func(w *schemaWorld) { w.lose(w.names.Schema()...) },
		"read":                func(w *schemaWorld) { w.read(nil) },
		"another reads": func(w *schemaWorld) {
			other := w.foreground(consistency.Config{})
			other.read(1)
		},
		"whole change while the reader looks twice": func(w *schemaWorld) {
			w.read(func() { w.announceChange(); w.version++; w.releaseChange() })
		},
	}
}

func (w *schemaWorld) intend(tags []keying.Tag) *consistency.Write {
	wr, err := w.process(consistency.Config{}).Intend(w.t.Context(), tags)
	require.NoError(w.t, err)
	return wr
}

func (w *schemaWorld) end(wr **consistency.Write) {
	if *wr != nil {
		(*wr).End(w.t.Context(), metrics.Committed)
		*wr = nil
	}
}

func (w *schemaWorld) announceChange() {
	if w.change == nil {
		w.change = w.intend(w.announced(w.names))
	}
}

func (w *schemaWorld) releaseChange() { w.end(&w.change) }

// learn reads the schema, if that may be.
func (w *schemaWorld) learn() {
	pins, err := w.reader.Pin(w.t.Context(), w.names)
	if errors.Is(err, consistency.ErrWriting) {
		return
	}
	require.NoError(w.t, err)
	w.pins, w.known = pins, w.version
}

// read reads row 1 with what the reader has read of the schema, and reads that anew if it must. Something may happen between the
// two steps of the first read.
func (w *schemaWorld) read(meanwhile func()) {
	if meanwhile != nil {
		w.reader.steps.set(&w.reader.steps.onLoad, before(2, func() error { meanwhile(); return nil }))
	}
	version := w.version
	got, err := w.reader.ask(w.t.Context(), consistency.Request{Pins: w.pins}, 1)
	w.reader.steps.set(&w.reader.steps.onLoad, nil)
	if errors.Is(err, consistency.ErrOutdated) {
		w.learn()
		return
	}
	require.NoError(w.t, err)
	if got.outcome != metrics.Bypass && w.known < version {
		w.wrong = true // what it has answered from, or stored, was planned by a schema from before it began
	}
}

// play plays steps, and answers whether the reader never went by a schema that had been changed before.
func (w *schemaWorld) play(names []string) (sound bool) {
	steps := schemaSteps()
	w.learn()
	w.read(nil)
	for _, name := range names {
		steps[name](w)
	}
	w.end(&w.blind)
	w.releaseChange()
	w.read(nil)
	return !w.wrong
}

// schemaHistories hands out all histories of so many steps, but for those in which a writer lives longer than its intent, which
// an eviction ends: see "A writer that sleeps".
func schemaHistories(length int, each func([]string) bool) {
	var names []string
	for name := range schemaSteps() {
		names = append(names, name)
	}
	slices.Sort(names)
	var grow func([]string) bool
	grow = func(so []string) bool {
		if len(so) == length {
			return each(so)
		}
		for _, name := range names {
			if name == "commit" && lapsed(so) {
				continue
			}
			if !grow(append(slices.Clip(so), name)) {
				return false
			}
		}
		return true
	}
	grow(nil)
}

// lapsed reports whether the tags of a change that is under way have been evicted.
func lapsed(steps []string) bool {
	for _, name := range slices.Backward(steps) {
		switch {
		case strings.HasPrefix(name, "evict"):
			return true
		case name == "announce":
			return false
		}
	}
	return false
}

func newSchemaWorld(t *testing.T, announced func(keying.Space) []keying.Tag) *schemaWorld {
	t.Helper()
	w := &schemaWorld{world: newWorldInMemory(t), announced: announced}
	w.commit(10, 1)
	w.reader = w.foreground(consistency.Config{})
	return w
}

// doc.go: a dependency that is not known yet. Whatever happens, in whatever order.
func TestNoReadGoesByASchemaThatWasChangedBeforeItBegan(t *testing.T) {
	t.Parallel()
	schemaHistories(3, func(steps []string) bool {
		w := newSchemaWorld(t, keying.Space.Everything)
		return assertSound(t, w, steps)
	})
}

func assertSound(t *testing.T, w *schemaWorld, steps []string) bool {
	t.Helper()
	sound := w.play(steps)
	if !sound {
		t.Errorf("wrong after: %s", strings.Join(steps, ", "))
	}
	return sound
}

// Each of the two tags is needed.
func TestChangeThatAnnouncesOneOfTheTagsIsNotSeen(t *testing.T) {
	t.Parallel()
	for name, tags := range map[string]func(keying.Space) []keying.Tag{
		"of entries alone": keying.Space.All,
		"of schema alone":  keying.Space.Schema,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := false
			schemaHistories(3, func(steps []string) bool {
				found = !newSchemaWorld(t, tags).play(steps)
				return !found
			})
			require.True(t, found)
		})
	}
}

// A write that drops the tag of all entries has changed no schema: who has read that need not read it again.
func TestSchemaIsReadOnceHoweverOftenEverythingIsWritten(t *testing.T) {
	t.Parallel()
	w := newSchemaWorld(t, keying.Space.Everything)
	w.learn()
	pins := w.pins
	for range 3 {
		blind := w.intend(w.names.All())
		writing, err := w.reader.ask(t.Context(), consistency.Request{Pins: pins}, 1)
		require.NoError(t, err)
		require.Equal(t, metrics.ReasonWriting, writing.reason)
		anew, err := w.reader.Pin(t.Context(), w.names) // the schema may be read meanwhile
		require.NoError(t, err)
		w.end(&blind)
		for _, p := range []*consistency.Pins{pins, anew} {
			_, err := w.reader.ask(t.Context(), consistency.Request{Pins: p}, 1)
			require.NoError(t, err)
			loads := 0
			w.reader.steps.set(&w.reader.steps.onLoad, func() error { loads++; return nil })
			again, err := w.reader.ask(t.Context(), consistency.Request{Pins: p}, 1)
			require.NoError(t, err)
			require.Equal(t, metrics.Hit, again.outcome)
			require.Equal(t, 1, loads, "a hit looks at the schema's tag once after the other has changed, not again")
			w.reader.steps.set(&w.reader.steps.onLoad, nil)
		}
		require.True(t, w.reader.Current(t.Context(), pins))
	}
}
