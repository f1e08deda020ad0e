package callbacks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/outbox"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/internal/txpool"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// leaveTimeout bounds how long a write waits for its row in the outbox.
const leaveTimeout = 10 * time.Second

// newRelay returns what relays the outbox of a database; nil, if there is none.
func (d *database) newRelay() *outbox.Relay {
	db, ok := d.pool.(*sql.DB)
	if !ok || !d.h.opt.Outbox {
		return nil
	}
	return outbox.NewRelay(outbox.Options{
		DB: db, Dialect: d.dialect, Tell: d.h.opt.Protocol.Relay, Logger: d.h.opt.Logger,
		Refuses: func() bool { return d.h.opt.Protocol.Unusable() != "" },
		Space:   d.space,
		OnChange: func(open bool, table string) {
			d.h.opt.Recorder.State(metrics.StateEvent{State: metrics.OutboxOpen, On: open, Detail: table})
		},
	})
}

// space is what the names of the database's tags begin with; empty if that is not known yet.
func (d *database) space() string {
	if id := d.identity.Load(); id != nil {
		return id.names.Prefix()
	}
	return ""
}

// locateOutbox makes sure that there is an outbox. One that cannot be asked for now is asked for later.
func (d *database) locateOutbox(ctx context.Context) error {
	if !d.h.opt.Outbox {
		return nil
	}
	if d.relay == nil {
		return fmt.Errorf("%w: it is relayed through a *sql.DB, and the handle has %T", outbox.ErrDialect, d.pool)
	}
	_, err := d.relay.Table(ctx)
	if errors.Is(err, outbox.ErrMissing) || errors.Is(err, outbox.ErrDialect) {
		return err
	}
	if err != nil {
		d.h.opt.Logger.WarnContext(ctx, "rediscache: the outbox could not be looked for; writes are journaled until it is found",
			"error", err)
	}
	return nil
}

// leave puts what the store could not be told of the writes into the outbox, by a function that adds it. An error means that
// they must not be committed.
func (d *database) leave(
	ctx context.Context, writes []*consistency.Write, add func(context.Context, *outbox.Table, []keying.Tag) error,
) error {
	if d.relay == nil {
		return nil
	}
	var tags []keying.Tag
	for _, w := range writes {
		tags = append(tags, w.Untold()...)
	}
	if len(tags) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	err := errOutbox
	if t := d.relay.Found(); t != nil {
		err = add(ctx, t, tags)
	}
	switch {
	case errors.Is(err, outbox.ErrLost):
		return err
	case err != nil:
		d.h.opt.Logger.WarnContext(ctx, "rediscache: a write is journaled: the outbox did not take it", "error", err)
		return nil
	}
	for _, w := range writes {
		if len(w.Untold()) > 0 {
			w.Left()
		}
	}
	return nil
}

// errOutbox is why a write is journaled although there may be an outbox. The relay looks for it: a write, which may hold the
// only connection, does not wait for another one.
var errOutbox = errors.New("it was not found yet")

// leaveIn does so in a transaction that is about to commit.
func (d *database) leaveIn(ctx context.Context, tx txpool.Execer, writes ...*consistency.Write) error {
	return d.leave(ctx, writes, func(ctx context.Context, t *outbox.Table, tags []keying.Tag) error {
		return t.Leave(ctx, tx, d.space(), tags)
	})
}

// leaveAfter does so when a statement was carried out that could not be put into a transaction of the plugin's own, or is in
// one whose end is not seen. On a connection that the application holds nothing is done that it did not ask for.
func (s *shim) leaveAfter(st *statement, w *consistency.Write) {
	switch {
	case w == nil || s.pinned():
	case s.inTransaction():
		_ = st.d.leaveIn(st.ctx, unprepared(s.ConnPool), w) // its COMMIT will tell
	default:
		_ = st.d.leave(st.ctx, []*consistency.Write{w}, func(ctx context.Context, t *outbox.Table, tags []keying.Tag) error {
			return t.Add(ctx, unprepared(s.ConnPool), st.d.space(), tags)
		})
	}
}

