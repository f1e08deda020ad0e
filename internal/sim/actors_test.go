package sim_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// attempts is how often a read begins again because the schema has changed.
const attempts = 3

// errNoAnswer is the error of a read that the database has refused.
var errNoAnswer = errors.New("the database has not answered")

// lives lets the actors of a process do one thing after another, until the scheduler says that it is enough.
func (p *process) lives() {
	for i := range readers {
		p.act(fmt.Sprint("r", i+1), p.reads)
	}
	p.act("w", p.writesOnce)
}

func (p *process) act(name string, once func(context.Context) error) {
	p.s.gate.acts(1)
	go func() {
		defer p.s.gate.acts(-1)
		ctx := as(p.s.ctx, name)
		for once(ctx) == nil {
		}
	}()
}

// reads is one read. An error means that it is time to end.
func (p *process) reads(ctx context.Context) error {
	var op read
	err := p.s.gate.pass(ctx, &call{p: p, kind: begins, what: "begins to read", do: func() {
		op = p.s.drawRead()
		p.s.judge.begins(p, &op)
	}})
	if err != nil || op.rows == nil {
		return errors.Join(err, errEnd(op.rows == nil))
	}
	got, err := p.read(ctx, &op)
	if err != nil {
		return ignore(err)
	}
	what := fmt.Sprintf("has read %v of rows %v, %d found", got, op.rows, op.found)
	return ignore(p.s.gate.pass(ctx, &call{p: p, kind: returns, what: what, do: func() {
		p.s.run.Hits += op.found
		p.s.judge.reads(p, &op, got)
	}}))
}

// read reads rows as an application does: from the cache, else from the database.
func (p *process) read(ctx context.Context, op *read) (got []int, err error) {
	for range attempts {
		known, err := p.schema(ctx)
		if err != nil {
			return nil, err
		}
		if known == nil {
			break
		}
		op.schema = known.at
		req := op.request
		req.Pins = known.pins
		reading, err := p.Read(ctx, req, func(ctx context.Context, missing []int) ([]consistency.Result, error) {
			rows, err := p.selects(ctx, pick(op.rows, missing))
			results := make([]consistency.Result, len(rows))
			for i, v := range rows {
				results[i] = row(v)
			}
			return results, err
		})
		switch {
		case errors.Is(err, consistency.ErrOutdated):
			p.forget(known)
			continue
		case err != nil:
			return nil, err
		case reading.Outcome == metrics.Bypass:
			return p.bypasses(ctx, op)
		}
		op.cached, op.found = true, reading.Found
		for i := range op.rows {
			if !reading.Payloads[i].Hit {
				got = append(got, int(reading.Results[i].(row)))
				continue
			}
			v, err := strconv.Atoi(reading.Payloads[i].Data)
			if err != nil {
				return nil, err
			}
			got = append(got, v)
		}
		return got, nil
	}
	return p.bypasses(ctx, op)
}

func (p *process) bypasses(ctx context.Context, op *read) ([]int, error) {
	op.cached = false
	return p.selects(ctx, op.rows)
}

// selects reads rows of the database in one statement.
func (p *process) selects(ctx context.Context, rows []int) (got []int, err error) {
	err = p.s.gate.pass(ctx, &call{p: p, kind: selects, what: fmt.Sprint("selects ", rows), do: func() {
		got = p.s.judge.now().of(rows)
	}})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return got, nil
}

// schema returns what the process knows of the schema, or reads it; nil while it is being changed, or the store does not
// answer.
func (p *process) schema(ctx context.Context) (*schema, error) {
	p.mu.Lock()
	known := p.known
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	pins, failed := p.Pin(ctx, p.s.names)
	if failed != nil {
		return nil, nil // the database answers
	}
	known = &schema{pins: pins}
	err := p.s.gate.pass(ctx, &call{p: p, kind: selects, what: "reads the schema", do: func() {
		known.at = p.s.judge.now()[theSchema]
	}})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known = known
	return known, nil
}

func (p *process) forget(known *schema) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == known {
		p.known = nil
	}
}

// writeOf is the key under which the context of a write has it.
type writeOf struct{}

// writesOnce is one transaction. An error means that it is time to end.
func (p *process) writesOnce(ctx context.Context) error {
	var w *write
	err := p.s.gate.pass(ctx, &call{p: p, kind: begins, what: "begins to write", do: func() { w = p.s.drawWrite(p) }})
	if err != nil || w == nil {
		return errors.Join(err, errEnd(w == nil))
	}
	ctx = context.WithValue(ctx, writeOf{}, w)
	announced, _ := p.Intend(ctx, w.tags)
	if announced == nil { // refused
		return nil
	}
	outcome, committed := metrics.InDoubt, false
	commit := &call{p: p, kind: commits, what: "commits " + w.String(), do: func() { committed = p.s.judge.commits(w) }}
	switch err := p.s.gate.pass(ctx, commit); {
	case err == nil && committed:
		outcome = metrics.Committed
	case err == nil, errors.Is(err, errRefused):
		outcome = metrics.RolledBack
	}
	announced.End(ctx, outcome)
	if outcome != metrics.Committed {
		return nil
	}
	p.mu.Lock()
	w.journaled = p.last.Journaled
	p.mu.Unlock()
	return ignore(p.s.gate.pass(ctx, &call{p: p, kind: returns, what: "has written", do: func() { p.s.judge.returns(w) }}))
}

// errOver ends an actor.
var errOver = errors.New("enough")

func errEnd(end bool) error {
	if end {
		return errOver
	}
	return nil
}

// ignore lets an actor go on after an error, unless its process has crashed.
func ignore(err error) error {
	if errors.Is(err, errCrashed) {
		return err
	}
	return nil
}

// row is the answer for one row; 0: there is no such row.
type row int

// Absent implements [consistency.Result].
func (r row) Absent() bool { return r == 0 }

// Append implements [consistency.Result].
func (r row) Append(b []byte) ([]byte, error) { return strconv.AppendInt(b, int64(r), 10), nil }

// entry is that of a row.
func (s *simulation) entry(id int) consistency.Entry {
	key, tags := s.table.RowEntry(s.key(id), "v")
	return consistency.Entry{
		Key: key, Tags: tags[:], AbsentTags: []keying.Tag{s.table.Absent()}, TTL: forever, AbsentTTL: forever,
	}
}

func (s *simulation) key(id int) keying.PrimaryKey {
	k, _ := keying.NewPrimaryKey([]keying.KeyKind{keying.Integer}, id) // a number has a name
	return k
}
