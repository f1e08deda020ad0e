package upstash

import (
	"net/http"
	"time"
)

// A Fault meets a request before it is looked at, and reports whether it has dealt with it.
type Fault func(w http.ResponseWriter, r *http.Request, body []byte) bool

// Fail makes the next n requests meet a fault; all, if n is negative, until the next call.
func (s *Server) Fail(n int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.left = f, n
}

// Heal ends a fault.
func (s *Server) Heal() { s.Fail(0, nil) }

// next returns the fault that a request meets.
func (s *Server) next() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return nil
	}
	s.left--
	return s.fault
}

// Status answers with a status, and an error as Upstash writes it.
func Status(code int, text string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		reply(w, code, failure(text))
		return true
	}
}

// Text answers with a status, and a body that is not the protocol's: as whatever stands between does.
func Text(code int, text string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(text))
		return true
	}
}

// Cut closes the connection without an answer.
func Cut() Fault {
	return func(http.ResponseWriter, *http.Request, []byte) bool { panic(http.ErrAbortHandler) }
}

// CutAfter carries out the request, and closes the connection in place of the answer.
func (s *Server) CutAfter() Fault {
	return func(_ http.ResponseWriter, r *http.Request, body []byte) bool {
		s.serve(discard{}, r, body)
		panic(http.ErrAbortHandler)
	}
}

// Slow answers after a while, or not at all if the client leaves.
func Slow(d time.Duration) Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
		}
		return false
	}
}

// discard is where an answer goes that nobody gets.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
