package txpool_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/txpool"
)

var errRefused = errors.New("refused")

// log is an observer that remembers.
type log struct {
	mu     sync.Mutex
	events []string
	refuse error
	// text is carried out before COMMIT.
	text string
	args []any
}

func (l *log) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, s)
}

func (l *log) BeforeCommit(tx txpool.Execer) error {
	l.add("before")
	if l.text != "" {
		if _, err := tx.ExecContext(context.Background(), l.text, l.args...); err != nil {
			return err
		}
	}
	return l.refuse
}

func (l *log) Committed(err error) {
	if err != nil {
		l.add("failed")
		return
	}
	l.add("committed")
}

func (l *log) RolledBack() { l.add("rolled back") }

func TestItWorksWithThisVersionOfGo(t *testing.T) {
	t.Parallel()
	require.True(t, txpool.New().Works())
}

func observe(t *testing.T, tracker *txpool.Tracker, pool any, l *log) {
	t.Helper()
	o, state := tracker.Observe(pool, func() txpool.Observer { return l })
	require.Equal(t, txpool.Observed, state)
	require.Same(t, l, o)
}

func TestEndOfATransactionIsTold(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.Postgres(t))
	tracker := txpool.New()
	for name, c := range map[string]struct {
		refuse error
		end    func(*sql.Tx) error
		err    error
		want   []string
	}{
		"commit":   {end: (*sql.Tx).Commit, want: []string{"before", "committed"}},
		"rollback": {end: (*sql.Tx).Rollback, want: []string{"rolled back"}},
		"refused":  {refuse: errRefused, end: (*sql.Tx).Commit, err: errRefused, want: []string{"before", "rolled back"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tx, err := db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			l := &log{refuse: c.refuse}
			observe(t, tracker, tx, l)
			require.Same(t, db, tracker.DB(tx))
			again, state := tracker.Observe(tx, func() txpool.Observer { panic("has one") })
			require.Equal(t, txpool.Observed, state)
			require.Same(t, l, again)
			_, err = tx.ExecContext(t.Context(), `SELECT 1`)
			require.NoError(t, err)
			require.ErrorIs(t, c.end(tx), c.err)
			require.Equal(t, c.want, l.events)
			_, state = tracker.Observe(tx, func() txpool.Observer { panic("is over") })
			require.Equal(t, txpool.Ended, state)
		})
	}
}

// What was announced before COMMIT has to end, too, when the driver panics.
func TestPanicOfTheDriverInCommitIsTold(t *testing.T) {
	t.Parallel()
	tracker := txpool.New()
	db := sql.OpenDB(panicking{})
	t.Cleanup(func() { _ = db.Close() })
	wrapped := tracker.Wrap(db).(gorm.ConnPoolBeginner)
	for name, begin := range map[string]func() (any, error){
		"database/sql": func() (any, error) { return db.BeginTx(t.Context(), nil) },
		"wrapped pool": func() (any, error) { return wrapped.BeginTx(t.Context(), nil) },
	} {
		tx, err := begin()
		require.NoError(t, err, name)
		l := &log{}
		observe(t, tracker, tx, l)
		require.PanicsWithValue(t, "defect", func() {
			_ = tx.(interface{ Commit() error }).Commit()
		}, name)
		require.Equal(t, []string{"before", "failed"}, l.events, name)
	}
}

// panicking is a driver that panics in COMMIT.
type panicking struct{ driver.Conn }

func (p panicking) Connect(context.Context) (driver.Conn, error) { return p, nil }
func (p panicking) Driver() driver.Driver                        { return nil }
func (p panicking) Begin() (driver.Tx, error)                    { return p, nil }
func (panicking) Commit() error                                  { panic("defect") }
func (panicking) Rollback() error                                { return nil }
func (panicking) Close() error                                   { return nil }

func TestCancelledTransactionIsToldAsRolledBack(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.Postgres(t))
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	l := &log{}
	observe(t, txpool.New(), tx, l)
	cancel()
	testkit.Eventually(t, "the transaction is rolled back", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.events) > 0
	})
	require.Equal(t, []string{"rolled back"}, l.events)
	require.Error(t, tx.Commit())
}

