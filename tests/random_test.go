package tests_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/store"
)

// account is a row whose version is incremented by every write. Nonce tells apart attempts at one version.
type account struct {
	ID      int
	Version int64
	Nonce   int64
}

const randomRows = 4

// How often each goroutine of a random history does what it does: so many, however long that takes.
const randomReads, randomWrites = 150, 60

// Several instances write and read a few rows at random: by key, several keys, as a list; in autocommit, in
// transactions that commit, roll back, or are canceled; with readers that stall between any two steps. Judged against
// what was acknowledged, no answer may be stale, go backward, or be of what was rolled back. REDISCACHE_SOAK sets how
// long it goes on.
func TestRandomHistoriesHaveNoWrongAnswers(t *testing.T) {
	t.Parallel()
	var length time.Duration
	if soak := os.Getenv("REDISCACHE_SOAK"); soak != "" {
		var err error
		length, err = time.ParseDuration(soak)
		require.NoError(t, err, "REDISCACHE_SOAK")
	}
	for end := time.Now().Add(length); ; {
		v, hits := randomRun(t, newWorld(t))
		require.Zero(t, v.Bad(), v.Example)
		require.Positive(t, hits)
		t.Logf("%d reads, %d of them hits, %d writes", v.Reads, hits, v.Writes)
		if !time.Now().Before(end) {
			return
		}
	}
}

// Two protocols that are broken give a wrong answer in one order of the steps that the protocol survives
// (TestAnswerThatIsStoredLateIsNeverServed).
func TestBrokenProtocolsGiveAWrongAnswer(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(store.Store) store.Store{
		"deletes after commit": testkit.NewDeleteAfterCommit,
		"only expires":         func(s store.Store) store.Store { return testkit.OnlyExpires{Store: s} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.old = true
			w.members(1)
			w.store = broken(w.inner())
			reader, g := w.gated()
			writer := w.cached()
			fill := g.hold(t, beforePut)
			require.Equal(t, "m1", nameOf(t, reader.DB, 1))
			fill.await()
			require.NoError(t, writer.Model(&member{ID: 1}).Update("name", "Zoe").Error)
			fill.resume()
			waitFor(t, func() bool { return g.count(afterPut) == 1 })
			require.Equal(t, "m1", nameOf(t, w.cached().DB, 1), "this protocol cannot be right")
		})
	}
}

// randomRun returns the verdict, and how many reads were answered from Redis.
func randomRun(t *testing.T, w *world) (testkit.Verdict, int) {
	t.Helper()
	const instances, readers, writers = 3, 3, 1
	plain := w.migrate(&account{})
	for id := 1; id <= randomRows; id++ {
		require.NoError(t, plain.Create(&account{ID: id}).Error)
	}
	shared := w.inner()
	r := &randomTest{t: t, rolledBack: map[int64]bool{}}
	var wg sync.WaitGroup
	var handles []*handle
	for range instances {
		h := w.cached(withPlugin(func(c *rediscache.Config) { c.Redis, c.Store = nil, stalling{shared} }))
		handles = append(handles, h)
		for range readers {
			wg.Go(func() { r.readAll(h) })
		}
		for range writers {
			wg.Go(func() { r.writeAll(h) })
		}
	}
	wg.Wait()
	hits := 0
	for _, h := range handles {
		for _, e := range h.log.reads {
			if e.Found > 0 {
				hits++
			}
		}
	}
	v := r.history.Judge()
	v.Dirty += r.dirty
	return v, hits
}

type randomTest struct {
	t       *testing.T
	history testkit.History

	mu         sync.Mutex
	nonce      int64
	rolledBack map[int64]bool
	dirty      int
}

func (r *randomTest) readAll(h *handle) {
	for range randomReads {
		began := r.history.Now()
		var got []account
		var err error
		id := 1 + rand.IntN(randomRows)
		switch rand.IntN(4) {
		case 0:
			err = h.Order("id").Find(&got).Error
		case 1:
			err = h.Find(&got, []int{id, 1 + rand.IntN(randomRows)}).Error
		default:
			var a account
			err = h.First(&a, id).Error
			got = []account{a}
		}
		require.NoError(r.t, err)
		for _, a := range got {
			r.history.Read(strconv.Itoa(a.ID), a.Version, began)
		}
		r.checkDirty(got)
	}
}

// checkDirty counts answers of what is known to have been rolled back by then.
func (r *randomTest) checkDirty(got []account) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range got {
		if r.rolledBack[a.Nonce] {
			r.dirty++
		}
	}
}

var errUndo = errors.New("undo")

func (r *randomTest) writeAll(h *handle) {
	for range randomWrites {
		id := 1 + rand.IntN(randomRows)
		r.mu.Lock()
		r.nonce++
		nonce := r.nonce
		r.mu.Unlock()
		began := r.history.Now()
		version, err := r.writeOnce(h, id, nonce)
		switch {
		case err == nil:
			r.history.Wrote(strconv.Itoa(id), version, began)
		case errors.Is(err, errUndo):
			r.mu.Lock()
			r.rolledBack[nonce] = true
			r.mu.Unlock()
		default: // canceled: it may have been committed
			r.history.InDoubt(strconv.Itoa(id), version, began)
		}
		stall()
	}
}

// writeOnce increments the version of a row, in one of many ways.
func (r *randomTest) writeOnce(h *handle, id int, nonce int64) (version int64, err error) {
	next := map[string]any{"version": gorm.Expr("version + 1"), "nonce": nonce}
	inTx := func(db *gorm.DB, finally error) error {
		return db.Transaction(func(tx *gorm.DB) error {
			err := tx.Raw("UPDATE accounts SET version = version + 1, nonce = ? WHERE id = ? RETURNING version", nonce, id).
				Scan(&version).Error
			stall()
			return errors.Join(err, finally)
		})
	}
	switch rand.IntN(8) {
	case 0:
		err = h.Session(&gorm.Session{SkipDefaultTransaction: true}).
			Raw("UPDATE accounts SET version = version + 1, nonce = ? WHERE id = ? RETURNING version", nonce, id).
			Scan(&version).Error
	case 1:
		return version, inTx(h.DB, errUndo)
	case 2:
		ctx, cancel := context.WithCancel(r.t.Context())
		go func() { stall(); stall(); cancel() }()
		err = inTx(h.WithContext(ctx), nil)
		if err != nil && version == 0 {
			version = -1 // the statement did not even return
		}
		cancel()
	case 3:
		err = h.Transaction(func(tx *gorm.DB) error {
			var a account
			if err := tx.Raw("SELECT * FROM accounts WHERE id = ? FOR UPDATE", id).Scan(&a).Error; err != nil {
				return err
			}
			version = a.Version + 1
			return tx.Model(&account{ID: id}).Updates(next).Error
		})
	default:
		err = inTx(h.DB, nil)
	}
	return version, err
}

// stall takes a little time, now and then more.
func stall() {
	switch n := rand.IntN(20); {
	case n == 0:
		time.Sleep(5 * time.Millisecond)
	case n < 6:
		time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
	}
}

// stalling is a store whose steps take their time.
type stalling struct{ store.Store }

func (s stalling) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	snap, err := s.Store.Load(ctx, keys)
	stall()
	return snap, err
}

func (s stalling) Put(ctx context.Context, entries []store.Entry) error {
	stall()
	return s.Store.Put(ctx, entries)
}
