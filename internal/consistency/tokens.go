package consistency

import (
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
	if t.tags == nil {
		t.tags = make([]keying.Tag, 0, max(len(tags), fewTags))
	}
	for _, tag := range tags {
		if t.find(tag) >= 0 {
			continue
		}
		t.tags = append(t.tags, tag)
		if len(t.tags) == fewTags+1 {
			t.at = make(map[keying.Tag]int, 4*fewTags)
			for i, tag := range t.tags {
				t.at[tag] = i
			}
		} else if t.at != nil {
			t.at[tag] = len(t.tags) - 1
		}
	}
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

// stamps returns the stamps of tags; complete is false if one of them has no token.
func (t *tokens) stamps(tags []keying.Tag) (stamps []stamp, complete bool, err error) {
	stamps = make([]stamp, len(tags))
	complete = true
	for i, tag := range tags {
		v := t.value(tag)
		if !v.Found {
			complete = false
			continue
		}
		if stamps[i], err = stampOf(v); err != nil {
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
