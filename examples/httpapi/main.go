// Command httpapi is a shop behind an HTTP API: users, products and orders in PostgreSQL, through GORM, with the cache.
//
//	go run ./examples/httpapi
//	curl localhost:8080/users/1
//	curl 'localhost:8080/users/1?explain=1'
//	curl -X PATCH -d '{"name":"Grace"}' localhost:8080/users/1
//
// It brings a database and a Redis server of its own, in this process, with a few rows to look at. With DATABASE_URL and
// REDIS_URL set it uses yours, and makes tables whose names begin with httpapi_. It reads, besides:
//
//	ADDR             where it listens; localhost:8080 if it is not set
//	CACHE_NAMESPACE  what the names of its keys in Redis begin with; shop if it is not set
//	CACHE_TIMEOUT    how long an exchange with Redis may take; 100ms if it is not set
//	LOG_LEVEL        debug, info, warn or error; info if it is not set
//	REQUEST_TIMEOUT  how long the database may take for a request; 5s if it is not set
//
// SIGINT and SIGTERM end it, after the requests that are under way.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// grace is how long requests that are under way, and what the cache still has to say, are waited for in the end.
const grace = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "httpapi:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context) error {
	cfg, err := readConfig(os.Getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.logLevel}))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.addr)
	if err != nil {
		return fmt.Errorf("ADDR: %w", err)
	}
	return run(ctx, cfg, listener, log)
}

// run serves until the context is over.
func run(ctx context.Context, cfg config, listener net.Listener, log *slog.Logger) (err error) {
	defer func() { _ = listener.Close() }() // if nobody has
	data, err := open(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.close(ctx)) }()
	log.Info("listening", "address", "http://"+listener.Addr().String(), "servers", data.servers.String())
	return serve(ctx, cfg, listener, newAPI(cfg, data, log), log)
}

// serve answers requests until the context is over, and then those that are under way.
func serve(ctx context.Context, cfg config, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10*time.Second + cfg.requestTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("shutting down")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return server.Shutdown(ctx)
}
