package memstore

import (
	"container/list"
	"encoding/binary"
	"strings"
	"time"

	"github.com/gorm-rediscache/rediscache/store"
)

// An item is an entry or a token.
type item struct {
	key, data string
	until     time.Duration
}

// What an item or a writer is estimated to cost besides its strings: its place in a map and in a list.
const (
	itemCost   = 160
	writerCost = 128
)

func (i *item) cost() int { return len(i.key) + len(i.data) + itemCost }

// get returns what a key holds: [store.Writing] while it is the token of a tag with writers.
func (s *Store) get(key string) (data string, found bool) {
	if s.writing(key) {
		return store.Writing, true
	}
	at, ok := s.items[key]
	if !ok {
		return "", false
	}
	it := at.Value.(*item) //nolint:forcetypeassert // only items are in it
	if it.until <= s.clock() {
		s.remove(at)
		return "", false
	}
	s.used.MoveToFront(at)
	return it.data, true
}

// set stores an item, and lets others go if there is no room.
func (s *Store) set(key, data string, ttl time.Duration) {
	s.drop(key)
	if ttl <= 0 {
		return
	}
	it := &item{key: strings.Clone(key), data: data, until: s.clock() + ttl}
	s.items[it.key] = s.used.PushFront(it)
	s.bytes += it.cost()
	s.shrink()
}

// drop forgets what a key holds, if it holds something.
func (s *Store) drop(key string) {
	if at, ok := s.items[key]; ok {
		s.remove(at)
	}
}

func (s *Store) remove(at *list.Element) {
	it := s.used.Remove(at).(*item) //nolint:forcetypeassert // only items are in it
	delete(s.items, it.key)
	s.bytes -= it.cost()
}

// shrink evicts what has not been used for longest, until the rest fits. A token that goes is another one when it is minted
// again, so nothing that depended on it is served any more. Writers stay: without them, a token could be minted, and an
// answer stored, that a write which is under way makes old.
func (s *Store) shrink() {
	for s.bytes > s.max && s.used.Len() > 0 {
		s.remove(s.used.Back())
	}
}

// newToken returns a token that was never made before: the first half of the given one, which is random, and a number that
// only rises. So a mint that is carried out again makes another one.
func (s *Store) newToken(given string) string {
	s.minted++
	token := make([]byte, store.TokenSize)
	copy(token[:store.TokenSize/2], given)
	binary.LittleEndian.PutUint64(token[store.TokenSize/2:], s.minted)
	return string(token)
}
