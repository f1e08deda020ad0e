package testkit

import (
	"net"
	"time"
)

// A Fate is what becomes of a piece of an answer, as it came from the server. The zero Fate: it is passed on.
type Fate struct {
	// Late is how long it is held back, with everything behind it on its connection.
	Late time.Duration
	// Lost pieces are swallowed. The connection stays open, and what the client asks is carried out.
	Lost bool
	// End is what becomes of the connection after so much of the piece as Pass says.
	End  End
	Pass int
}

// An End is how a connection ends.
type End int

// The ends.
const (
	Open   End = iota // it does not
	Closed            // it is closed (FIN)
	Reset             // it is reset (RST)
)

// Answers decides what becomes of the answers from now on. The function is called for each piece, by many at a time. Nil: they
// are passed on.
func (p *Proxy) Answers(fate func() Fate) {
	if fate == nil {
		p.fate.Store(nil)
		return
	}
	p.fate.Store(&fate)
}

// answer passes on what the server answers, or does with it what the test wants.
func (p *Proxy) answer(client, server net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := server.Read(buf)
		if n > 0 && !p.pass(client, buf[:n]) || err != nil {
			return
		}
	}
}

// pass reports whether the connection goes on.
func (p *Proxy) pass(client net.Conn, piece []byte) bool {
	var f Fate
	if fate := p.fate.Load(); fate != nil {
		f = (*fate)()
	}
	if f.Late > 0 {
		select {
		case <-time.After(f.Late):
		case <-p.closed:
			return false
		}
	}
	if f.End != Open {
		piece = piece[:min(f.Pass, len(piece))]
	}
	if !f.Lost {
		if _, err := (valve{p, client}).Write(piece); err != nil {
			return false
		}
	}
	if tcp, ok := client.(*net.TCPConn); ok && f.End == Reset {
		_ = tcp.SetLinger(0)
	}
	return f.End == Open
}
