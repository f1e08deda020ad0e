package rediscache

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Environment variables that a zero [Config] reads.
const (
	envURL      = "REDIS_URL"
	envHost     = "REDIS_HOST"
	envPort     = "REDIS_PORT"
	envUsername = "REDIS_USERNAME"
	envPassword = "REDIS_PASSWORD"
	envDB       = "REDIS_DB"
	envTLS      = "REDIS_TLS"
)

// optionsFromEnv returns the options of a client from the environment. An error names the variable; it does not repeat
// a value that may hold a password.
func optionsFromEnv(getenv func(string) string, timeout time.Duration) (*redis.Options, error) {
	opt := &redis.Options{}
	if url := getenv(envURL); url != "" {
		parsed, err := redis.ParseURL(url)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: want redis://[user:password@]host:port/db or rediss://…", ErrConfig, envURL)
		}
		opt = parsed
	} else if err := fromParts(opt, getenv); err != nil {
		return nil, err
	}
	opt.ContextTimeoutEnabled = true
	opt.ReadTimeout, opt.WriteTimeout = timeout, timeout
	return opt, nil
}

// fromParts reads the variables that stand for parts of a URL.
func fromParts(opt *redis.Options, getenv func(string) string) error {
	host, port := getenv(envHost), getenv(envPort)
	if host == "" {
		host = "localhost"
	}
	if port == "" {
		port = "6379"
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("%w: %s: want a port, got %q", ErrConfig, envPort, port)
	}
	opt.Addr = net.JoinHostPort(host, port)
	opt.Username, opt.Password = getenv(envUsername), getenv(envPassword)
	if db := getenv(envDB); db != "" {
		n, err := strconv.Atoi(db)
		if err != nil || n < 0 {
			return fmt.Errorf("%w: %s: want the number of a database, got %q", ErrConfig, envDB, db)
		}
		opt.DB = n
	}
	if use := getenv(envTLS); use != "" {
		on, err := strconv.ParseBool(use)
		if err != nil {
			return fmt.Errorf("%w: %s: want true or false, got %q", ErrConfig, envTLS, use)
		}
		if on {
			opt.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
		}
	}
	return nil
}
