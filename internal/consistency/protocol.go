package consistency

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/background"
	"github.com/gorm-rediscache/rediscache/internal/flight"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// Outage says what a write does that cannot reach the store before its COMMIT.
type Outage uint8

const (
	// Journal commits, and remembers the tags in this process until the store has been told.
	Journal Outage = iota
	// FailWrite refuses the write with [ErrUnannounced].
	FailWrite
	// Outbox is Journal, and the caller leaves [Write.Untold] in the database, with the write.
	Outbox
)

// ErrUnannounced is returned for a write that was refused because the store could not be told of it beforehand.
var ErrUnannounced = errors.New("write refused: the cache could not be told of it")

// Defaults of [Config].
const (
	DefaultTimeout     = 100 * time.Millisecond
	DefaultIntentTTL   = 30 * time.Second
	DefaultInDoubtHold = time.Minute
	DefaultMaxEntry    = 1 << 20
)

// Tokens of rows and scopes live for a day after their last mint: there may be very many. The others are as many as
// tables, and when one goes, everything under it has to be read again.
const (
	fineTokenTTL  = 24 * time.Hour
	tableTokenTTL = 30 * 24 * time.Hour
)

// maxFills bounds the fills that are under way. What comes on top is not stored: the next reader will try again.
const maxFills = 256

// Config configures a [Protocol]. Zero fields have defaults.
type Config struct {
	Store  store.Store
	Outage Outage
	// Timeout bounds each step of a write that has to go on after its caller's context is over.
	Timeout time.Duration
	// IntentTTL is how long a writer that died keeps readers from caching what it was about to write.
	IntentTTL time.Duration
	// InDoubtHold is how long a COMMIT without an answer is taken for one that may still be carried out.
	InDoubtHold time.Duration
	// Foreground leaves nothing to goroutines: answers are stored before Read returns, and what the store still has to be told
	// of a write it is told at the next Read or Intend.
	Foreground bool
	// MaxEntry is the greatest size of an entry, in bytes.
	MaxEntry int
	// MaxMisses is how many misses read the database at the same time. Zero: any number.
	MaxMisses int
	// Draw returns a random number from 0 to below 1; nil: math/rand does. A simulation draws the same each time.
	Draw func() float64
	// Cipher encrypts payloads; nil: they are stored as they are.
	Cipher   Cipher
	Recorder metrics.Recorder
	Logger   *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.IntentTTL <= 0 {
		c.IntentTTL = DefaultIntentTTL
	}
	if c.InDoubtHold <= 0 {
		c.InDoubtHold = DefaultInDoubtHold
	}
	if c.MaxEntry <= 0 {
		c.MaxEntry = DefaultMaxEntry
	}
	if c.Draw == nil {
		c.Draw = mathrand.Float64
	}
	if c.Recorder == nil {
		c.Recorder = metrics.Nop{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// A Protocol takes the steps of reads and writes for one process. Use [New].
type Protocol struct {
	cfg        Config
	registries registries
	flights    flight.Group[loaded]
	stampedes  stampedes
	fills      chan struct{} // one element for each fill under way
	renewals   chan struct{} // one element for each read in the background
	renewing   sync.Map      // what they read: keys of entries → true
	keeper     keeper
	refuses    func() bool       // whether the store would fail at once
	work       *background.Group // fills, reads in the background, and the keeper
	warned     atomic.Int64      // when the log was told of a corrupt entry
	panicked   atomic.Bool       // whether the log has the stack of a panic
	stop       context.CancelFunc
	stopped    context.Context //nolint:containedctx // ends with the protocol, not with a call
}

// New returns a protocol on a store.
func New(cfg Config) *Protocol {
	p := &Protocol{
		cfg: cfg.withDefaults(), fills: make(chan struct{}, maxFills), renewals: make(chan struct{}, maxRenewals),
	}
	p.work = background.New(func(value any) { p.Panicked(p.stopped, value) })
	p.stampedes = newStampedes(p.cfg)
	p.stopped, p.stop = context.WithCancel(context.Background()) //nolint:forbidigo // as above
	p.keeper.p, p.keeper.paying = p, make(chan struct{}, 1)
	p.refuses = func() bool { return false }
	if s, ok := cfg.Store.(interface{ Refuses() bool }); ok {
		p.refuses = s.Refuses
	}
	return p
}

// Close waits, until the context is over, for fills that are under way and for writes that the store still has to be
// told of, then gives up what is left. The protocol must not be used afterwards.
func (p *Protocol) Close(ctx context.Context) error {
	err := p.keeper.drain(ctx)
	p.work.Close()
	p.stop()
	if err = errors.Join(err, p.work.Wait(ctx)); err != nil {
		return fmt.Errorf("consistency: close: %w", err)
	}
	return nil
}

// spawn runs f in the background; Close waits for it. It answers false once the protocol is closed: then nothing begins
// any more, though statements may still be under way.
func (p *Protocol) spawn(f func()) bool { return p.work.Go(f) }

// Unusable says why Read would answer nothing now, without asking anybody: the store has been given up, and it is not
// time to try it again. It is empty if that has to be seen.
func (p *Protocol) Unusable() metrics.Reason {
	switch {
	case !p.refuses():
		return ""
	case p.keeper.strict.Load() > 0:
		return metrics.ReasonJournal
	default:
		return metrics.ReasonStore
	}
}

// Corrupt reports a name under which there is what the cache has not put there, or cannot read: an entry that does not
// decode, or no token. There may be many: the log is told once a minute.
func (p *Protocol) Corrupt(ctx context.Context, name string) {
	p.cfg.Recorder.State(metrics.StateEvent{State: metrics.CorruptEntry, On: true, Detail: name})
	now := time.Now().Unix()
	if last := p.warned.Load(); now-last >= 60 && p.warned.CompareAndSwap(last, now) {
		p.cfg.Logger.WarnContext(ctx, "rediscache: an entry does not decode; taken for a miss", "key", name)
	}
}

// Panicked reports a panic of the cache's own code, with the stack of its caller, who has recovered from it. There may be
// many: the log gets the first one.
func (p *Protocol) Panicked(ctx context.Context, value any) {
	p.cfg.Recorder.State(metrics.StateEvent{State: metrics.Panicked, On: true, Detail: fmt.Sprint(value)})
	if !p.panicked.Swap(true) {
		p.cfg.Logger.ErrorContext(ctx, "rediscache: the cache panicked; please report this. The statement was answered by the "+
			"database. Later panics are only counted", "panic", value, "stack", string(debug.Stack()))
	}
}

// background returns a context for a step that has to be taken whatever becomes of the caller's: it keeps the
// caller's values, and has a deadline of its own.
func (p *Protocol) background(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeout)
}

// random returns n random bytes.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return string(b)
}
