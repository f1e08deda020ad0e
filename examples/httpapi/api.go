package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// maxBody is how long the body of a request may be, in bytes.
const maxBody = 64 << 10

// api answers requests.
type api struct {
	db       *gorm.DB
	counters *metrics.Counters
	log      *slog.Logger
	timeout  time.Duration // of a request
}

// An endpoint answers a call with what becomes JSON: a value, created, or nil for nothing; or with an error.
type endpoint func(*call) (any, error)

// newAPI returns the handler of all requests.
func newAPI(cfg config, data *storage, log *slog.Logger) http.Handler {
	a := &api{db: data.db, counters: data.counters, log: log, timeout: cfg.requestTimeout}
	mux := http.NewServeMux()
	for pattern, e := range map[string]endpoint{
		"GET /users":              a.listUsers,
		"POST /users":             a.createUser,
		"GET /users/{id}":         a.getUser,
		"PATCH /users/{id}":       a.updateUser,
		"DELETE /users/{id}":      a.deleteUser,
		"GET /users/{id}/orders":  a.listOrders,
		"POST /users/{id}/orders": a.createOrder,
		"GET /orders/{id}":        a.getOrder,
		"PATCH /orders/{id}":      a.updateOrder,
		"GET /products":           a.listProducts,
		"POST /products":          a.createProduct,
		"GET /products/{id}":      a.getProduct,
		"PATCH /products/{id}":    a.updateProduct,
		"DELETE /products/{id}":   a.deleteProduct,
		"GET /ready":              a.ready,
		"GET /stats":              a.stats,
	} {
		mux.Handle(pattern, a.handler(e))
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(data.registry, promhttp.HandlerOpts{}))
	return a.logged(unmatchedAsJSON(mux))
}

// handler lets an endpoint answer requests, within their limits.
func (a *api) handler(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), a.timeout)
		defer cancel()
		c, err := newCall(a.db.WithContext(ctx), w, r)
		var body any
		if err == nil {
			body, err = e(c)
		}
		status, response := a.response(ctx, body, err)
		response.Explain = c.explanation()
		if status == http.StatusNoContent && response.Explain != nil {
			status = http.StatusOK
		}
		if made, ok := body.(created); ok && err == nil {
			w.Header().Set("Location", made.location)
		}
		write(w, status, response)
	})
}

// envelope is the JSON of every answer.
type envelope struct {
	Data    any        `json:"data,omitempty"`
	Error   string     `json:"error,omitempty"`
	Explain [][]string `json:"explain,omitempty"`
}

// created is the answer to a POST.
type created struct {
	location string
	body     any
}

// response returns what an endpoint's answer is in HTTP.
func (a *api) response(ctx context.Context, body any, err error) (status int, e envelope) {
	if err != nil {
		status, text := explainError(err)
		if status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) { // by the client
			a.log.ErrorContext(ctx, "request failed", "status", status, "error", err)
		}
		return status, envelope{Error: text}
	}
	switch body := body.(type) {
	case nil:
		return http.StatusNoContent, envelope{}
	case created:
		return http.StatusCreated, envelope{Data: body.body}
	default:
		return http.StatusOK, envelope{Data: body}
	}
}

func write(w http.ResponseWriter, status int, e envelope) {
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // SQL has < and >
	if err := encoder.Encode(e); err != nil {
		panic(err) // a value that JSON does not have is a mistake in the program
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // if it fails, the client is gone
}

// ready says whether requests can be answered: whether the database can. That Redis is away makes it slower, not unready.
func (a *api) ready(c *call) (any, error) {
	pool, err := a.db.DB()
	if err != nil {
		return nil, err
	}
	if err := pool.PingContext(c.Context()); err != nil {
		return nil, &httpError{http.StatusServiceUnavailable, "the database does not answer"}
	}
	return "ready", nil
}

// stats says what the cache has done so far.
func (a *api) stats(*call) (any, error) { return a.counters.Totals(), nil }

// logged logs every request.
func (a *api) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, seen := time.Now(), &statusWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		a.log.InfoContext(r.Context(), "request",
			"method", r.Method, "path", r.URL.Path, "status", seen.status, "took", time.Since(start).Round(time.Microsecond))
	})
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// unmatchedAsJSON answers what no pattern matches with the mux' own status, 404 or 405, in JSON.
func unmatchedAsJSON(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		silent := &silentWriter{header: w.Header()} // the mux sets Allow
		refuse.ServeHTTP(silent, r)
		write(w, silent.status, envelope{Error: fmt.Sprintf("%s %s: %s", r.Method, r.URL.Path, http.StatusText(silent.status))})
	})
}

// silentWriter takes the status and the header, and writes nothing.
type silentWriter struct {
	header http.Header
	status int
}

// Header implements [http.ResponseWriter].
func (w *silentWriter) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *silentWriter) WriteHeader(status int) { w.status = status }

// Write implements [http.ResponseWriter].
func (w *silentWriter) Write(b []byte) (int, error) { return len(b), nil }
