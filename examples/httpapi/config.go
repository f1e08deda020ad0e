package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"
)

// config is what the environment says.
type config struct {
	getenv    func(string) string // for what others read: DATABASE_URL, REDIS_URL
	addr      string
	namespace string
	logLevel  slog.Level
	// requestTimeout is what the database may take for all of a request; cacheTimeout, what Redis may for an exchange.
	requestTimeout, cacheTimeout time.Duration
}

// readConfig reads the environment. An error names the variable.
func readConfig(getenv func(string) string) (config, error) {
	cfg := config{
		getenv:    getenv,
		addr:      cmp.Or(getenv("ADDR"), "localhost:8080"),
		namespace: cmp.Or(getenv("CACHE_NAMESPACE"), "shop"),
	}
	if level := getenv("LOG_LEVEL"); level != "" {
		if err := cfg.logLevel.UnmarshalText([]byte(level)); err != nil {
			return config{}, fmt.Errorf("LOG_LEVEL: want debug, info, warn or error, got %q", level)
		}
	}
	var err error
	if cfg.requestTimeout, err = duration(getenv, "REQUEST_TIMEOUT", 5*time.Second); err != nil {
		return config{}, err
	}
	if cfg.cacheTimeout, err = duration(getenv, "CACHE_TIMEOUT", 100*time.Millisecond); err != nil {
		return config{}, err
	}
	return cfg, nil
}

// duration reads a variable that holds a duration.
func duration(getenv func(string) string, name string, fallback time.Duration) (time.Duration, error) {
	text := getenv(name)
	if text == "" {
		return fallback, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s: want a duration such as %v, got %q", name, fallback, text)
	}
	return d, nil
}
