package metrics

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Finding is what an [Advice] is about.
type Finding string

// The findings.
const (
	// DiesUnread: most entries are made unservable by a write before they have been read as often as stored.
	DiesUnread Finding = "dies_unread"
	// EndsUnchanged: most entries are read until their time to live is over, and are then stored again though nothing they
	// depend on was written.
	EndsUnchanged Finding = "ends_unchanged"
)

// An Advice says that entries of one kind, of one table, are not worth what they cost, or could be kept for longer, and what
// to do. It counts entries, not statements: a lookup of fifty rows is fifty reads.
type Advice struct {
	Table   string
	Kind    Kind
	Finding Finding
	// Reads is how many entries were asked for, Hits, how many of them were in the store, and Fills, for how many the
	// database was asked, to store them.
	Reads, Hits, Fills int64
	// DiedByWrite counts entries that were written before they were asked for again, and reads that stored nothing because
	// of writes. DiedByTTL counts those that were not in the store though what they depend on had not been written: their time
	// was over, or Redis had evicted them, or, of lists, nobody had asked for them before.
	DiedByWrite, DiedByTTL int64
	// TTL is the time to live of one of them.
	TTL time.Duration
	// Recommendation is a sentence for people.
	Recommendation string
}

// String returns the advice as one line.
func (a Advice) String() string {
	return fmt.Sprintf("%s, %s: %d reads, %d hits, %d fills; %d died by a write, %d by their time to live (%v): %s",
		a.Table, a.Kind, a.Reads, a.Hits, a.Fills, a.DiedByWrite, a.DiedByTTL, a.TTL.Round(time.Second), a.Recommendation)
}

// An Advisor is a Recorder that counts what becomes of entries, by table and kind. The zero Advisor is ready. Its memory is
// bounded, and a hit costs it one atomic addition, and two at the end of an entry's time.
type Advisor struct {
	Nop

	mu      sync.Mutex // of those who add a tally
	tallies atomic.Pointer[map[subject]*tally]
}

var _ Recorder = (*Advisor)(nil)

// subject is what is counted together.
type subject struct {
	table string
	kind  Kind
}

// tally counts entries.
type tally struct {
	hits, late, shared, fills, busy, written, ended, ttl atomic.Int64
}

const (
	// maxSubjects bounds what is told apart. What comes on top is not counted.
	maxSubjects = 1024
	// fewFills says little.
	fewFills = 50
	// longTTL is not worth making longer.
	longTTL = 12 * time.Hour
)

// Read implements [Recorder].
func (a *Advisor) Read(e ReadEvent) {
	if e.Outcome == Bypass && e.Reason != ReasonWriting && e.Reason != ReasonChurn {
		return
	}
	t := a.of(subject{e.Table, e.Kind})
	if t == nil {
		return
	}
	if e.Outcome == Bypass {
		t.busy.Add(1)
		return
	}
	if e.Found > 0 {
		t.hits.Add(int64(e.Found))
		if e.Age > e.TTL-e.TTL/10 {
			t.late.Add(1)
		}
	}
	switch others := int64(e.Entries - e.Found); {
	case others == 0: // the usual case
	case e.Joined: // by who reads the database all this is counted
		t.shared.Add(others)
	default:
		t.fills.Add(others)
		t.written.Add(int64(e.Written))
		t.ended.Add(int64(e.Ended))
		t.ttl.Store(int64(e.TTL))
	}
}

// of returns the tally of a subject; nil if there are too many.
func (a *Advisor) of(s subject) *tally {
	if known := a.tallies.Load(); known != nil {
		if t := (*known)[s]; t != nil || len(*known) >= maxSubjects {
			return t
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	more := map[subject]*tally{}
	if known := a.tallies.Load(); known != nil {
		if t := (*known)[s]; t != nil {
			return t
		}
		more = maps.Clone(*known)
	}
	t := &tally{}
	s.table = strings.Clone(s.table)
	more[s] = t
	a.tallies.Store(&more)
	return t
}

// Advice returns what can be said so far, the entries that are stored most often first.
func (a *Advisor) Advice() []Advice {
	known := a.tallies.Load()
	if known == nil {
		return nil
	}
	var all []Advice
	for s, t := range *known {
		if advice, ok := t.advise(s); ok {
			all = append(all, advice)
		}
	}
	slices.SortFunc(all, func(a, b Advice) int {
		return cmp.Or(-cmp.Compare(a.Fills, b.Fills), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Kind, b.Kind))
	})
	return all
}

// advise judges one kind of one table.
func (t *tally) advise(s subject) (Advice, bool) {
	a := Advice{
		Table: s.table, Kind: s.kind, Hits: t.hits.Load(), Fills: t.fills.Load(), DiedByWrite: t.written.Load() + t.busy.Load(),
		DiedByTTL: t.ended.Load(), TTL: time.Duration(t.ttl.Load()),
	}
	a.Reads = a.Hits + a.Fills + t.shared.Load() + t.busy.Load()
	misses := a.Fills + t.busy.Load()
	if misses < fewFills {
		return a, false
	}
	switch late := t.late.Load(); {
	case 2*a.DiedByWrite > misses && a.Hits < misses:
		a.Finding, a.Recommendation = DiesUnread, diesUnread(s)
	case 2*a.DiedByTTL > misses && a.Hits >= misses && 20*late >= a.Hits && a.TTL < longTTL:
		a.Finding, a.Recommendation = EndsUnchanged, endsUnchanged(s)
	default:
		return a, false
	}
	return a, true
}

// field returns the field of ttlconfig.Policy that is about a kind.
func field(k Kind) string {
	switch k {
	case Row:
		return "RowTTL"
	case Count:
		return "CountTTL"
	default:
		return "ListTTL"
	}
}

func diesUnread(s subject) string {
	off := fmt.Sprintf("turn them off (%s: ttlconfig.Off), or give them little time (ttlconfig.Volatile)", field(s.kind))
	if s.kind == Row {
		return "rows are written about as often as they are read: " + off
	}
	return "writes make them unservable before they are of use: give the column by which they are looked up a tag of its " +
		"own (TagColumns; Explain says why a tag is not finer), else " + off
}

func endsUnchanged(s subject) string {
	return fmt.Sprintf("nothing writes them while they are read: give them a longer time (%s, or ttlconfig.Static), if no "+
		"other program writes the table", field(s.kind))
}
