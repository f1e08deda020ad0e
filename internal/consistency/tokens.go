package consistency

import (
	"slices"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// tokens holds what was found under the tags of a read: each tag once.
type tokens struct {
	tags   []keying.Tag
	values []store.Value
	at     map[keying.Tag]int // only if there are many
}

// fewTags is how many tags are looked for one by one.
const fewTags = 8

func (t *tokens) add(tags ...keying.Tag) {
	for _, tag := range tags {
		t.place(tag)
	}
}

// place adds a tag, and returns where its token will be.
func (t *tokens) place(tag keying.Tag) int {
	if i := t.find(tag); i >= 0 {
		return i
	}
	if t.tags == nil {
		t.tags = make([]keying.Tag, 0, fewTags)
	}
	at := len(t.tags)
	t.tags = append(t.tags, tag)
	if at == fewTags {
		t.at = make(map[keying.Tag]int, 4*fewTags)
		for i, tag := range t.tags {
			t.at[tag] = i
		}
	} else if t.at != nil {
		t.at[tag] = at
	}
	return at
}

func (t *tokens) find(tag keying.Tag) int {
	if t.at != nil {
		if i, ok := t.at[tag]; ok {
			return i
		}
		return -1
	}
	for i := range t.tags {
		if t.tags[i] == tag {
			return i
		}
	}
	return -1
}

// value returns what was found under a tag that was added.
func (t *tokens) value(tag keying.Tag) store.Value { return t.values[t.find(tag)] }

// writing reports whether a tag is being written.
func (t *tokens) writing() bool {
	for i := range t.values {
		if t.values[i].Data == store.Writing {
			return true
		}
	}
	return false
}

// forget takes what was found in place of a token, and is none, for nothing: to mint replaces it. Somebody else has written
// there, which is reported.
func (t *tokens) forget(report func(keying.Tag)) {
	for i := range t.values {
		if v := &t.values[i]; v.Found && len(v.Data) < stampSize && v.Data != store.Writing {
			*v = store.Value{}
			report(t.tags[i])
		}
	}
}

// stamps returns the stamps of tags; complete is false if one of them has no token.
func (t *tokens) stamps(tags []keying.Tag) (stamps []stamp, complete bool, err error) {
	at := make([]int, len(tags))
	for i, tag := range tags {
		at[i] = t.find(tag)
	}
	return t.stampsAt(make([]stamp, 0, len(tags)), at)
}

// stampsAt appends the stamps of the tags at some places to none, which it uses the room of.
func (t *tokens) stampsAt(none []stamp, at []int) (stamps []stamp, complete bool, err error) {
	stamps = slices.Grow(none, len(at))[:len(none)+len(at)]
	clear(stamps[len(none):])
	complete = true
	for i := range at {
		v := &t.values[at[i]]
		if !v.Found {
			complete = false
			continue
		}
		if stamps[i], err = stampOf(*v); err != nil {
			return nil, false, err
		}
	}
	return stamps, complete, nil
}

// missing returns a request for a token of each tag that has none.
func (t *tokens) missing() (mints []store.Mint, at []int) {
	for i, tag := range t.tags {
		if t.values[i].Found {
			continue
		}
		ttl := tableTokenTTL
		if tag.IsFine() {
			ttl = fineTokenTTL
		}
		mints = append(mints, store.Mint{Tag: tag, Token: random(stampSize), TTL: ttl})
		at = append(at, i)
	}
	return mints, at
}
