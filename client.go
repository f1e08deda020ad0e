package rediscache

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Of clients that the plugin makes.
const (
	// retries is how often an exchange is tried again if its connection turns out to be dead, or the server asks to: at
	// once, as all of it has to fit into Config.Timeout. When a server that cannot be reached is asked again is up to
	// package breaker.
	retries               = 3
	firstRetry, lastRetry = time.Millisecond, 10 * time.Millisecond
	dialTimeout           = time.Second

	serverlessConns = 4
	serverlessIdle  = 5 * time.Second
)

// newClient returns a client of an endpoint. It dials nothing.
func newClient(at endpoint, timeout time.Duration, serverless bool) redis.UniversalClient {
	opt := at.server
	tune(&opt, timeout, serverless)
	if len(at.addrs) == 0 {
		return redis.NewClient(&opt)
	}
	all := redis.UniversalOptions{
		Addrs: at.addrs, MasterName: at.master, IsClusterMode: at.master == "",
		Username: opt.Username, Password: opt.Password, DB: opt.DB, TLSConfig: opt.TLSConfig,
		SentinelUsername: at.sentinelUsername, SentinelPassword: at.sentinelPassword,
		MaxRetries: opt.MaxRetries, MinRetryBackoff: opt.MinRetryBackoff, MaxRetryBackoff: opt.MaxRetryBackoff,
		Dialer: opt.Dialer, DialTimeout: opt.DialTimeout, DialerRetries: opt.DialerRetries,
		ReadTimeout: opt.ReadTimeout, WriteTimeout: opt.WriteTimeout, ContextTimeoutEnabled: opt.ContextTimeoutEnabled,
		PoolSize: opt.PoolSize, PipelinePoolSize: opt.PipelinePoolSize, ConnMaxIdleTime: opt.ConnMaxIdleTime,
		MaintNotificationsConfig: opt.MaintNotificationsConfig,
	}
	client := redis.NewUniversalClient(&all)
	if at.master != "" {
		client.AddHook(lookup{}) // the address is asked of Sentinels, which may be away, too
	}
	return client
}

// tune sets what the environment does not say. What the query part of a URL says stays.
func tune(opt *redis.Options, timeout time.Duration, serverless bool) {
	opt.ContextTimeoutEnabled = true
	opt.ReadTimeout, opt.WriteTimeout = timeout, timeout
	opt.MaxRetries = cmp.Or(opt.MaxRetries, retries)
	opt.MinRetryBackoff = cmp.Or(opt.MinRetryBackoff, firstRetry)
	opt.MaxRetryBackoff = cmp.Or(opt.MaxRetryBackoff, lastRetry)
	// A connection that is made when the caller has gone is there for the next one.
	opt.DialTimeout = cmp.Or(opt.DialTimeout, max(timeout, dialTimeout))
	opt.DialerRetries = 1
	if serverless {
		opt.DialTimeout = timeout // nobody works on it when the caller has gone
		opt.PoolSize = cmp.Or(opt.PoolSize, serverlessConns)
		opt.PipelinePoolSize = -1 // pipelines share the connections
		opt.MinIdleConns = 0
		opt.ConnMaxIdleTime = cmp.Or(opt.ConnMaxIdleTime, serverlessIdle)
		opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	}
	opt.Dialer = dialer(opt.TLSConfig, opt.DialTimeout)
}

// dialer returns a function that connects, over TLS if there is a configuration for it. It ends with its context, which the
// default of go-redis does not over TLS.
func dialer(cfg *tls.Config, timeout time.Duration) func(context.Context, string, string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: timeout, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 30 * time.Second, Interval: 5 * time.Second, Count: 3, // as go-redis has it
	}}
	dial := plain.DialContext
	if cfg != nil {
		dial = (&tls.Dialer{NetDialer: plain, Config: cfg}).DialContext
	}
	return lookup{}.DialHook(dial)
}

// A lookup hands the failure to reach a server on as a connection that fails with it. A pool of go-redis that cannot dial
// logs that on stderr, each time, and in the end refuses everything until a goroutine of its own, which tries once a
// second, has reached the server: but when it is asked again, and what is logged, is up to package breaker.
type lookup struct{}

func (lookup) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if err != nil {
			return unreachable{addr: addr, err: err}, nil //nolint:nilerr // as it says
		}
		return conn, nil
	}
}

func (lookup) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (lookup) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// unreachable is a connection to a server that could not be reached.
type unreachable struct {
	net.Conn
	addr string
	err  error
}

// An unreachableError is not one that go-redis would try again.
type unreachableError struct{ text string }

func (e unreachableError) Error() string { return e.text }

func (u unreachable) Read([]byte) (int, error)         { return 0, unreachableError{u.err.Error()} }
func (u unreachable) Write([]byte) (int, error)        { return 0, unreachableError{u.err.Error()} }
func (u unreachable) Close() error                     { return nil }
func (u unreachable) LocalAddr() net.Addr              { return u }
func (u unreachable) RemoteAddr() net.Addr             { return u }
func (u unreachable) Network() string                  { return "none" }
func (u unreachable) String() string                   { return u.addr }
func (u unreachable) SetDeadline(time.Time) error      { return nil }
func (u unreachable) SetReadDeadline(time.Time) error  { return nil }
func (u unreachable) SetWriteDeadline(time.Time) error { return nil }
