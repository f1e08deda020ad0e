package rediscache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/callbacks"
	"github.com/gorm-rediscache/rediscache/internal/breaker"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/metrics/prom"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

// pluginName is the name under which GORM keeps the plugin.
const pluginName = "rediscache"

// A Plugin caches for the GORM handles that use it. Use [New].
type Plugin struct {
	cfg Config

	mu       sync.Mutex
	closed   bool
	own      io.Closer    // what was made from the environment: a client, or a store
	prom     *prom.Handle // nil without a Registerer
	protocol *consistency.Protocol
	hooks    *callbacks.Hooks
	advisor  metrics.Advisor
}

var _ gorm.Plugin = (*Plugin)(nil)

// New returns a plugin. It dials nothing, and cannot fail: what is wrong with the Config is the error of gorm.DB.Use.
//
// One plugin may be used by several handles, of one database or of several; they share its connections.
func New(cfg Config) *Plugin { return &Plugin{cfg: cfg} }

// Name implements [gorm.Plugin].
func (p *Plugin) Name() string { return pluginName }

// Initialize implements [gorm.Plugin]; gorm.DB.Use calls it. It asks the database what it is and what tables it has.
func (p *Plugin) Initialize(db *gorm.DB) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	ctx := context.Background() //nolint:forbidigo // GORM hands none
	first := p.hooks == nil
	if first {
		if err := p.start(); err != nil {
			return err
		}
	}
	if err := p.hooks.Register(ctx, db); err != nil {
		if first { // nobody will close a plugin that could not be used
			_ = p.stop(ctx)
			p.hooks = nil
		}
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}

// start makes everything that handles share.
func (p *Plugin) start() error {
	cfg := p.cfg.withDefaults()
	if p.cfg.Timeout == 0 && cfg.isUpstash(os.Getenv) {
		cfg.Timeout = upstashstore.DefaultTimeout
	}
	serverless := cfg.Serverless.in(os.Getenv)
	s, err := p.open(cfg, serverless)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	cipher, err := cfg.cipher()
	if err != nil {
		return errors.Join(err, p.disown())
	}
	if cfg.Recorder, err = p.record(cfg); err != nil {
		return errors.Join(err, p.disown())
	}
	relay := func() {} // until there is something that could be relayed
	guarded := breaker.Wrap(s, breaker.Options{
		Timeout: cfg.Timeout,
		Logger:  cfg.Logger,
		OnChange: func(open bool) {
			cfg.Recorder.State(metrics.StateEvent{State: metrics.StoreOpen, On: open})
			if !open {
				relay() // what was left meanwhile
			}
		},
		OnError: func(err error) {
			cfg.Recorder.State(metrics.StateEvent{
				State: metrics.StoreError, On: true, Error: errorKind(err), Detail: err.Error(),
			})
		},
	})
	p.protocol = consistency.New(consistency.Config{
		Store: guarded, Outage: consistency.Outage(cfg.OnOutage), Timeout: cfg.Timeout, MaxEntry: cfg.MaxBytes,
		MaxMisses: cfg.MaxMisses, Foreground: serverless, Recorder: cfg.Recorder, Logger: cfg.Logger,
		Cipher: cipher,
	})
	options := callbacks.Options{
		Protocol: p.protocol, Namespace: cfg.Namespace, OwnNamespace: cfg.Namespace != "", Layout: s.Layout(),
		Policy: cfg.Policy, Models: cfg.Models, MaxRows: cfg.MaxRows, MaxBytes: cfg.MaxBytes, WrapConnPool: cfg.WrapConnPool,
		ReadReplicas: cfg.ReadReplicas, Foreground: serverless, LearnTimeout: cfg.LearnTimeout,
		Recorder: cfg.Recorder, Advisor: &p.advisor, Logger: cfg.Logger, Annotate: cfg.Annotate,
		Outbox: cfg.OnOutage == Outbox, Partition: cfg.Partition,
	}
	if options.Namespace == "" {
		options.Namespace = keying.DefaultNamespace
	}
	if options.Host, err = os.Hostname(); err != nil {
		options.Host = "localhost"
	}
	p.hooks = callbacks.New(options)
	relay = p.hooks.Relay
	p.observe(cfg, options.Namespace, s, guarded)
	return nil
}

// Close stops caching: from now on every statement of the handles goes to the database. It waits, until the context is
// over, for answers that are being stored and for writes that Redis still has to be told of. It closes the client that
// the plugin made from the environment, and no other.
//
// A handle that goes on writing afterwards does not tell Redis: close the plugin when the application stops.
func (p *Plugin) Close(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.hooks == nil {
		p.closed = true
		return nil
	}
	p.closed = true
	if err := p.stop(ctx); err != nil {
		return fmt.Errorf("rediscache: close: %w", err)
	}
	return nil
}

// stop ends what start has made.
func (p *Plugin) stop(ctx context.Context) error {
	p.hooks.Drain(ctx)
	errs := []error{p.hooks.Close(ctx), p.protocol.Close(ctx)}
	p.unobserve()
	errs = append(errs, p.disown())
	return errors.Join(errs...)
}

// disown closes what was made from the environment.
func (p *Plugin) disown() error {
	if p.own == nil {
		return nil
	}
	err := p.own.Close()
	p.own = nil
	return err
}