func TestTwoTrackersObserveOneTransaction(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.Postgres(t))
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	first, second := &log{}, &log{}
	a, b := txpool.New(), txpool.New()
	observe(t, a, tx, first)
	observe(t, b, tx, second)
	observe(t, a, tx, first)
	require.NoError(t, tx.Commit())
	require.Equal(t, []string{"before", "committed"}, first.events)
	require.Equal(t, first.events, second.events)
}

type embeds struct{ *sql.Tx }

type embedsInterface struct{ gorm.Tx }

type foreign struct{ gorm.ConnPool }

func (*foreign) Commit() error   { return nil }
func (*foreign) Rollback() error { return nil }

func TestTransactionIsFoundInWhatHoldsIt(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.Postgres(t))
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	tracker, l := txpool.New(), &log{}
	for _, pool := range []any{tx, &gorm.PreparedStmtTX{Tx: tx}, embeds{tx}, &embeds{tx}, &embedsInterface{tx}, &embedsInterface{&embeds{tx}}} {
		observe(t, tracker, pool, l)
	}
	require.NoError(t, tx.Rollback())
	require.Equal(t, []string{"rolled back"}, l.events)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	require.Same(t, db, tracker.DB(conn))
	for _, pool := range []any{nil, (*sql.Tx)(nil), db, &foreign{}, (*gorm.PreparedStmtTX)(nil), 7} {
		_, state := tracker.Observe(pool, func() txpool.Observer { return l })
		require.Equal(t, txpool.Opaque, state, "%T", pool)
		require.Nil(t, tracker.DB(pool))
	}
}

// Run with -race: attaching races with the end of the transaction.
func TestAttachingRacesWithTheEnd(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.Postgres(t))
	tracker := txpool.New()
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		l := &log{}
		var observed bool
		var wg sync.WaitGroup
		wg.Go(func() {
			_, state := tracker.Observe(tx, func() txpool.Observer { return l })
			observed = state == txpool.Observed
		})
		wg.Go(func() {
			switch i % 3 {
			case 0:
				_ = tx.Commit()
			case 1:
				_ = tx.Rollback()
			default:
				cancel()
				_ = tx.Commit()
			}
		})
		wg.Wait()
		cancel()
		if observed {
			testkit.Eventually(t, "the end is told", func() bool {
				l.mu.Lock()
				defer l.mu.Unlock()
				return len(l.events) > 0
			})
		}
	}
}

func TestWrappedPoolIsOneForGORM(t *testing.T) {
	t.Parallel()
	dsn := testkit.Postgres(t)
	for _, prepare := range []bool{false, true} {
		db, err := gorm.Open(postgres.Open(dsn), &gorm.Config{PrepareStmt: prepare, Logger: logger.Discard})
		require.NoError(t, err)
		tracker := txpool.New()
		db.ConnPool = tracker.Wrap(db.ConnPool)
		db.ConnPool = tracker.Wrap(db.ConnPool)
		db.Statement.ConnPool = db.ConnPool
		sqlDB, err := db.DB()
		require.NoError(t, err)
		require.NoError(t, sqlDB.Ping())

		for _, commit := range []bool{true, false} {
			l := &log{}
			err = db.Transaction(func(tx *gorm.DB) error {
				observe(t, tracker, tx.Statement.ConnPool, l)
				require.Same(t, sqlDB, tracker.DB(tx.Statement.ConnPool))
				require.NoError(t, tx.Transaction(func(tx *gorm.DB) error {
					return tx.Session(&gorm.Session{PrepareStmt: true}).Exec(`SELECT 1`).Error
				}))
				if commit {
					return nil
				}
				return errRefused
			})
			if commit {
				require.NoError(t, err)
				require.Equal(t, []string{"before", "committed"}, l.events)
			} else {
				require.ErrorIs(t, err, errRefused)
				require.Equal(t, []string{"rolled back"}, l.events)
			}
		}
		l := &log{refuse: errRefused}
		tx := db.Begin()
		observe(t, tracker, tx.Statement.ConnPool, l)
		require.ErrorIs(t, tx.Commit().Error, errRefused)
		require.Equal(t, []string{"before", "rolled back"}, l.events)
		_, state := tracker.Observe(tx.Statement.ConnPool, func() txpool.Observer { return l })
		require.Equal(t, txpool.Ended, state)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, db.WithContext(ctx).Begin().Error)
		require.NoError(t, sqlDB.Close())
	}
}
