// Package upstash is a server that speaks the REST protocol of Upstash Redis, before a real Redis server: for tests, which may
// make it fail in the ways that Upstash fails. It is itself tested with Upstash's own client.
//
// The protocol: https://upstash.com/docs/redis/features/restapi.
package upstash

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// Token is the one that a [Server] accepts. ReadOnly may only read.
const (
	Token    = "AX_sASQgODM5ZjMxNDgt-secret-standard"
	ReadOnly = "AX_sASQgODM5ZjMxNDgt-secret-readonly"
)

// A Server answers on URL.
type Server struct {
	URL string

	redis *redis.Client
	// replica answers commands that only read, if there is one: a server that has not heard of the last writes.
	replica *redis.Client
	reads   map[string]bool // commands that only read, by name in lower case

	conns    atomic.Int64
	mu       sync.Mutex
	fault    Fault
	left     int // requests that the fault still meets; negative: all
	requests []Request
}

// A Request is one that was answered.
type Request struct {
	Path     string
	Commands []string // names, in lower case
}

// Start starts a server before a Redis server, until the end of the test.
func Start(t testing.TB, behind *redis.Client) *Server {
	t.Helper()
	s := &Server{redis: own(t, behind)}
	commands, err := s.redis.Command(t.Context()).Result()
	require.NoError(t, err)
	s.reads = map[string]bool{}
	for name, info := range commands {
		s.reads[name] = info.ReadOnly
	}
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// ReadFrom makes commands that only read go to another Redis server, as those of a database with read regions do.
func (s *Server) ReadFrom(t testing.TB, replica *redis.Client) { s.replica = own(t, replica) }

// own returns a client of the same server that tries everything once, and talks as Upstash does.
func own(t testing.TB, c *redis.Client) *redis.Client {
	opt := *c.Options()
	opt.MaxRetries, opt.Protocol = -1, 2
	c = redis.NewClient(&opt)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Requests returns what was answered since the last call.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.requests
	s.requests = nil
	return all
}

// Connections returns how many connections were made so far.
func (s *Server) Connections() int { return int(s.conns.Load()) }

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // before anything else: until then, nothing tells that the client has left
	if err != nil {
		reply(w, http.StatusBadRequest, failure("ERR "+err.Error()))
		return
	}
	if f := s.next(); f != nil && f(w, r, body) {
		return
	}
	s.serve(w, r, body)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	if !slices.Contains([]string{http.MethodHead, http.MethodGet, http.MethodPost, http.MethodPut}, r.Method) {
		reply(w, http.StatusMethodNotAllowed, failure("ERR method not allowed"))
		return
	}
	token := tokenOf(r)
	if token != Token && token != ReadOnly {
		reply(w, http.StatusUnauthorized, failure("WRONGPASS invalid or missing auth token"))
		return
	}
	call := &call{s: s, readOnly: token == ReadOnly, base64: r.Header.Get("Upstash-Encoding") == "base64"}
	status, answer := call.answer(r, body)
	s.note(r.URL.Path, call.names)
	reply(w, status, answer)
}

func tokenOf(r *http.Request) string {
	if token := r.URL.Query().Get("_token"); token != "" {
		return token
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

func (s *Server) note(path string, names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{Path: path, Commands: names})
}

// A call is one request under way.
type call struct {
	s        *Server
	readOnly bool
	base64   bool
	names    []string
}

// answer carries out the commands of a request.
func (c *call) answer(r *http.Request, body []byte) (status int, answer any) {
	switch r.URL.Path {
	case "/pipeline", "/multi-exec":
		commands, err := parseAll(body)
		if err != nil {
			return http.StatusBadRequest, failure("ERR failed to parse pipeline request")
		}
		if r.URL.Path == "/pipeline" {
			return http.StatusOK, c.pipeline(r.Context(), commands)
		}
		return c.transaction(r.Context(), commands)
	}
	command, err := commandOf(r, body)
	if err != nil {
		return http.StatusBadRequest, failure("ERR failed to parse command")
	}
	answered := c.one(r.Context(), command)
	if _, failed := answered["error"]; failed {
		return http.StatusBadRequest, answered
	}
	return http.StatusOK, answered
}

// one carries out a command.
func (c *call) one(ctx context.Context, command []any) map[string]any {
	name := c.name(command)
	if err := c.permit(name); err != nil {
		return failure(err.Error())
	}
	to := c.s.redis
	if c.s.replica != nil && c.s.reads[name] {
		to = c.s.replica
	}
	result, err := to.Do(ctx, command...).Result()
	return c.result(result, err)
}

// pipeline carries out commands one after the other.
func (c *call) pipeline(ctx context.Context, commands [][]any) []map[string]any {
	answers := make([]map[string]any, len(commands))
	for i, command := range commands {
		answers[i] = c.one(ctx, command)
	}
	return answers
}

// transaction carries out commands as one.
func (c *call) transaction(ctx context.Context, commands [][]any) (status int, answer any) {
	tx := c.s.redis.TxPipeline()
	for _, command := range commands {
		if err := c.permit(c.name(command)); err != nil {
			return http.StatusBadRequest, failure(err.Error())
		}
		tx.Do(ctx, command...)
	}
	cmds, err := tx.Exec(ctx)
	if redis.HasErrorPrefix(err, "EXECABORT") {
		return http.StatusBadRequest, failure(err.Error())
	}
	answers := make([]map[string]any, len(cmds))
	for i, cmd := range cmds {
		result, err := cmd.(*redis.Cmd).Result()
		answers[i] = c.result(result, err)
	}
	return http.StatusOK, answers
}

func (c *call) name(command []any) string {
	name := strings.ToLower(command[0].(string))
	c.names = append(c.names, name)
	return name
}

// permit refuses what a token does not allow.
func (c *call) permit(name string) error {
	if c.readOnly && !c.s.reads[name] {
		return errors.New("NOPERM this user has no permissions to run the '" + name + "' command")
	}
	return nil
}

// result is how an answer of Redis is told.
func (c *call) result(result any, err error) map[string]any {
	if err != nil && !errors.Is(err, redis.Nil) {
		return failure(err.Error())
	}
	if result == "OK" { // a status, not a value: told as it is
		return map[string]any{"result": result}
	}
	return map[string]any{"result": c.encode(result)}
}

func failure(text string) map[string]any { return map[string]any{"error": text} }
