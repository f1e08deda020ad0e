package callbacks

import (
	"database/sql"
	"errors"
	"net"
	"reflect"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/txpool"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// What an error says of a write.

// outcome says what an error that COMMIT, or a statement in autocommit, returned means for what it wrote. In doubt it
// is in doubt: pgx calls an error safe to retry (pgconn.SafeToRetry) if it finds the connection closed, also if that
// was closed while the answer to a COMMIT was waited for.
func outcome(err error, dialect string) metrics.WriteOutcome {
	var dial *net.OpError
	switch {
	case err == nil:
		return metrics.Committed
	case dialect == catalog.SQLite && !errors.Is(err, txpool.ErrPanic): // which is in this process
		return metrics.RolledBack
	case errors.Is(err, sql.ErrTxDone), errors.Is(err, sql.ErrConnDone):
		return metrics.RolledBack // nothing was sent
	case errors.As(err, &dial) && dial.Op == "dial":
		return metrics.RolledBack // nor here
	case verdictOf(err).state != "":
		return verdictOf(err).outcome()
	case strings.Contains(err.Error(), "commit unexpectedly resulted in rollback"), refusedArguments(err.Error()): // pgx
		return metrics.RolledBack
	default:
		return metrics.InDoubt
	}
}

// refusedArguments reports whether an error says that the driver, or database/sql, could not send the arguments.
func refusedArguments(text string) bool {
	for _, prefix := range []string{
		"failed to encode args[", "mismatched param and argument count", "expected ", "insufficient arguments",
		"extra arguments", "unused argument", "invalid arg type", "sql: expected ", "sql: converting argument ",
	} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// A verdict is what the error of a database's server says. Its state is empty if the error is none of a server's.
type verdict struct {
	// state is the SQLSTATE.
	state string
	// fatal is set if PostgreSQL ends the session with it.
	fatal bool
	// number is MySQL's.
	number uint64
}

// stateOf returns the SQLSTATE of a server's error; nothing for any other.
func stateOf(err error) string { return verdictOf(err).state }

// verdictOf reads the fields of the drivers' errors: those of pgx and lib/pq have a severity, MySQL's has its SQLSTATE in a
// field.
func verdictOf(err error) verdict {
	var server interface{ SQLState() string }
	if errors.As(err, &server) {
		return verdict{state: server.SQLState(), fatal: isFatal(reflect.Indirect(reflect.ValueOf(server)))}
	}
	for ; err != nil; err = errors.Unwrap(err) {
		fields := reflect.Indirect(reflect.ValueOf(err))
		if fields.Kind() != reflect.Struct {
			continue
		}
		state, number := fields.FieldByName("SQLState"), fields.FieldByName("Number")
		if !state.IsValid() || state.Type() != reflect.TypeFor[[5]byte]() || !number.IsValid() || !number.CanUint() {
			continue
		}
		text, _ := reflect.TypeAssert[[5]byte](state)
		return verdict{state: string(text[:]), number: number.Uint()}
	}
	return verdict{}
}

// isFatal reports whether an error of PostgreSQL's does not say that it is a mere ERROR, behind which the session goes on.
func isFatal(fields reflect.Value) bool {
	if fields.Kind() != reflect.Struct {
		return true
	}
	for _, name := range []string{"SeverityUnlocalized", "Severity"} {
		if f := fields.FieldByName(name); f.IsValid() && f.Kind() == reflect.String && f.Len() > 0 {
			return f.String() != "ERROR"
		}
	}
	return true
}

// outcome says what a server's error means (PostgreSQL documentation, "PostgreSQL Error Codes"; MySQL Reference Manual,
// "Server Error Message Reference"): it refuses, unless it says that it does not know, or that it is going down.
func (v verdict) outcome() metrics.WriteOutcome {
	if len(v.state) != 5 || v.state == "40003" { // statement_completion_unknown
		return metrics.InDoubt
	}
	doubt := false
	switch class := v.state[:2]; class {
	case "08", "XX", "70": // connection, internal; MySQL: interrupted
		doubt = true
	case "57": // operator intervention
		doubt = strings.HasPrefix(v.state, "57P")
	case "58", "F0": // system, configuration file
		doubt = v.fatal
	case "HY": // MySQL: any error without a state of its own
		doubt = !v.general()
	}
	if doubt {
		return metrics.InDoubt
	}
	return metrics.RolledBack
}

// Errors of MySQL's servers. Beyond their ranges are those of clients, which proxies pass on when they have lost a server,
// and those of proxies and of databases that speak its protocol.
const (
	firstOfServer, lastOfServer = 1000, 1999
	firstOfMySQL, lastOfMySQL   = 3000, 4999

	errUnknown      = 1105 // ER_UNKNOWN_ERROR
	errDuringCommit = 1180 // ER_ERROR_DURING_COMMIT
	errRunHook      = 3100 // ER_RUN_HOOK_ERROR: something that replicates refused to go on, before COMMIT or after it
)

// general reports whether an error of MySQL's with the state of a general error says that the server refused the statement.
func (v verdict) general() bool {
	switch v.number {
	case errUnknown, errDuringCommit, errRunHook:
		return false
	default:
		return firstOfServer <= v.number && v.number <= lastOfServer || firstOfMySQL <= v.number && v.number <= lastOfMySQL
	}
}
