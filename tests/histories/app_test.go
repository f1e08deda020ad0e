package histories_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit/history"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// register is a row whose version grows by one with every write.
type register struct {
	ID      int
	Version int32
	Nonce   int64
}

// head counts the items of a list, and orders those who append to it.
type head struct {
	ID int64
	N  int32
}

// item is a row that was appended to a list.
type item struct {
	ID     int64
	ListID int64 `gorm:"index;uniqueIndex:place"`
	Pos    int32 `gorm:"uniqueIndex:place"`
	Nonce  int64
}

const (
	registers        = 24
	readers, writers = 5, 2
	// listAge is for how long rows are appended to a list.
	listAge = 250 * time.Millisecond
)

// app is an application: a handle with a plugin, and goroutines that use it.
type app struct {
	db      *gorm.DB
	plugin  *rediscache.Plugin
	process uint16
	rows    int // how many registers it uses: the fewer, the more they meet
	log     counting

	stop chan struct{}
	work sync.WaitGroup
	mu   sync.Mutex
	errs []error // of reads, and of recorders: there should be none
}

// counting is what the plugin reports of itself.
type counting struct {
	metrics.Nop
	hits      atomic.Int64
	reads     atomic.Int64
	unsettled atomic.Bool // it has writes to tell Redis of
	untold    atomic.Bool // it had some since it was last asked
}

func (c *counting) Read(e metrics.ReadEvent) {
	c.reads.Add(1)
	if e.Found > 0 {
		c.hits.Add(1)
	}
}

func (c *counting) State(e metrics.StateEvent) {
	if e.State == metrics.JournalOpen {
		c.unsettled.Store(e.On)
		if e.On {
			c.untold.Store(true)
		}
	}
}

// start lets goroutines read and write until halt, and record what they see in a folder.
func (a *app) start(dir string, phase int64) {
	a.stop = make(chan struct{})
	a.log.hits.Store(0)
	a.log.untold.Store(a.log.unsettled.Load())
	for n := range readers + writers {
		rec, err := history.NewRecorder(dir, a.process, n)
		if err != nil {
			a.fail(err)
			return
		}
		w := &worker{app: a, rec: rec, phase: phase}
		a.work.Go(func() {
			for running(a.stop) {
				if n < readers {
					w.read()
				} else {
					w.write()
				}
			}
			if err := rec.Close(); err != nil {
				a.fail(err)
			}
		})
	}
}

func running(stop chan struct{}) bool {
	select {
	case <-stop:
		return false
	default:
		return true
	}
}

// halt ends what start began.
func (a *app) halt() {
	if running(a.stop) {
		close(a.stop)
	}
	a.work.Wait()
}

func (a *app) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.errs = append(a.errs, err)
}

// failures returns the errors so far.
func (a *app) failures() []error {
	a.mu.Lock()
	defer a.mu.Unlock()
	errs := a.errs
	a.errs = nil
	return errs
}

// worker is one goroutine of an application.
type worker struct {
	*app
	rec   *history.Recorder
	phase int64
}

// listNow is the list that rows are appended to now, or the one before.
func (w *worker) listNow(back int64) int64 {
	return w.phase<<16 | (history.Now()/int64(listAge)-back)&0xFFFF
}

// read reads something, in one of many ways.
func (w *worker) read() {
	var err error
	switch n := rand.IntN(100); {
	case n < 45:
		err = w.readRow(w.db)
	case n < 60:
		err = w.readRows(func(db *gorm.DB) *gorm.DB {
			return db.Where("id IN ?", []int{w.anyRow(), w.anyRow(), w.anyRow()})
		})
	case n < 65:
		err = w.readRows(func(db *gorm.DB) *gorm.DB { return db.Order("id") })
	case n < 70:
		err = w.readRow(w.db.Clauses(rediscache.Bypass))
	case n < 90:
		err = w.readList(w.listNow(rand.Int64N(3)))
	default:
		err = w.count(w.listNow(rand.Int64N(3)))
	}
	if err != nil {
		w.fail(fmt.Errorf("read: %w", err))
	}
}

func (w *worker) anyRow() int { return 1 + rand.IntN(w.rows) }

func (w *worker) readRow(db *gorm.DB) error {
	var r register
	began := history.Now()
	err := db.First(&r, w.anyRow()).Error
	ended := history.Now()
	if err == nil {
		w.rec.Read(history.Read, history.Key(r.ID), r.Version, uint64(r.Nonce), 0, began, ended)
	}
	return err
}

func (w *worker) readRows(which func(*gorm.DB) *gorm.DB) error {
	var all []register
	began := history.Now()
	err := which(w.db).Find(&all).Error
	ended := history.Now()
	if err == nil {
		for _, r := range all {
			w.rec.Read(history.Read, history.Key(r.ID), r.Version, uint64(r.Nonce), 0, began, ended)
		}
	}
	return err
}

func (w *worker) readList(list int64) error {
	var all []item
	began := history.Now()
	err := w.db.Where("list_id = ?", list).Order("pos").Find(&all).Error
	ended := history.Now()
	if err != nil {
		return err
	}
	kind, digest, last := history.Read, uint64(0), uint64(0)
	for i, it := range all {
		if int(it.Pos) != i+1 {
			kind = history.Torn
		}
		last = uint64(it.Nonce)
		digest = history.Digest(digest, last)
	}
	w.rec.Read(kind, history.List(list), int32(len(all)), last, digest, began, ended)
	return nil
}