// leaves reports whether a statement in autocommit needs a transaction of the plugin's own, as the outbox has to know of it,
// and can be in one.
func (s *shim) leaves(st *statement, w *autocommit) bool {
	if st.d.relay == nil || w.write == nil || s.inTransaction() || len(w.write.Untold()) == 0 {
		return false
	}
	if st.p == nil || len(st.p.script.Parts) != 1 {
		return false
	}
	class := st.p.script.Parts[0].Class
	return class == sqltext.Change || class == sqltext.Query
}

// leaving carries out a statement in autocommit, with its row for the outbox, in a transaction of the plugin's own. It
// answers done if it has.
func (s *shim) leaving(st *statement, w *autocommit, run func(tx gorm.ConnPool) error) (done bool, err error) {
	pool, ok, err := s.begin(st.ctx, st.d)
	if !ok && err == nil {
		return false, nil
	}
	end := metrics.InDoubt // if the driver panics
	defer func() {
		if done {
			w.end(st, end)
		}
	}()
	if err != nil {
		end = metrics.RolledBack
		return true, err
	}
	tx, ok := pool.(gorm.TxCommitter)
	if !ok {
		end = metrics.RolledBack
		return true, gorm.ErrInvalidTransaction
	}
	if err = run(pool); err == nil {
		err = st.d.leaveIn(st.ctx, pool, w.write)
	}
	if err != nil {
		_ = tx.Rollback() // the error that counts is the statement's
		end = metrics.RolledBack
		return true, err
	}
	err = tx.Commit()
	end = outcome(err, st.d.dialect)
	return true, err
}

// execLeaving is leaving for a statement that returns no rows.
func (s *shim) execLeaving(st *statement, w *autocommit) (result sql.Result, done bool, err error) {
	done, err = s.leaving(st, w, func(tx gorm.ConnPool) (err error) {
		result, err = tx.ExecContext(st.ctx, st.text, st.args...)
		return err
	})
	if err != nil {
		return nil, done, err
	}
	return result, done, nil
}

// queryLeaving is leaving for a statement that returns rows: all of them are read before it is committed.
func (s *shim) queryLeaving(st *statement, w *autocommit) (rows *sql.Rows, done bool, err error) {
	var set *rowcodec.Set
	done, err = s.leaving(st, w, func(tx gorm.ConnPool) error {
		live, err := tx.QueryContext(st.ctx, st.text, st.args...)
		if err != nil {
			return err
		}
		defer live.Close()
		set, _, err = s.h.player.Capture(live, rowcodec.Limits{Rows: math.MaxInt, Bytes: math.MaxInt})
		return err
	})
	if err != nil || !done {
		return nil, done, err
	}
	rows, err = s.h.player.Rows(rowcodec.Playback{Set: set})
	return rows, true, err
}

// Outbox returns how many rows there were in the outboxes when they were last looked at, and for how long the oldest of
// them had been there.
func (h *Hooks) Outbox() (rows int, age time.Duration) {
	found := map[[2]string]int{} // several pools may lead to one
	h.databases.Range(func(_, d any) bool {
		if d, ok := d.(*database); ok && d.relay != nil && d.relay.Found() != nil {
			s, key := d.relay.State(), [2]string{d.space(), d.relay.Found().Name()}
			found[key], age = max(found[key], s.Rows), max(age, s.Age)
		}
		return true
	})
	for _, n := range found {
		rows += n
	}
	return rows, age
}

// Relay looks into the outboxes now, in the background: the store answers again.
func (h *Hooks) Relay() {
	h.databases.Range(func(_, d any) bool {
		if d, ok := d.(*database); ok && d.relay != nil {
			d.relay.Wake()
		}
		return true
	})
}

// Drain looks into the outboxes once more, until the context is over.
func (h *Hooks) Drain(ctx context.Context) {
	h.databases.Range(func(_, d any) bool {
		if d, ok := d.(*database); ok && d.relay != nil && d.relay.Found() != nil && ctx.Err() == nil {
			d.relay.Pass(ctx)
		}
		return true
	})
}
