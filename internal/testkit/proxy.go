package testkit

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A Proxy is a network between a client and a server, which a test can cut.
type Proxy struct {
	Addr string

	target   string
	listener net.Listener
	accepted atomic.Int64
	fate     atomic.Pointer[func() Fate]
	closed   chan struct{}
	serving  sync.WaitGroup
	mu       sync.Mutex
	cut      bool
	refused  map[string]bool   // hosts from which no connection is taken
	conns    map[net.Conn]bool // whether it is silent
}

// StartProxy starts a proxy before a server.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &Proxy{
		Addr: l.Addr().String(), target: target, listener: l, conns: map[net.Conn]bool{}, refused: map[string]bool{},
		closed: make(chan struct{}),
	}
	p.serving.Go(p.run)
	t.Cleanup(func() {
		_ = l.Close()
		close(p.closed)
		p.Cut()
		p.serving.Wait()
	})
	return p
}

// Cut closes all connections, and those that are made until Restore.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.conns {
		_ = c.Close()
	}
}

// Silence makes all connections that there are pass nothing on any more, without closing them: as a router does that has
// forgotten them.
func (p *Proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		p.conns[c] = true
	}
}

// Refuse closes all connections that come from a host, and takes none from it.
func (p *Proxy) Refuse(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused[host] = true
	for c := range p.conns {
		if hostOf(c) == host {
			_ = c.Close()
		}
	}
}

// hostOf returns where a connection comes from.
func hostOf(c net.Conn) string {
	host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	return host
}

// Accepted returns how many connections were made.
func (p *Proxy) Accepted() int { return int(p.accepted.Load()) }

// Restore ends Cut and Refuse.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	clear(p.refused)
}

func (p *Proxy) run() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.accepted.Add(1)
		p.serving.Go(func() { p.serve(client) })
	}
}

// admit takes note of a connection, unless the network is cut.
func (p *Proxy) admit(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut || p.refused[hostOf(c)] {
		_ = c.Close()
		return false
	}
	p.conns[c] = false
	return true
}

func (p *Proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close()
}

// A valve is the far end of a connection, which nothing reaches if it is silent.
type valve struct {
	p  *Proxy
	to net.Conn
}

func (v valve) Write(b []byte) (int, error) {
	v.p.mu.Lock()
	silent := v.p.conns[v.to]
	v.p.mu.Unlock()
	if silent {
		return len(b), nil
	}
	return v.to.Write(b)
}

func (p *Proxy) serve(client net.Conn) {
	if !p.admit(client) {
		return
	}
	defer p.forget(client)
	server, err := net.Dial("tcp", p.target)
	if err != nil || !p.admit(server) {
		return
	}
	defer p.forget(server)
	done := make(chan struct{}, 2)
	p.serving.Go(func() {
		_, _ = io.Copy(valve{p, server}, client)
		done <- struct{}{}
	})
	p.serving.Go(func() {
		p.answer(client, server)
		done <- struct{}{}
	})
	<-done
}
