package faults_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
)

// An account has a version, which grows with every write, and a booking of each.
type account struct {
	ID      int
	Version int64
}

type booking struct {
	ID        int64
	AccountID int `gorm:"index"`
	Version   int64
}

// rows is how many accounts there are. Half of them are written by each process.
const rows = 4

// connections is how many a handle has to the database, of which a server has few.
const connections = 6

// A setup is what a process is told.
type setup struct {
	DSN, Namespace string
	Addr           string
	Cluster        []string // instead of Addr
	User, Password string
	Timeout        time.Duration
	Recovered      time.Duration // what settle has
	FailWrite      bool
	Way            way
	Errors         []string // parts of those that the database may give
	Writes         []int    // ids of accounts
}

func (s setup) client() redis.UniversalClient {
	if s.Cluster != nil {
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: s.Cluster})
	}
	return redis.NewClient(&redis.Options{Addr: s.Addr, Username: s.User, Password: s.Password})
}

// traffic is what a process does: two handles, each with a plugin of its own, each with readers and a writer of one account.
type traffic struct {
	setup   setup
	record  record
	handles []*gorm.DB
	last    atomic.Int64    // version
	done    []*atomic.Int64 // by each goroutine
	readers []*atomic.Int64 // those of them that read
	stop    context.CancelFunc
	running sync.WaitGroup
}

func start(s setup) (*traffic, error) {
	tr := &traffic{setup: s}
	ctx, stop := context.WithCancel(context.Background())
	tr.stop = stop
	for n, id := range s.Writes {
		db, err := gorm.Open(postgres.Open(s.DSN), &gorm.Config{Logger: logger.Discard})
		if err != nil {
			return nil, err
		}
		cfg := rediscache.Config{
			Redis: s.client(), Namespace: s.Namespace, Timeout: s.Timeout, Recorder: &tr.record,
			Logger: slog.New(slog.DiscardHandler),
		}
		if s.FailWrite {
			cfg.OnOutage = rediscache.FailWrite
		}
		if err := db.Use(rediscache.New(cfg)); err != nil {
			return nil, err
		}
		pool, err := db.DB()
		if err != nil {
			return nil, err
		}
		pool.SetMaxOpenConns(connections)
		tr.handles = append(tr.handles, db)
		tr.goOn(ctx, func() { tr.write(n, db, id) })
		for range 2 {
			tr.readers = append(tr.readers, tr.goOn(ctx, func() { tr.read(n, db) }))
		}
	}
	return tr, nil
}

// goOn does something again and again, and counts.
func (tr *traffic) goOn(ctx context.Context, do func()) *atomic.Int64 {
	done := &atomic.Int64{}
	tr.done = append(tr.done, done)
	tr.running.Go(func() {
		for ctx.Err() == nil {
			do()
			done.Add(1)
			time.Sleep(time.Duration(2+rand.IntN(8)) * time.Millisecond) // a machine that others use, too
		}
	})
	return done
}

// patience is how long a test waits for what must come.
const patience = 3 * time.Minute

// more waits until each of some goroutines has done so much more.
func more(goroutines []*atomic.Int64, n int64) (problem string) {
	deadline := time.Now().Add(patience)
	for i, done := range goroutines {
		for until := done.Load() + n; done.Load() < until; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				return fmt.Sprintf("goroutine %d does not go on", i)
			}
		}
	}
	return ""
}

// write gives an account the next version, which no other write has, and adds a booking of it.
func (tr *traffic) write(handle int, db *gorm.DB, id int) {
	version := tr.last.Add(1)
	began, committing := now(), false
	err := db.Transaction(func(tx *gorm.DB) error {
		err := tr.setup.Way.change(tx, id, version)
		committing = err == nil
		return err
	}, tr.setup.Way.options())
	tr.record.took("a write", began)
	ended := now()
	if errors.Is(err, rediscache.ErrUnannounced) {
		tr.record.note(func(all *report) { all.Refused++ })
		return
	}
	if err != nil {
		tr.record.failed("write", err, tr.setup.Errors)
		if !committing || refused(err) {
			return
		}
	}
	tr.record.note(func(all *report) {
		for _, key := range []string{rowKey(id), bookingsKey(id)} {
			all.Operations = append(all.Operations, operation{
				Key: key, Row: id, Handle: handle, Version: version, Write: true, Doubt: err != nil, Began: began, Ended: ended,
			})
		}
	})
}

// refused reports whether the database has said that it did not carry out a COMMIT.
func refused(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && (said.Code[:2] == "23" || said.Code[:2] == "40")
}

