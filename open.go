package rediscache

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

// open returns what holds the cache. The error is everything that is wrong with the configuration and the environment.
// Nothing is dialed.
func (p *Plugin) open(cfg Config, serverless bool) (store.Store, error) {
	errs := cfg.validate()
	var s store.Store
	var err error
	switch {
	case cfg.Store != nil:
		s = cfg.Store
	case cfg.Redis != nil:
		if s, err = cfg.on(cfg.Redis); err != nil {
			err = fmt.Errorf("Config.Redis: %w", err)
		}
	case cfg.isUpstash(os.Getenv):
		s, err = p.onUpstash(cfg)
	default:
		s, err = p.onEnvironment(cfg, serverless)
	}
	if err = errors.Join(append(errs, err)...); err != nil {
		_ = p.disown() // it was not used
	}
	return s, err
}

// on returns a store on a client.
func (c Config) on(client redis.UniversalClient) (store.Store, error) {
	return redisstore.New(client, redisstore.Options{Timeout: c.Timeout, Logger: c.Logger})
}

// onEnvironment returns a store on a client that is made from the environment.
func (p *Plugin) onEnvironment(cfg Config, serverless bool) (store.Store, error) {
	at, err := endpointFromEnv(os.Getenv)
	if err != nil {
		return nil, err
	}
	client := newClient(at, cfg.Timeout, serverless)
	p.own = client
	return cfg.on(client)
}

// isUpstash reports whether the environment has to say where the cache is, and names a database of Upstash's by its REST
// API, and no other.
func (c Config) isUpstash(getenv func(string) string) bool {
	e := environment{getenv: getenv}
	if c.Redis != nil || c.Store != nil ||
		slices.ContainsFunc([]string{envURL, envHost, envPort, envAddrs, envMasterName}, e.set) {
		return false
	}
	return e.set(upstashstore.EnvURL) || e.set(upstashstore.EnvToken)
}

func (p *Plugin) onUpstash(cfg Config) (store.Store, error) {
	opt, _, err := upstashstore.FromEnv(os.Getenv)
	if err != nil {
		return nil, err
	}
	opt.Timeout = cfg.Timeout
	s, err := upstashstore.New(opt)
	if err != nil {
		return nil, err
	}
	p.own = s
	return s, nil
}
