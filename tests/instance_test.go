package tests_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// instance is an instance of an application: another process, with a handle of its own, that reads and writes members when
// it is told to. It stops itself with SIGSTOP at a moment that the test chooses: between any two steps of the protocol.
type instance struct {
	*child
	early []report // answers that came before the moment did
}

// A task is what an instance has to do, and at which moment of it the process stops.
type task struct {
	Do   string
	ID   int
	Name string
	At   string
}

// What an instance can do.
const (
	doRead       = "read"       // one row, by its key
	doList       = "list"       // all rows, as text
	doUpdate     = "update"     // one row, in GORM's default transaction
	doAutocommit = "autocommit" // the same, without a transaction
)

// A report is what an instance answers: to what it did, or that it has come to its moment.
type report struct {
	At, Value, Error string
	Outcome          metrics.Outcome
	Reason           metrics.Reason
}

// The moments of the database, in addition to those of a gate.
const (
	beforeQuery     = "before the database is read"
	afterQuery      = "after the database was read"
	beforeStatement = "before the statement"
	afterStatement  = "after the statement"
	beforeCommit    = "before COMMIT"
	afterCommit     = "after COMMIT"
)

// How long an intent of an instance lives; as long as in production, if it is zero.
const instanceIntent = "REDISCACHE_INSTANCE_INTENT"

// instance starts one.
func (w *world) instance(intent time.Duration) *instance {
	w.t.Helper()
	return &instance{child: w.child("TestProcessThatIsAnInstance", instanceIntent+"="+intent.String())}
}

// onPostgresOfItsOwn is a server for the connections of many instances.
func onPostgresOfItsOwn() *dialect {
	d := onPostgres()
	d.database = func(t testing.TB) string {
		t.Helper()
		return testkit.StartPostgres(t, "max_connections=100").URL
	}
	return d
}

// begin gives a task.
func (i *instance) begin(o task) {
	i.t.Helper()
	line, err := json.Marshal(o)
	require.NoError(i.t, err)
	i.say(string(line))
}

// do gives a task and returns the answer.
func (i *instance) do(o task) report {
	i.t.Helper()
	i.begin(o)
	return i.answer()
}

// answer returns the answer to the oldest task without one.
func (i *instance) answer() report {
	i.t.Helper()
	if len(i.early) > 0 {
		first := i.early[0]
		i.early = i.early[1:]
		return first
	}
	r := i.report()
	require.Empty(i.t, r.At)
	return r
}

// awaitStop waits until the process has stopped itself at its moment.
func (i *instance) awaitStop(at string) {
	i.t.Helper()
	for r := i.report(); r.At != at; r = i.report() {
		require.Empty(i.t, r.At+r.Error)
		i.early = append(i.early, r)
	}
	var status syscall.WaitStatus
	_, err := syscall.Wait4(i.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	require.NoError(i.t, err)
	require.True(i.t, status.Stopped(), "%#x", status)
}

// goOn ends a stop.
func (i *instance) goOn() {
	i.t.Helper()
	require.NoError(i.t, i.cmd.Process.Signal(syscall.SIGCONT))
}

func (i *instance) report() (r report) {
	i.t.Helper()
	line := i.hear()
	require.NoError(i.t, json.Unmarshal([]byte(line), &r), line)
	return r
}

// TestProcessThatIsAnInstance is not a test: it is the process that an instance is.
func TestProcessThatIsAnInstance(t *testing.T) { //nolint:paralleltest // it is no test
	dsn, client, namespace := bornInto(t)
	if dsn == "" {
		return
	}
	intent, err := time.ParseDuration(os.Getenv(instanceIntent))
	require.NoError(t, err)
	inner, err := redisstore.New(client, redisstore.Options{Timeout: patience})
	require.NoError(t, err)
	p := openInstance(t, dsn, namespace, shortIntents{inner, intent})
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var o task
		require.NoError(t, json.Unmarshal(lines.Bytes(), &o))
		p.stopAt(t, o.At)
		p.print(p.run(o))
	}
}

