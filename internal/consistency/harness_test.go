package consistency_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/stores"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/memstore"
)

// world is a database of a few numbered rows, a store, and processes that cache the one in the other.
type world struct {
	t       *testing.T
	dataset *dataset
	inner   store.Store // on the dataset
	names   keying.Space
	table   *keying.Table

	mu      sync.Mutex
	rows    map[int]int // 0: no such row
	writers []string    // those who have intended
	// reads counts reads of the database.
	reads int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	client, namespace := testkit.Redis(t)
	return worldOn(t, stores.Open(t, client, 5*time.Second), namespace)
}

// newWorldInMemory returns one whose store is in the memory of this process: for tests of very many short runs, about steps
// that are the same on every store.
func newWorldInMemory(t *testing.T) *world {
	t.Helper()
	s, err := memstore.New(memstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return worldOn(t, s, "memory")
}

// inVirtualTime runs a test of what takes its time, such as intents that live: nothing there waits for a real clock, and a busy
// machine cannot make a moment pass too early (testing/synctest).
func inVirtualTime(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, newWorldInMemory(t)) })
}

// forSo repeats a check for so long.
func forSo(long time.Duration, check func()) {
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		check()
	}
}

func worldOn(t *testing.T, s store.Store, namespace string) *world {
	t.Helper()
	names, err := keying.NewSpace(namespace, "db", keying.ManySlots)
	require.NoError(t, err)
	data := &dataset{Store: s}
	return &world{
		t: t, dataset: data, inner: data, names: names, table: names.Table("accounts"), rows: map[int]int{},
	}
}

// dataset is a store whose dataset may become one of another history, as by a failover, with everything that is in it.
type dataset struct {
	store.Store
	mu      sync.Mutex
	history store.History
}

func (d *dataset) set(h store.History) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.history = h
}

func (d *dataset) qualify(snap store.Snapshot) store.Snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range snap.Values {
		for j := range d.history {
			snap.Values[i].History[j] ^= d.history[j]
		}
	}
	return snap
}

func (d *dataset) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	snap, err := d.Store.Load(ctx, keys)
	return d.qualify(snap), err
}

func (d *dataset) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	snap, err := d.Store.Mint(ctx, mints)
	return d.qualify(snap), err
}

func (d *dataset) Declare(ctx context.Context, declaration store.Declaration) (store.Value, error) {
	v, err := d.Store.Declare(ctx, declaration)
	return d.qualify(store.Snapshot{Values: []store.Value{v}}).Values[0], err
}

// holds returns what the store has under a key.
func (w *world) holds(key string) store.Value {
	w.t.Helper()
	snap, err := w.inner.Load(w.t.Context(), []string{key})
	require.NoError(w.t, err)
	return snap.Values[0]
}

// put stores anything under a key.
func (w *world) put(key, data string) {
	w.t.Helper()
	entry := store.Entry{Key: keying.Key(key), Data: []byte(data), TTL: time.Minute}
	require.NoError(w.t, w.inner.Put(w.t.Context(), []store.Entry{entry}))
}

// lose makes the store forget tags, with their writers, as an eviction does.
func (w *world) lose(tags ...keying.Tag) {
	w.t.Helper()
	w.mu.Lock()
	writers := append([]string{""}, w.writers...)
	w.mu.Unlock()
	for _, writer := range writers {
		_, err := w.dataset.Release(w.t.Context(), writer, tags, nil)
		require.NoError(w.t, err)
	}
	for _, tag := range tags {
		require.False(w.t, w.holds(tag.Token()).Found)
	}
}

// steps is a store whose steps a test may hold up, change or forbid.
type steps struct {
	store.Store
	w                                 *world
	mu                                sync.Mutex
	onLoad, onMint, onPut, onDeclare  func() error
	onIntend, onRelease, afterRelease func() error
}

func (s *steps) at(hook *func() error) error {
	s.mu.Lock()
	f := *hook
	s.mu.Unlock()
	if f != nil {
		return f()
	}
	return nil
}

func (s *steps) set(hook *func() error, f func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*hook = f
}

func (s *steps) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	if err := s.at(&s.onLoad); err != nil {
		return store.Snapshot{}, err
	}
	return s.Store.Load(ctx, keys)
}

func (s *steps) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	if err := s.at(&s.onMint); err != nil {
		return store.Snapshot{}, err
	}
	return s.Store.Mint(ctx, mints)
}

func (s *steps) Put(ctx context.Context, entries []store.Entry) error {
	if err := s.at(&s.onPut); err != nil {
		return err
	}
	return s.Store.Put(ctx, entries)
}

func (s *steps) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	if err := s.at(&s.onIntend); err != nil {
		return nil, err
	}
	s.w.mu.Lock()
	s.w.writers = append(s.w.writers, writer)
	s.w.mu.Unlock()
	return s.Store.Intend(ctx, writer, ttl, tags, watch)
}

func (s *steps) Release(ctx context.Context, writer string, tags, watch []keying.Tag) ([]store.Value, error) {
	if err := s.at(&s.onRelease); err != nil {
		return nil, err
	}
	watched, err := s.Store.Release(ctx, writer, tags, watch)
	if err != nil {
		return nil, err
	}
	return watched, s.at(&s.afterRelease)
}

func (s *steps) Declare(ctx context.Context, d store.Declaration) (store.Value, error) {
	if err := s.at(&s.onDeclare); err != nil {
		return store.Value{}, err
	}
	return s.Store.Declare(ctx, d)
}

// process is one process of the application.
type process struct {
	*consistency.Protocol
	w      *world
	steps  *steps
	events *events
	// beforeLoad and afterLoad run around a read of the database.
	beforeLoad, afterLoad func()
}

