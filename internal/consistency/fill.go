package consistency

import (
	"context"
	"time"

	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// A fill is an answer on its way into the store.
type fill struct {
	table  string
	kind   metrics.Kind
	entry  *Entry
	result Result
	stamps []stamp
	ttl    time.Duration
}

// fills pairs the results of a load with the entries that were missing.
func (r *read) fills(results []Result) []fill {
	fills := make([]fill, 0, len(results))
	for n, i := range r.missing {
		e := &r.entries[i]
		f := fill{
			table: r.table, kind: r.kind, entry: e, result: results[n], stamps: r.stamps[i], ttl: e.AbsentTTL,
		}
		if !results[n].Absent() {
			f.stamps, f.ttl = r.stamps[i][:len(e.Tags)], e.TTL
		}
		if f.ttl > 0 {
			fills = append(fills, f)
		}
	}
	return fills
}

// event tells what became of it.
func (f fill) event(result metrics.FillResult) metrics.FillEvent {
	return metrics.FillEvent{Table: f.table, Kind: f.kind, Key: string(f.entry.Key), Entries: 1, Result: result}
}

// fill is R6: it stores answers off the caller's path, unless nothing may be done there. Times to live are counted from
// before the database was read.
//
// A reader that looked just before an answer was stored may ask for its flight just after: between its R1 and its R5
// there is at most one step, R4. So an answer can be joined for as long as that after it was stored, and a program
// that reads twice in a row reads the database once.
func (p *Protocol) fill(ctx context.Context, fills []fill, at span, landed func()) {
	if len(fills) == 0 { // none of it is to be kept
		landed()
		return
	}
	if p.cfg.Foreground {
		p.put(ctx, fills, at)
		landed() // a reader that comes now finds what is stored
		return
	}
	select {
	case p.fills <- struct{}{}:
	default:
		landed()
		event := fills[0].event(metrics.Dropped)
		event.Entries = len(fills)
		p.cfg.Recorder.Fill(event)
		return
	}
	begun := p.spawn(func() {
		defer func() { <-p.fills }()
		stored := false
		defer func() { // also when it panics
			if !stored {
				landed()
			}
		}()
		if stored = p.put(ctx, fills, at); stored {
			time.AfterFunc(p.cfg.Timeout, landed)
		}
	})
	if !begun {
		<-p.fills
		landed()
	}
}

// put stores answers, and reports whether all of them are stored.
func (p *Protocol) put(ctx context.Context, fills []fill, at span) bool {
	entries := make([]store.Entry, 0, len(fills))
	size := 0
	for _, f := range fills {
		entry, result := p.prepare(f, at)
		if result != metrics.Stored {
			event := f.event(result)
			event.Bytes = len(entry.Data)
			p.cfg.Recorder.Fill(event)
			continue
		}
		size += len(entry.Data)
		entries = append(entries, entry)
	}
	if len(entries) == 0 {
		return false
	}
	ctx, cancel := p.background(ctx)
	defer cancel()
	start := time.Now()
	event := fills[0].event(metrics.Stored)
	event.Key, event.Entries, event.Bytes = string(entries[0].Key), len(entries), size
	if err := p.cfg.Store.Put(ctx, entries); err != nil {
		event.Result = metrics.FillError
	}
	event.Duration = time.Since(start)
	p.cfg.Recorder.Fill(event)
	return event.Result == metrics.Stored && len(entries) == len(fills)
}

// prepare makes an answer ready to be stored, or says why it cannot be.
func (p *Protocol) prepare(f fill, at span) (store.Entry, metrics.FillResult) {
	e := store.Entry{Key: f.entry.Key, TTL: f.ttl}
	at.ttl = e.TTL
	if e.TTL -= time.Since(at.read); e.TTL < time.Millisecond { // the store's unit
		return e, metrics.Expired
	}
	var err error
	e.Data, err = p.seal(nil, f.entry.Key, f.result, at, f.stamps)
	switch {
	case err != nil:
		return e, metrics.Unstable
	case len(e.Data) > p.cfg.MaxEntry:
		return e, metrics.TooLarge
	default:
		return e, metrics.Stored
	}
}
