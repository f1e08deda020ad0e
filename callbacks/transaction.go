package callbacks

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strings"
	"sync"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// A transaction collects what statements change in one database transaction, and announces it when it commits. A
// rollback announces nothing; one to a savepoint leaves what was collected: one tag too many is only a miss.
type transaction struct {
	d   *database
	id  *identity
	ctx context.Context //nolint:containedctx // for its values: COMMIT has no context of its own

	mu      sync.Mutex
	effects effects
	// definition is set if the catalog is changed.
	definition bool
	write      *consistency.Write
}

// touch adds to what the transaction changes.
func (t *transaction) touch(add func(*effects), definition bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	add(&t.effects)
	t.definition = t.definition || definition
}

// BeforeCommit implements txpool.Observer.
func (t *transaction) BeforeCommit() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.effects.empty() {
		return nil
	}
	var err error
	t.write, err = t.d.h.opt.Protocol.Intend(t.ctx, t.effects.tags(t.id))
	return err
}

// Committed implements txpool.Observer.
func (t *transaction) Committed(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.definition {
		t.d.changed()
	}
	if t.write != nil {
		t.write.End(t.ctx, outcome(err, t.d.dialect))
	}
}

// RolledBack implements txpool.Observer.
func (t *transaction) RolledBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.definition {
		t.d.changed() // what was learned within it has not come to be
	}
}

// outcome says what an error that COMMIT, or a statement in autocommit, returned means for what it wrote. In doubt it
// is in doubt: pgx calls an error safe to retry (pgconn.SafeToRetry) if it finds the connection closed, also if that
// was closed while the answer to a COMMIT was waited for.
func outcome(err error, dialect string) metrics.WriteOutcome {
	var dial *net.OpError
	var server interface{ SQLState() string }
	switch {
	case err == nil:
		return metrics.Committed
	case dialect == catalog.SQLite: // which is in this process
		return metrics.RolledBack
	case errors.Is(err, sql.ErrTxDone), errors.Is(err, sql.ErrConnDone):
		return metrics.RolledBack // nothing was sent
	case errors.As(err, &dial) && dial.Op == "dial":
		return metrics.RolledBack // nor here
	case errors.As(err, &server):
		return outcomeOf(server.SQLState())
	case strings.Contains(err.Error(), "commit unexpectedly resulted in rollback"): // pgx
		return metrics.RolledBack
	default:
		return metrics.InDoubt
	}
}

// outcomeOf says what a server's error means (PostgreSQL documentation, "PostgreSQL Error Codes"): it refuses, unless
// it says that it does not know, or that it is going down.
func outcomeOf(state string) metrics.WriteOutcome {
	if len(state) != 5 || state == "40003" { // statement_completion_unknown
		return metrics.InDoubt
	}
	switch state[:2] {
	case "08", "58", "XX", "F0": // connection, system, internal, configuration file
		return metrics.InDoubt
	case "57":
		if strings.HasPrefix(state, "57P") { // operator intervention
			return metrics.InDoubt
		}
	}
	return metrics.RolledBack
}
