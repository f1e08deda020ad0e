package rediscache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/internal/breaker"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/metrics/prom"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

// record makes what receives the plugin's events.
func (p *Plugin) record(cfg Config) (metrics.Recorder, error) {
	recorders := []metrics.Recorder{cfg.Recorder, metrics.NewLog(cfg.Logger)}
	if cfg.Registerer != nil {
		handle, err := prom.Register(cfg.Registerer)
		if err != nil {
			return nil, fmt.Errorf("%w: Config.Registerer: %w", ErrConfig, err)
		}
		p.prom = handle
		recorders = append(recorders, handle)
	}
	return metrics.Tee(recorders...), nil
}

// observe lets Prometheus ask what the plugin and its store are doing.
func (p *Plugin) observe(cfg Config, namespace string, inner store.Store, guarded *breaker.Store) {
	if p.prom == nil {
		return
	}
	source := prom.Source{Timeout: cfg.Timeout, Namespace: namespace}
	protocol, hooks := p.protocol, p.hooks // those of now: a scrape may come at any time
	source.Gauges = func() metrics.Gauges {
		b := protocol.Backlog()
		g := metrics.Gauges{
			StoreOpen: guarded.GivenUp(), Fills: b.Fills, Plans: hooks.Plans(), Journal: b.Journal, InDoubt: b.InDoubt,
		}
		if !b.Since.IsZero() {
			g.JournalAge = time.Since(b.Since)
		}
		g.Outbox, g.OutboxAge = hooks.Outbox()
		return g
	}
	if s, ok := inner.(*redisstore.Store); ok {
		sampler := redisstore.NewSampler(s, namespace+"/", cfg.Logger)
		source.Pool, source.Client, source.ServerName = sampler.Pool, sampler.Client(), sampler.Name()
		source.Server = func(ctx context.Context) (metrics.Server, error) {
			if guarded.Open() {
				return metrics.Server{}, store.ErrUnavailable
			}
			return sampler.Sample(ctx)
		}
	}
	p.prom.Observe(source)
}

// unobserve takes the plugin out of the metrics.
func (p *Plugin) unobserve() {
	if p.prom != nil {
		p.prom.Close()
		p.prom = nil
	}
}

// errorKind says how Redis failed.
func errorKind(err error) metrics.ErrorKind {
	var network net.Error
	var refusal redis.Error
	switch {
	case errors.Is(err, upstashstore.ErrUnauthorized):
		return metrics.ErrorAuth
	case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		return metrics.ErrorPool
	case errors.As(err, &refusal):
		return refusalKind(err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return metrics.ErrorTimeout
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return metrics.ErrorConnection
	default:
		return metrics.ErrorOther
	}
}

// refusalKind says what kind of answer an error is that the server itself has sent.
func refusalKind(err error) metrics.ErrorKind {
	for kind, prefixes := range map[metrics.ErrorKind][]string{
		metrics.ErrorMemory:     {"OOM"},
		metrics.ErrorAuth:       {"NOAUTH", "WRONGPASS", "NOPERM", "invalid password", "Client sent AUTH"},
		metrics.ErrorReadOnly:   {"READONLY", "-READONLY"},
		metrics.ErrorScript:     {"NOSCRIPT", "BUSY ", "Error running script", "Error compiling script", "user_script"},
		metrics.ErrorConnection: {"LOADING", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "ASK", "max number of clients"},
	} {
		for _, prefix := range prefixes {
			if redis.HasErrorPrefix(err, prefix) {
				return kind
			}
		}
	}
	return metrics.ErrorOther
}
