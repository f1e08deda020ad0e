// Package pgsessions stands before a PostgreSQL server and hands on the sessions of tests that have ended: a test of a few
// statements costs the server less than the process that it starts for each session, and the catalog that this process
// has to read.
//
// A client sees a session as the server opens it: what the one before has set, prepared, locked or created for the session
// is gone (DISCARD ALL). Only sessions of one role and one database are handed on, that ask for nothing but a search_path,
// and that have ended in order: outside a transaction, with every statement answered, and none canceled. Everybody else
// gets a session of the server's own, byte by byte. One difference is left: RESET search_path and DISCARD ALL, sent by the
// client itself, set the search_path to the server's default, not to the one that the client has asked for.
package pgsessions

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// maxKept is how many sessions wait for their next client. A server has 100 by default, for all of a run.
	maxKept = 12
	// patience is how long the server may take to open a session, or to clean one.
	patience = 30 * time.Second
)

// A Server listens on a port of localhost, for the clients of one database.
type Server struct {
	config   *pgconn.Config // of the database, without TLS
	url      *url.URL
	listener net.Listener
	ctx      context.Context // ends with the server
	end      context.CancelFunc
	work     sync.WaitGroup

	mu       sync.Mutex
	kept     []*pgconn.PgConn      // the last one has been used last
	clients  map[net.Conn]struct{} // the ends of all connections that are relayed
	canceled map[uint32]struct{}   // processes of the server that have been asked to cancel a statement
}

// ErrTLS says that a database is reached by TLS only. Its clients have to ask it themselves.
var ErrTLS = errors.New("pgsessions: the database is reached by TLS only")

// Start listens before the database of a URL.
func Start(database string) (*Server, error) {
	config, err := pgconn.ParseConfig(database)
	if err != nil {
		return nil, err
	}
	if !withoutTLS(config) {
		return nil, ErrTLS
	}
	u, err := url.Parse(database)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it listens until Close
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: config, url: u, listener: listener,
		clients: map[net.Conn]struct{}{}, canceled: map[uint32]struct{}{},
	}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.work.Go(s.accept)
	return s, nil
}

// withoutTLS makes a configuration use the server without TLS, and reports whether it allows that (sslmode disable, allow
// or prefer, which is the default).
func withoutTLS(config *pgconn.Config) bool {
	if config.TLSConfig == nil {
		config.Fallbacks = nil
		return true
	}
	for _, f := range config.Fallbacks {
		if f.TLSConfig == nil {
			config.Host, config.Port, config.TLSConfig, config.Fallbacks = f.Host, f.Port, nil, nil
			return true
		}
	}
	return false
}

// URL is the database's URL, through the server.
func (s *Server) URL() string {
	u := *s.url
	u.Host = s.listener.Addr().String()
	q := u.Query()
	q.Del("host")
	q.Del("port")
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	return u.String()
}

// Close ends all sessions.
func (s *Server) Close() {
	s.end()
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.clients {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.work.Wait()
	for _, session := range s.kept {
		closeSession(session)
	}
}

func (s *Server) accept() {
	for {
		client, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.work.Go(func() {
			if !s.enter(client) {
				return
			}
			defer s.leave(client)
			s.serve(client)
		})
	}
}

// enter notes the end of a connection, which Close closes.
func (s *Server) enter(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		_ = c.Close()
		return false
	}
	s.clients[c] = struct{}{}
	return true
}

func (s *Server) leave(c net.Conn) {
	s.mu.Lock()
	delete(s.clients, c)
	s.mu.Unlock()
	_ = c.Close()
}

// session returns a session with a search_path: one that was kept, or a new one.
func (s *Server) session(searchPath string) (*pgconn.PgConn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	for {
		session := s.take()
		if session == nil {
			break
		}
		if setSearchPath(ctx, session, searchPath) == nil {
			return session, nil
		}
		closeSession(session) // it has ended meanwhile: a test has terminated it
	}
	session, err := pgconn.ConnectConfig(ctx, s.config)
	if err != nil {
		return nil, err
	}
	if err := setSearchPath(ctx, session, searchPath); err != nil {
		closeSession(session)
		return nil, err
	}
	return session, nil
}

func (s *Server) take() *pgconn.PgConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.kept) - 1
	if last < 0 {
		return nil
	}
	session := s.kept[last]
	s.kept = s.kept[:last]
	return session
}

// keep cleans a session that its client has left, and keeps it for the next one.
func (s *Server) keep(session *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	if err := session.Exec(ctx, "DISCARD ALL").Close(); err != nil {
		closeSession(session)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A request to cancel may reach the process later than what follows the statement that it was meant for.
	if _, canceled := s.canceled[session.PID()]; canceled || s.ctx.Err() != nil || len(s.kept) == maxKept {
		s.work.Go(func() { closeSession(session) })
		return
	}
	s.kept = append(s.kept, session)
}

// setSearchPath sets what a client has asked for. Without one, the server's default holds.
func setSearchPath(ctx context.Context, session *pgconn.PgConn, searchPath string) error {
	if searchPath == "" {
		return session.Ping(ctx)
	}
	result := session.ExecParams(ctx, "SELECT pg_catalog.set_config('search_path', $1, false)", [][]byte{[]byte(searchPath)}, nil, nil, nil)
	if _, err := result.Close(); err != nil {
		return fmt.Errorf("pgsessions: search_path: %w", err)
	}
	return nil
}

func closeSession(session *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = session.Close(ctx)
}