func rowKey(id int) string      { return fmt.Sprintf("account %d", id) }
func bookingsKey(id int) string { return fmt.Sprintf("bookings of account %d", id) }

// A query is a read, and the versions in its answer.
type query struct {
	name string
	run  func(*gorm.DB) (map[string]int64, error)
}

func byKey(id int) query {
	return query{rowKey(id), func(db *gorm.DB) (map[string]int64, error) {
		var a account
		err := db.First(&a, id).Error
		return map[string]int64{rowKey(a.ID): a.Version}, err
	}}
}

func newest(id int) query {
	return query{bookingsKey(id), func(db *gorm.DB) (map[string]int64, error) {
		var version int64
		err := db.Model(&booking{}).Select("COALESCE(MAX(version), 0)").Where("account_id = ?", id).Scan(&version).Error
		return map[string]int64{bookingsKey(id): version}, err
	}}
}

func list() query {
	return query{"list of accounts", func(db *gorm.DB) (map[string]int64, error) {
		var all []account
		err := db.Order("id").Find(&all).Error
		versions := map[string]int64{}
		for _, a := range all {
			versions[rowKey(a.ID)] = a.Version
		}
		return versions, err
	}}
}

// queries returns all of them.
func queries() []query {
	all := []query{list()}
	for id := 1; id <= rows; id++ {
		all = append(all, byKey(id), newest(id))
	}
	return all
}

// read runs one of them.
func (tr *traffic) read(handle int, db *gorm.DB) {
	all := queries()
	q := all[rand.IntN(len(all))]
	began := now()
	versions, err := q.run(db)
	tr.record.took(q.name, began)
	ended := now()
	if err != nil {
		tr.record.failed(q.name, err, tr.setup.Errors)
		return
	}
	tr.record.note(func(r *report) {
		for id := 1; id <= rows; id++ {
			for _, key := range []string{rowKey(id), bookingsKey(id)} {
				if version, ok := versions[key]; ok {
					r.Operations = append(r.Operations,
						operation{Key: key, Row: id, Handle: handle, Version: version, Began: began, Ended: ended})
				}
			}
		}
	})
}

// halt ends all reads and writes.
func (tr *traffic) halt() {
	tr.stop()
	tr.running.Wait()
}

// pay waits until Redis has been told of all writes, if it must be in some time: a handle is served by Redis only then.
func (tr *traffic) pay() {
	deadline := time.Now().Add(tr.setup.Recovered)
	for _, db := range tr.handles {
		for time.Now().Before(deadline) {
			var why rediscache.Explanation
			if _, err := list().run(db.Clauses(rediscache.Explain(&why))); err == nil && why.Outcome == "hit" {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// settle asks everything until it is cached, if it must be in some time, and compares it with the database. Nothing is written
// meanwhile.
func (tr *traffic) settle() {
	deadline := time.Now().Add(tr.setup.Recovered)
	for n, db := range tr.handles {
		for _, q := range queries() {
			var why rediscache.Explanation
			cached, err := tr.ask(q, db.Clauses(rediscache.Explain(&why)))
			for err == nil && why.Outcome != "hit" && time.Now().Before(deadline) {
				time.Sleep(2 * time.Millisecond)
				why = rediscache.Explanation{}
				cached, err = q.run(db.Clauses(rediscache.Explain(&why)))
			}
			if err == nil && why.Outcome != "hit" && tr.setup.Recovered > 0 {
				tr.wrong("handle %d: %s is not cached again: %s", n, q.name, why)
			}
			fresh, err2 := tr.ask(q, db.WithContext(rediscache.WithBypass(context.Background())))
			if err = errors.Join(err, err2); err != nil {
				tr.record.failed(q.name, err, nil)
			} else if !reflect.DeepEqual(cached, fresh) {
				tr.wrong("handle %d: %s is %v, served %v", n, q.name, fresh, cached)
			}
		}
	}
}

// ask runs a query until the pool has no connection any more that the database has ended.
func (tr *traffic) ask(q query, db *gorm.DB) (versions map[string]int64, err error) {
	for range 1 + 2*connections {
		if versions, err = q.run(db); err == nil || !anyOf(err, tr.setup.Errors) {
			break
		}
	}
	return versions, err
}

func (tr *traffic) wrong(format string, args ...any) {
	tr.record.note(func(all *report) { all.Wrong = append(all.Wrong, fmt.Sprintf(format, args...)) })
}