// runningInstance is an instance, seen from inside.
type runningInstance struct {
	db   *gorm.DB
	gate *gate
	log  *events
}

func openInstance(t *testing.T, dsn, namespace string, s store.Store) *runningInstance {
	t.Helper()
	g := &gate{Store: s, holds: map[string][]*hold{}, passed: map[string]int{}}
	conn, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	conn.Tracer = moments{g}
	pool := stdlib.OpenDB(*conn)
	pool.SetMaxIdleConns(1) // there are many instances
	t.Cleanup(func() { _ = pool.Close() })
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	p := &runningInstance{db: db, gate: g, log: &events{}}
	plugin := rediscache.New(rediscache.Config{
		Store: g, Namespace: namespace, Timeout: patience, LearnTimeout: patience, Recorder: p.log, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { _ = plugin.Close(context.Background()) })
	return p
}

// stopAt makes the process stop itself at the next time that it comes to a moment.
func (p *runningInstance) stopAt(t *testing.T, moment string) {
	t.Helper()
	if moment == "" {
		return
	}
	h := p.gate.hold(t, moment)
	goesOn := make(chan os.Signal, 1)
	signal.Notify(goesOn, syscall.SIGCONT)
	go func() {
		<-h.arrived
		p.print(report{At: moment})
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-goesOn // kill may return before the process stands still
		h.resume()
	}()
}

func (p *runningInstance) print(r report) {
	line, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func (p *runningInstance) run(o task) report {
	p.log.mu.Lock()
	p.log.reads = nil
	p.log.mu.Unlock()
	value, err := p.carryOut(o)
	r := report{Value: value}
	if err != nil {
		r.Error = err.Error()
	}
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	for _, e := range p.log.reads {
		r.Outcome, r.Reason = e.Outcome, e.Reason
	}
	return r
}

var errNoSuchTask = errors.New("no such task")

func (p *runningInstance) carryOut(o task) (string, error) {
	switch o.Do {
	case doRead:
		var m member
		err := p.db.First(&m, o.ID).Error
		return m.Name, err
	case doList:
		var all []member
		err := p.db.Order("id").Find(&all).Error
		return listed(all), err
	case doUpdate:
		return "", p.db.Model(&member{ID: o.ID}).Update("name", o.Name).Error
	case doAutocommit:
		return "", p.db.Session(&gorm.Session{SkipDefaultTransaction: true}).Model(&member{ID: o.ID}).Update("name", o.Name).Error
	}
	return "", fmt.Errorf("%w: %s", errNoSuchTask, o.Do)
}

// listed is what an instance answers of a list.
func listed(all []member) string {
	names := make([]string, len(all))
	for i, m := range all {
		names[i] = m.Name
	}
	return strings.Join(names, " ")
}

// shortIntents is a store on which an intent lives for less than in production, if it is not zero.
type shortIntents struct {
	store.Store
	life time.Duration
}

// Intend implements store.Store.
func (s shortIntents) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	if s.life > 0 {
		ttl = s.life
	}
	return s.Store.Intend(ctx, writer, ttl, tags, watch)
}

// moments are those of the database: what is on its way to members, and COMMIT.
type moments struct{ gate *gate }

var _ pgx.QueryTracer = moments{}

type momentAfter struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (m moments) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	before, after := momentsOf(d.SQL)
	m.gate.pass(before)
	return context.WithValue(ctx, momentAfter{}, after)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (m moments) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	if after, ok := ctx.Value(momentAfter{}).(string); ok {
		m.gate.pass(after)
	}
}

func momentsOf(sql string) (before, after string) {
	switch {
	case strings.EqualFold(sql, "commit"):
		return beforeCommit, afterCommit
	case strings.HasPrefix(sql, `UPDATE "members"`):
		return beforeStatement, afterStatement
	case strings.HasPrefix(sql, "SELECT") && strings.Contains(sql, `FROM "members"`):
		return beforeQuery, afterQuery
	}
	return "", ""
}
