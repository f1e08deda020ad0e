package tests_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit/stores"
	"github.com/gorm-rediscache/rediscache/internal/testkit/upstash"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/memstore"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

// otherStores are those that hold the cache in place of redisstore.
var otherStores = map[string]func(w *world) store.Store{
	"memory": func(w *world) store.Store {
		s, err := memstore.New(memstore.Options{})
		require.NoError(w.t, err)
		return s
	},
	"upstash": func(w *world) store.Store {
		s, err := upstashstore.New(upstashstore.Options{
			URL: upstash.Start(w.t, w.server()).URL, Token: upstash.Token, Timeout: patience,
		})
		require.NoError(w.t, err)
		w.t.Cleanup(func() { _ = s.Close() })
		return s
	},
}

// On every database, with each of the other stores: what is read again comes from the cache, and what one handle writes, all
// see at once.
func TestOtherStoresHoldTheCache(t *testing.T) {
	t.Parallel()
	for name, open := range otherStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEveryDialect(t, func(t *testing.T, w *world) {
				w.store = open(w)
				plain := w.members(5)
				a, b := w.cached(), w.cached()
				for _, r := range readings() {
					agreesFromCache(t, plain, a, r.name, func(db *gorm.DB) any { return r.read(t, db) })
					agreesFromCache(t, plain, b, r.name, func(db *gorm.DB) any { return r.read(t, db) })
				}
				require.NoError(t, b.Model(&member{ID: 1}).Update("name", "Zoe").Error)
				require.NoError(t, b.Transaction(func(tx *gorm.DB) error {
					return tx.Create(&member{ID: 101, Name: "Eve"}).Error
				}))
				require.NoError(t, b.Delete(&member{}, 2).Error)
				for _, r := range readings() {
					require.Equal(t, r.read(t, plain.DB), r.read(t, a.DB), r.name)
				}
				require.Equal(t, "Zoe", nameOf(t, a.DB, 1))
			})
		})
	}
}

// promise matches the interleavings and the random histories, which decide whether the promise is kept.
const promise = "TestRandomHistoriesHaveNoWrongAnswers|TestTwoWritersOfOneRow|TestRowsReadOneByOneAreOfOneInstant|" +
	"TestReadDoesNotJoinOneFromBeforeAWrite|TestRowsThatComeAndGo|TestPreloadAcrossWrites|TestWriteBetweenParentAndChildren|" +
	"TestAnswerThatIsStoredLateIsNeverServed|TestReaderThatMintsLateReadsWhatIsNew|TestReadsBetweenTheStepsOfAWrite|" +
	"TestWriterThatOverlapsAnotherDoesNotUncoverIt|TestReadInsideTransactionGoesToTheDatabase|" +
	"TestSnapshotOfATransactionIsNotStored|TestFirstOrCreateAtOnce|TestWriteWhoseContextEndsAtEachStep"

// promiseOfTheDead matches those in which processes are killed, or stopped, between their steps.
const promiseOfTheDead = "TestReaderThatIsKilledOrStoppedLeavesNothingOld|TestKilledWriterLeavesNothingOld|TestStoppedWriterLeavesNothingOld"

func TestPromiseOnOtherStores(t *testing.T) {
	t.Parallel()
	stores.OnOthers(t, "^("+promise+")$", "^$")
}

func TestPromiseOnACluster(t *testing.T) {
	t.Parallel()
	stores.OnACluster(t, "^("+promise+"|"+promiseOfTheDead+"|TestReaderForOthersIsCanceled|TestManyReadersAtOnce|"+
		"TestLockedReadLosesNoUpdate|TestRollbackToASavepoint|TestTransactionThatEndsByAText)$")
}

// A store whose server says no costs the cache, and nothing else.
func TestUpstashThatRefusesCostsTheCacheOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := upstash.Start(t, w.server())
	s, err := upstashstore.New(upstashstore.Options{URL: server.URL, Token: upstash.Token, Timeout: patience})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	w.store = s
	w.members(2)
	h, other := w.cached(), w.cached()
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
	server.Fail(-1, upstash.Status(400, "ERR max daily request limit exceeded. Limit: 10000, Usage: 10000"))
	read := h.log.read(t, func() { require.Equal(t, "m1", nameOf(t, h.DB, 1)) })
	require.Equal(t, metrics.Bypass, read.Outcome)
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "Zoe").Error)
	require.Equal(t, "Zoe", nameOf(t, h.DB, 1))
	server.Heal()
	waitFor(t, func() bool { return nameOf(t, other.DB, 1) == "Zoe" }) // once the journal is paid
	h.warm(t, func(db *gorm.DB) { require.Equal(t, "Zoe", nameOf(t, db, 1)) })

	strict := w.cached(withPlugin(func(c *rediscache.Config) { c.OnOutage, c.Timeout = rediscache.FailWrite, time.Second }))
	server.Fail(-1, upstash.Status(401, "WRONGPASS invalid or missing auth token"))
	err = strict.Model(&member{ID: 1}).Update("name", "Ann").Error
	require.ErrorIs(t, err, rediscache.ErrUnannounced)
	require.ErrorIs(t, err, upstashstore.ErrUnauthorized)
	server.Heal()
}

// What memory cannot do: stores that are not shared hear of each other's writes when a time to live is over, and not sooner.
func TestStoresInMemoryDoNotHearOfEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.old = true
	w.members(1)
	var handles []*handle
	for range 2 {
		w.store = otherStores["memory"](w)
		h := w.cached()
		h.warm(t, func(db *gorm.DB) { require.Equal(t, "m1", nameOf(t, db, 1)) })
		handles = append(handles, h)
	}
	require.NoError(t, handles[0].Model(&member{ID: 1}).Update("name", "Zoe").Error)
	require.Equal(t, "Zoe", nameOf(t, handles[0].DB, 1))
	require.Equal(t, "m1", nameOf(t, handles[1].DB, 1))
}

// What Upstash cannot tell: another server has taken the primary's place, and has not heard of a write. What was there before
// is there again, and is served.
func TestUpstashThatLostAWriteServesWhatWasThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.old = true
	w.store = otherStores["upstash"](w)
	w.members(2)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { require.Equal(t, "m1", nameOf(t, db, 1)) })
	before := map[string]string{}
	keys := w.redis.Scan(t.Context(), 0, w.namespace+"*", 1000).Iterator()
	for keys.Next(t.Context()) {
		before[keys.Val()] = w.redis.Dump(t.Context(), keys.Val()).Val()
	}
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "Zoe").Error)
	require.Equal(t, "Zoe", nameOf(t, h.DB, 1))
	for key, dump := range before {
		require.NoError(t, w.redis.RestoreReplace(t.Context(), key, time.Minute, dump).Err())
	}
	require.Equal(t, "m1", nameOf(t, h.DB, 1))
	// The next write of the row is seen by all again.
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "Ann").Error)
	require.Equal(t, "Ann", nameOf(t, h.DB, 1))
}