func (w *world) process(cfg consistency.Config) *process {
	w.t.Helper()
	p := &process{w: w, steps: &steps{Store: w.inner, w: w}, events: &events{}}
	cfg.Store, cfg.Recorder = p.steps, p.events
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Second
	}
	p.Protocol = consistency.New(cfg)
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_ = p.Close(ctx)
	})
	return p
}

// events remembers what was reported.
type events struct {
	metrics.Nop
	mu     sync.Mutex
	fills  []metrics.FillEvent
	writes []metrics.WriteEvent
	states []metrics.StateEvent
}

func (e *events) Fill(f metrics.FillEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fills = append(e.fills, f)
}

func (e *events) Write(w metrics.WriteEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writes = append(e.writes, w)
}

func (e *events) State(s metrics.StateEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.states = append(e.states, s)
}

func (e *events) lastFill() metrics.FillResult {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.fills) == 0 {
		return ""
	}
	return e.fills[len(e.fills)-1].Result
}

func (e *events) lastWrite() metrics.WriteEvent {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.writes) == 0 {
		return metrics.WriteEvent{}
	}
	return e.writes[len(e.writes)-1]
}

// row is the answer for one row.
type row int

func (r row) Absent() bool { return r == 0 }

func (r row) Append(b []byte) ([]byte, error) { return strconv.AppendInt(b, int64(r), 10), nil }

func (w *world) key(id int) keying.PrimaryKey {
	w.t.Helper()
	k, ok := keying.NewPrimaryKey([]keying.KeyKind{keying.Integer}, id)
	require.True(w.t, ok)
	return k
}

func (w *world) entry(id int) consistency.Entry {
	key, tags := w.table.RowEntry(w.key(id), "v")
	return consistency.Entry{
		Key: key, Tags: tags[:], AbsentTags: []keying.Tag{w.table.Absent()}, TTL: time.Minute, AbsentTTL: time.Minute,
	}
}

func (w *world) get(id int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rows[id]
}

func (w *world) set(id, value int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows[id] = value
}

func (w *world) databaseReads() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reads
}

// answer is what a read gave to the application.
type answer struct {
	values  []int
	outcome metrics.Outcome
	reason  metrics.Reason
	found   int
	joined  bool
	stale   bool
}

// read reads rows as the application does: from the cache, else from the database.
func (p *process) read(ids ...int) answer {
	p.w.t.Helper()
	a, err := p.try(p.w.t.Context(), ids...)
	require.NoError(p.w.t, err)
	return a
}

func (p *process) try(ctx context.Context, ids ...int) (answer, error) {
	return p.ask(ctx, consistency.Request{}, ids...)
}

// ask reads rows as a request has it, which names no entries.
func (p *process) ask(ctx context.Context, req consistency.Request, ids ...int) (answer, error) {
	for _, id := range ids {
		req.Entries = append(req.Entries, p.w.entry(id))
	}
	load := p.load(ids)
	if req.Detach == nil {
		req.Detach = func() consistency.Load { return load }
	}
	if req.Pins == nil {
		req.Pins = &consistency.Pins{}
	}
	reading, err := p.Read(ctx, req, load)
	a := answer{
		outcome: reading.Outcome, reason: reading.Reason, found: reading.Found, joined: reading.Joined, stale: reading.Stale,
	}
	if err != nil {
		return a, err
	}
	if reading.Outcome == metrics.Bypass {
		a.values = p.select_(ids)
		return a, nil
	}
	for i := range ids {
		if reading.Payloads[i].Hit {
			v, err := strconv.Atoi(reading.Payloads[i].Data)
			require.NoError(p.w.t, err)
			a.values = append(a.values, v)
		} else {
			a.values = append(a.values, int(reading.Results[i].(row)))
		}
	}
	return a, nil
}

func pick(ids, at []int) []int {
	picked := make([]int, len(at))
	for n, i := range at {
		picked[n] = ids[i]
	}
	return picked
}

// select_ is one statement: all rows at one instant.
func (p *process) select_(ids []int) []int {
	if p.beforeLoad != nil {
		p.beforeLoad()
	}
	p.w.mu.Lock()
	p.w.reads++
	values := make([]int, len(ids))
	for i, id := range ids {
		values[i] = p.w.rows[id]
	}
	p.w.mu.Unlock()
	if p.afterLoad != nil {
		p.afterLoad()
	}
	return values
}

// cached reads rows until all of them come from the store.
func (p *process) cached(ids ...int) {
	p.w.t.Helper()
	testkit.Eventually(p.w.t, "rows are cached", func() bool { return p.read(ids...).found == len(ids) })
}

// tags are what a write to rows touches.
func (w *world) tags(ids ...int) []keying.Tag {
	tags := []keying.Tag{w.table.List()}
	for _, id := range ids {
		tags = append(tags, w.table.Row(w.key(id)))
	}
	return tags
}

// write changes rows in one transaction that commits, and returns.
func (p *process) write(value int, ids ...int) {
	p.w.t.Helper()
	ctx := p.w.t.Context()
	wr, err := p.Intend(ctx, p.w.tags(ids...))
	require.NoError(p.w.t, err)
	p.w.commit(value, ids...)
	wr.End(ctx, metrics.Committed)
}

func (w *world) commit(value int, ids ...int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.rows[id] = value
	}
}

// ids returns 1 to n.
func ids(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i + 1
	}
	return all
}

// first returns a function that calls f the first time, and lets later callers pass.
func first(f func()) func() {
	var called atomic.Bool
	return func() {
		if called.CompareAndSwap(false, true) {
			f()
		}
	}
}

// request asks for one entry, of a database whose catalog never changes.
func request(e consistency.Entry) consistency.Request {
	return consistency.Request{Entries: []consistency.Entry{e}, Pins: &consistency.Pins{}}
}
