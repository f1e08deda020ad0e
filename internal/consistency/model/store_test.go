package model_test

// What a store holds, and the steps that it takes, as the model has them. TestStoresTakeTheStepsOfTheModel holds the real
// stores to these functions.

const (
	nTags    = 2
	nRows    = 2
	nEntries = 2
	nWriters = 2
	nReaders = 3
)

// Tokens are numbers. What they are called does not matter, only which are the same.
const (
	absent  = 0
	writing = 1
	first   = 2
)

// A mask is a set of tags, rows, entries or writers.
type mask = uint8

// A tag is two keys of the store: the token, and the set of writers.
type tag struct {
	token   uint8
	writers mask
	// names is what a registry's token carries.
	names mask
}

// A stamp is a token and a history; zero: none.
type stamp struct{ token, history uint8 }

// An entry as it is stored.
type entry struct {
	stored bool
	value  [nRows]uint8
	stamps [nTags]stamp
}

// A memory is what a store holds.
type memory struct {
	tags    [nTags]tag
	entries [nEntries]entry
}

// A rule is how a store differs from the right one.
type rule struct {
	slot        bool // one writer instead of a set: the last one
	open        bool // tokens are made while somebody writes
	keepsTokens bool // a release leaves a token that was made meanwhile
	counts      bool // tokens are counted, from one; names holds the counter
}

// mint is mint.lua for one tag; fresh is the token that is made if one has to be.
func (r rule) mint(t *tag, fresh uint8) uint8 {
	switch {
	case t.token >= first:
		return t.token
	case t.writers != 0 && !r.open:
		return writing
	case r.counts:
		t.names++
		t.token = first - 1 + t.names
		return t.token
	}
	t.token, t.names = fresh, 0
	return t.token
}

// declare is declare.lua for names of which a registry takes so many.
func (r rule) declare(t *tag, names mask, most int, fresh uint8) uint8 {
	switch {
	case t.token < first && t.writers != 0:
		return writing
	case t.token < first:
		t.names = 0
	}
	had, changed := t.names, t.token < first
	for name := range 8 {
		if bit := mask(1) << name; names&bit != 0 && had&bit == 0 && count(t.names) < most {
			t.names |= bit
			changed = true
		}
	}
	if changed {
		t.token = fresh
	}
	return t.token
}

// intend is intend.lua for one tag.
func (r rule) intend(t *tag, writer int) {
	t.token = writing
	if r.slot {
		t.writers = 0
	}
	t.writers |= 1 << writer
	r.forget(t)
}

// release is release.lua for one tag.
func (r rule) release(t *tag, writer int) {
	t.writers &^= 1 << writer
	switch {
	case t.writers != 0:
		t.token = writing
	case r.keepsTokens && t.token >= first:
	default:
		t.token = absent
	}
	r.forget(t)
}

// forget drops what the token has carried.
func (r rule) forget(t *tag) {
	if !r.counts {
		t.names = 0
	}
}

// lapse is the time of an intent that is over. The mark may be left: it goes when the time of the longest intent is over
// that was there when somebody was released.
func lapse(t *tag, writer int, lingers bool) {
	t.writers &^= 1 << writer
	if t.writers == 0 && t.token == writing && !lingers {
		t.token = absent
	}
}

// evictToken and evictWriters are what happens to a key when memory is short.
func evictToken(t *tag) { t.token, t.names = absent, 0 }

func evictWriters(t *tag) { t.writers = 0 }

func count(m mask) (n int) {
	for ; m != 0; m &= m - 1 {
		n++
	}
	return n
}
