package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// service is the program, on a private schema of a real PostgreSQL and a private namespace of a real Redis. The test can cut
// it off from both.
type service struct {
	t               *testing.T
	base            string
	dsn             string // past the proxy
	database, redis *testkit.Proxy
	stop            context.CancelFunc
	ended           chan error
}

// startService starts the program, which ends with the test.
func startService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, dsn: testkit.Postgres(t)}
	_, namespace := testkit.Redis(t)
	redis := os.Getenv(testkit.EnvRedis)
	if redis == "" {
		redis = testkit.LocalRedis
	}
	// A machine that is busy with other tests keeps these times.
	env := map[string]string{"CACHE_NAMESPACE": namespace, "CACHE_TIMEOUT": "5s", "REQUEST_TIMEOUT": "1m"}
	s.database, env["DATABASE_URL"] = behindProxy(t, s.dsn)
	s.redis, env["REDIS_URL"] = behindProxy(t, redis)
	s.run(env)
	return s
}

// run runs the program in an environment.
func (s *service) run(env map[string]string) {
	s.t.Helper()
	cfg, err := readConfig(func(name string) string { return env[name] })
	require.NoError(s.t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	s.base = "http://" + listener.Addr().String()
	var ctx context.Context
	ctx, s.stop = context.WithCancel(s.t.Context())
	s.ended = make(chan error, 1)
	go func() { s.ended <- run(ctx, cfg, listener, slog.New(slog.DiscardHandler)) }()
	s.t.Cleanup(func() {
		s.stop()
		if err, ok := <-s.ended; ok {
			require.NoError(s.t, err)
		}
	})
}

// behindProxy returns the URL of a server behind a proxy.
func behindProxy(t *testing.T, address string) (*testkit.Proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	p := testkit.StartProxy(t, u.Host)
	u.Host = p.Addr
	return p, u.String()
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	text   string
	envelope
}

// send sends a request, and returns the answer, which is JSON in any case.
func (s *service) send(method, path, body string) reply {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, strings.NewReader(body))
	require.NoError(s.t, err)
	response, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	got := reply{status: response.StatusCode, header: response.Header, text: string(text)}
	if got.status != http.StatusNoContent {
		require.Equal(s.t, "application/json", response.Header.Get("Content-Type"), got.text)
		require.NoError(s.t, json.Unmarshal(text, &got.envelope), got.text)
	}
	return got
}

// do sends a request that has to succeed, and returns the data.
func do[T any](s *service, method, path, body string) T {
	s.t.Helper()
	got := s.send(method, path, body)
	require.Less(s.t, got.status, 300, "%s %s: %s", method, path, got.text)
	var data T
	if got.status != http.StatusNoContent {
		into := envelope{Data: &data}
		require.NoError(s.t, json.Unmarshal([]byte(got.text), &into), got.text)
	}
	return data
}

func get[T any](s *service, path string) T {
	s.t.Helper()
	return do[T](s, http.MethodGet, path, "")
}

// outcomes returns where the answer to a GET came from, query by query.
func (s *service) outcomes(path string) (outcomes []string) {
	s.t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	got := s.send(http.MethodGet, path+separator+"explain=1", "")
	for _, lines := range got.Explain {
		for _, line := range lines {
			if outcome, ok := strings.CutPrefix(strings.TrimSpace(line), "outcome"); ok {
				outcomes = append(outcomes, strings.TrimSpace(outcome))
			}
		}
	}
	require.NotEmpty(s.t, outcomes, got.text)
	return outcomes
}

// warm asks until all of the answer comes from the cache.
func (s *service) warm(path string) {
	s.t.Helper()
	testkit.Eventually(s.t, path+" is cached", func() bool {
		for _, outcome := range s.outcomes(path) {
			if outcome != "hit" {
				return false
			}
		}
		return true
	})
}

// Rows for the tests to work with.
func (s *service) newUser(name string) User {
	s.t.Helper()
	return do[User](s, http.MethodPost, "/users", `{"name":"`+name+`","email":"`+name+`@example.com"}`)
}

func (s *service) newProduct(stock string) Product {
	s.t.Helper()
	return do[Product](s, http.MethodPost, "/products", `{"name":"Engine","cents":1999,"stock":`+stock+`}`)
}