func (w *worker) count(list int64) error {
	var n int64
	began := history.Now()
	err := w.db.Model(&item{}).Where("list_id = ?", list).Count(&n).Error
	ended := history.Now()
	if err == nil {
		w.rec.Read(history.Count, history.List(list), int32(n), 0, 0, began, ended)
	}
	return err
}

var errUndo = errors.New("undo")

// write writes something, in one of many ways.
func (w *worker) write() {
	key, list := history.Key(w.anyRow()), int64(0)
	if rand.IntN(2) == 0 {
		list = w.listNow(0)
		key = history.List(list)
	}
	nonce := w.rec.Begin(key)
	var version int32
	var err error
	if key.IsList() {
		version, err = w.appendTo(list, int64(nonce))
	} else {
		version, err = w.increment(int(key), int64(nonce))
	}
	switch {
	case err == nil:
		w.rec.End(key, nonce, version, history.Committed)
	case errors.Is(err, errUndo), errors.Is(err, rediscache.ErrUnannounced):
		w.rec.End(key, nonce, version, history.RolledBack)
	default: // it may have been committed
		w.rec.End(key, nonce, history.Unknown, history.InDoubt)
	}
	time.Sleep(time.Duration(rand.IntN(8)) * time.Millisecond)
}

const returning = "UPDATE registers SET version = version + 1, nonce = ? WHERE id = ? RETURNING version"

// increment makes the next version of a row.
func (w *worker) increment(id int, nonce int64) (version int32, err error) {
	inTx := func(db *gorm.DB, finally error) error {
		return db.Transaction(func(tx *gorm.DB) error {
			return errors.Join(tx.Raw(returning, nonce, id).Scan(&version).Error, finally)
		})
	}
	next := map[string]any{"version": gorm.Expr("version + 1"), "nonce": nonce}
	switch rand.IntN(8) {
	case 0:
		err = w.db.Session(&gorm.Session{SkipDefaultTransaction: true}).Raw(returning, nonce, id).Scan(&version).Error
	case 1:
		err = inTx(w.db, errUndo)
	case 2:
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+rand.IntN(6000))*time.Microsecond)
		defer cancel()
		err = inTx(w.db.WithContext(ctx), nil)
	case 3:
		err = w.db.Transaction(func(tx *gorm.DB) error {
			var r register
			if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).First(&r, id).Error; err != nil {
				return err
			}
			version = r.Version + 1
			return tx.Model(&register{ID: id}).Updates(next).Error
		})
	case 4:
		r := register{ID: id}
		err = w.db.Model(&r).Clauses(clause.Returning{}).Updates(next).Error
		version = r.Version
	default:
		err = inTx(w.db, nil)
	}
	return version, err
}

const longer = "INSERT INTO heads (id, n) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET n = heads.n + 1 RETURNING n"

// appendTo appends a row to a list.
func (w *worker) appendTo(list, nonce int64) (version int32, err error) {
	undo := rand.IntN(8) == 0
	err = w.db.Transaction(func(tx *gorm.DB) error {
		err := tx.Raw(longer, list).Scan(&version).Error
		if err != nil {
			return err
		}
		if err := tx.Create(&item{ListID: list, Pos: version, Nonce: nonce}).Error; err != nil || !undo {
			return err
		}
		return errUndo
	})
	return version, err
}

// settle waits until Redis has been told of all writes.
func (a *app) settle() error {
	for deadline := time.Now().Add(time.Minute); a.log.unsettled.Load(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("after a minute, Redis has not been told of all writes")
		}
		_ = a.db.First(&register{}, 1).Error // Redis is asked by who wants something
	}
	return nil
}

// quiescent compares, when nothing is under way, what the cache serves with what the database has, and returns how often it
// is something else.
func (a *app) quiescent(phase int64) (wrong []string) {
	w := worker{app: a, phase: phase}
	same := func(what string, read func(*gorm.DB) (any, error)) {
		for try := range 5 { // the database may have ended a connection
			fresh, err := read(a.db.Clauses(rediscache.Bypass))
			cached, err2 := read(a.db)
			switch {
			case err == nil && err2 == nil && fmt.Sprint(fresh) == fmt.Sprint(cached):
				return
			case err == nil && err2 == nil:
				wrong = append(wrong, fmt.Sprintf("%s: the cache has %v, the database %v", what, cached, fresh))
				return
			case try == 4:
				wrong = append(wrong, fmt.Sprintf("%s: %v", what, errors.Join(err, err2)))
			}
		}
	}
	for id := 1; id <= registers; id++ {
		same(fmt.Sprint("row ", id), func(db *gorm.DB) (any, error) {
			var r register
			return r, db.First(&r, id).Error
		})
	}
	same("all rows", func(db *gorm.DB) (any, error) {
		var all []register
		err := db.Order("id").Find(&all).Error
		return all, err
	})
	for back := range int64(8) {
		list := w.listNow(back)
		same(fmt.Sprint("list ", list), func(db *gorm.DB) (any, error) {
			var all []item
			err := db.Where("list_id = ?", list).Order("pos").Find(&all).Error
			return all, err
		})
		same(fmt.Sprint("length of list ", list), func(db *gorm.DB) (any, error) {
			var n int64
			err := db.Model(&item{}).Where("list_id = ?", list).Count(&n).Error
			return n, err
		})
	}
	return slices.Compact(wrong)
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

func mkdir(dir string) error { return os.Mkdir(dir, 0o700) }
