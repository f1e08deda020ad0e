package memstore

import (
	"strings"
	"time"
)

// writers are those who are about to write a tag, each until its intent lapses.
type writers map[string]time.Duration

// minSweep is how many tags are written at least before lapsed writers are looked for.
const minSweep = 1024

// join makes somebody one of the writers of a tag. An intent that is renewed does not end sooner.
func (s *Store) join(key, writer string, ttl time.Duration) {
	s.sweep()
	w, ok := s.writers[key]
	if !ok {
		key = strings.Clone(key)
		w = make(writers, 1)
		s.writers[key] = w
		s.bytes += len(key) + writerCost
	}
	before, ok := w[writer]
	if !ok {
		s.bytes += len(writer) + writerCost
	}
	w[writer] = max(before, s.clock()+ttl)
}

// leave ends an intent.
func (s *Store) leave(key, writer string) {
	w, ok := s.writers[key]
	if !ok {
		return
	}
	s.forget(w, writer)
	s.tidy(key, w)
}

// writing reports whether a tag has writers whose intent has not lapsed.
func (s *Store) writing(key string) bool {
	w, ok := s.writers[key]
	if !ok {
		return false
	}
	now := s.clock()
	for writer, until := range w {
		if until > now {
			return true
		}
		s.forget(w, writer)
	}
	s.tidy(key, w)
	return false
}

// forget removes a writer, if it is one.
func (s *Store) forget(w writers, writer string) {
	if _, ok := w[writer]; ok {
		delete(w, writer)
		s.bytes -= len(writer) + writerCost
	}
}

// tidy removes a set without writers.
func (s *Store) tidy(key string, w writers) {
	if len(w) == 0 {
		delete(s.writers, key)
		s.bytes -= len(key) + writerCost
	}
}

// sweep looks, now and then, for writers that have died and that nobody asks for: after as many tags as it has left, so
// that it costs each of them the same.
func (s *Store) sweep() {
	if s.unswept++; s.unswept < s.nextSweep {
		return
	}
	for key := range s.writers {
		s.writing(key)
	}
	s.unswept, s.nextSweep = 0, max(minSweep, len(s.writers))
}
