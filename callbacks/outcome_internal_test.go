package callbacks

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/txpool"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// Only what may have been carried out, or may be later, is in doubt.
func TestOutcomeOfErrors(t *testing.T) {
	t.Parallel()
	pg := func(severity, code string) error { return &pgconn.PgError{SeverityUnlocalized: severity, Code: code} }
	my := func(number uint16, state string) error {
		return &mysql.MySQLError{Number: number, SQLState: [5]byte([]byte(state))}
	}
	for _, c := range []struct {
		err     error
		dialect string
		want    metrics.WriteOutcome
	}{
		{nil, catalog.Postgres, metrics.Committed},
		{pg("ERROR", "23505"), catalog.Postgres, metrics.RolledBack},
		{pg("ERROR", "58P01"), catalog.Postgres, metrics.RolledBack}, // COPY of a file that is not there
		{pg("FATAL", "58030"), catalog.Postgres, metrics.InDoubt},
		{pg("", "58030"), catalog.Postgres, metrics.InDoubt}, // nobody says how grave it is
		{pg("ERROR", "F0000"), catalog.Postgres, metrics.RolledBack},
		{pg("ERROR", "57014"), catalog.Postgres, metrics.RolledBack}, // canceled
		{pg("FATAL", "57P01"), catalog.Postgres, metrics.InDoubt},    // shut down
		{pg("ERROR", "08006"), catalog.Postgres, metrics.InDoubt},    // a proxy has lost the server
		{pg("ERROR", "XX000"), catalog.Postgres, metrics.InDoubt},
		{pg("ERROR", "40003"), catalog.Postgres, metrics.InDoubt},
		{fmt.Errorf("commit: %w", errors.Join(pg("ERROR", "58P01"), io.EOF)), catalog.Postgres, metrics.RolledBack},
		{my(1364, "HY000"), catalog.MySQL, metrics.RolledBack}, // no default
		{my(1644, "HY000"), catalog.MySQL, metrics.RolledBack}, // SIGNAL
		{my(1205, "HY000"), catalog.MySQL, metrics.RolledBack}, // lock wait timeout
		{my(3819, "HY000"), catalog.MySQL, metrics.RolledBack}, // CHECK
		{my(4025, "23000"), catalog.MySQL, metrics.RolledBack}, // CHECK, of MariaDB
		{my(1213, "40001"), catalog.MySQL, metrics.RolledBack}, // deadlock
		{my(1105, "HY000"), catalog.MySQL, metrics.InDoubt},    // unknown
		{my(1180, "HY000"), catalog.MySQL, metrics.InDoubt},    // during COMMIT
		{my(3100, "HY000"), catalog.MySQL, metrics.InDoubt},    // replication
		{my(2013, "HY000"), catalog.MySQL, metrics.InDoubt},    // a proxy has lost the server
		{my(9001, "HY000"), catalog.MySQL, metrics.InDoubt},    // a proxy's own
		{my(1317, "70100"), catalog.MySQL, metrics.InDoubt},    // killed
		{my(1053, "08S01"), catalog.MySQL, metrics.InDoubt},    // shut down
		{errors.New("disk I/O error"), catalog.SQLite, metrics.RolledBack},
		{txpool.ErrPanic, catalog.SQLite, metrics.InDoubt},
		{txpool.ErrPanic, catalog.Postgres, metrics.InDoubt},
		{sql.ErrTxDone, catalog.Postgres, metrics.RolledBack},
		{driver.ErrBadConn, catalog.Postgres, metrics.InDoubt},
		{io.ErrUnexpectedEOF, catalog.MySQL, metrics.InDoubt},
	} {
		require.Equal(t, c.want, outcome(c.err, c.dialect), "%v on %s", c.err, c.dialect)
	}
}
