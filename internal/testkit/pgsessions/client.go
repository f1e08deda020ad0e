package pgsessions

import (
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// serve serves one client, from its first message on (PostgreSQL, "Message Flow: Start-up").
func (s *Server) serve(client net.Conn) {
	for {
		message, err := pgproto3.NewBackend(client, client).ReceiveStartupMessage()
		if err != nil {
			return
		}
		switch m := message.(type) {
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := client.Write([]byte{'N'}); err != nil {
				return
			}
		case *pgproto3.CancelRequest:
			s.cancel(client, m)
			return
		case *pgproto3.StartupMessage:
			if searchPath, ok := s.ordinary(m.Parameters); ok {
				s.lend(client, searchPath)
			} else {
				s.pass(client, m)
			}
			return
		default:
			return
		}
	}
}

// ordinary reports whether a client asks for a session as any other may have left it, and for which search_path.
func (s *Server) ordinary(parameters map[string]string) (searchPath string, ok bool) {
	for name, value := range parameters {
		switch name {
		case "user":
			ok = value == s.config.User
		case "database":
			ok = value == s.config.Database
		case "search_path":
			searchPath, ok = value, true
		default:
			ok = false
		}
		if !ok {
			return "", false
		}
	}
	return searchPath, parameters["database"] != ""
}

// pass gives a client a session of its own.
func (s *Server) pass(client net.Conn, first pgproto3.FrontendMessage) {
	server, err := s.dial()
	if err != nil {
		return
	}
	defer s.leave(server)
	message, err := first.Encode(nil)
	if err != nil {
		return
	}
	if _, err := server.Write(message); err != nil {
		return
	}
	s.work.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	_, _ = io.Copy(server, client)
}

// cancel hands a request on, and ends the connection when the server has ended its own: it has sent the signal then.
func (s *Server) cancel(client net.Conn, request *pgproto3.CancelRequest) {
	s.mu.Lock()
	s.canceled[request.ProcessID] = struct{}{}
	s.mu.Unlock()
	s.pass(client, request)
}

func (s *Server) dial() (net.Conn, error) {
	network, address := pgconn.NetworkAddress(s.config.Host, s.config.Port)
	server, err := (&net.Dialer{Timeout: patience}).DialContext(s.ctx, network, address)
	if err != nil {
		return nil, err
	}
	if !s.enter(server) {
		return nil, net.ErrClosed
	}
	return server, nil
}

// lend gives a client a session that is used again, if the client leaves it in order.
func (s *Server) lend(client net.Conn, searchPath string) {
	session, err := s.session(searchPath)
	if err != nil {
		refuse(client, err)
		return
	}
	if err := session.SyncConn(s.ctx); err != nil {
		closeSession(session)
		return
	}
	lent, err := session.Hijack()
	if err != nil {
		closeSession(session)
		return
	}
	if !s.enter(lent.Conn) {
		return
	}
	inOrder := greet(client, lent) == nil && (&relay{client: client, server: lent.Conn}).run()
	s.mu.Lock()
	delete(s.clients, lent.Conn)
	s.mu.Unlock()
	again, err := pgconn.Construct(lent)
	if err != nil || !inOrder {
		_ = lent.Conn.Close() // the server ends the transaction, and what is under way
		return
	}
	s.keep(again)
}

// greet tells a client what the server has told the session's first one.
func greet(client net.Conn, lent *pgconn.HijackedConn) error {
	to := pgproto3.NewBackend(client, client)
	to.Send(&pgproto3.AuthenticationOk{})
	for name, value := range lent.ParameterStatuses {
		to.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	to.Send(&pgproto3.BackendKeyData{ProcessID: lent.PID, SecretKey: lent.SecretKey})
	to.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	return to.Flush()
}

// refuse tells a client why there is no session: in the server's words, if it was the server that said so.
func refuse(client net.Conn, err error) {
	message := &pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "08006", Message: err.Error()}
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		message.Code, message.Message = said.Code, said.Message
	}
	to := pgproto3.NewBackend(client, client)
	to.Send(message)
	_ = to.Flush()
}
