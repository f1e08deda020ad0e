package callbacks

import (
	"cmp"
	"strings"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// cause says what made the statement.
func (s *shim) cause() metrics.Cause {
	switch s.use {
	case creating:
		return metrics.CauseCreate
	case updating:
		return metrics.CauseUpdate
	case deleting:
		return metrics.CauseDelete
	case scanned, rowScanned, handedOut, written:
	}
	return metrics.CauseRaw
}

// because notes a cause of everything.
func (e *effects) because(c metrics.Cause) { e.cause = both(e.cause, c) }

// both returns the cause of what has two, of which one may be none.
func both(a, b metrics.Cause) metrics.Cause {
	switch {
	case a == "":
		return b
	case b == "", a == b:
		return a
	default:
		return metrics.CauseSeveral
	}
}

// causes says why tables have changed, by the names that they have in tags.
func (e *effects) causes() map[string]metrics.Cause {
	if e.everything {
		return map[string]metrics.Cause{"": e.cause}
	}
	causes := make(map[string]metrics.Cause, len(e.tables))
	if len(e.elsewhere) > 0 {
		causes[""] = e.cause
	}
	for t, x := range e.tables {
		_, name, _ := strings.Cut(t.List().String(), ":")
		causes[name] = cmp.Or(x.cause, metrics.CauseUnknown)
	}
	return causes
}

// changed returns the effect on a table, with a cause.
func (e *effects) changed(t *keying.Table, c metrics.Cause) *effect {
	x := e.of(t)
	x.cause = both(x.cause, c)
	return x
}

// outdated is why everything is announced by who did not know what it was doing.
func outdated() map[string]metrics.Cause { return map[string]metrics.Cause{"": metrics.CauseSchema} }
