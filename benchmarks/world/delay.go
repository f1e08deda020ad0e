package world

import (
	"context"
	"net"
	"sync"
	"time"
)

// delay starts a network on which the answers of a server take a time longer, and returns its address. Requests are
// passed on at once, so that an exchange becomes longer by that time, however many requests it consists of.
func (w *World) delay(server string, more time.Duration) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	d := &delayed{server: server, more: more, open: map[net.Conn]bool{}}
	go d.accept(listener)
	w.onClose(func(context.Context) error {
		defer d.close()
		return listener.Close()
	})
	return listener.Addr().String(), nil
}

type delayed struct {
	server string
	more   time.Duration

	mu   sync.Mutex
	open map[net.Conn]bool
}

func (d *delayed) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go d.serve(client)
	}
}

func (d *delayed) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.open {
		_ = c.Close()
	}
}

func (d *delayed) serve(client net.Conn) {
	server, err := net.Dial("tcp", d.server)
	if err != nil {
		_ = client.Close()
		return
	}
	d.mu.Lock()
	d.open[client], d.open[server] = true, true
	d.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { pass(server, client, 0) })
	both.Go(func() { pass(client, server, d.more) })
	both.Wait()
	d.mu.Lock()
	delete(d.open, client)
	delete(d.open, server)
	d.mu.Unlock()
}

// A chunk is what was read at once, and is due at a time.
type chunk struct {
	data []byte
	due  time.Time
}

// pass copies until one side ends, then ends both. What is read is written a time later; meanwhile more is read.
func pass(to, from net.Conn, later time.Duration) {
	defer func() { _, _ = to.Close(), from.Close() }()
	chunks := make(chan chunk, 1024)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for c := range chunks {
			pause(time.Until(c.due))
			if _, err := to.Write(c.data); err != nil {
				return
			}
		}
	}()
	defer func() { <-gone }()
	defer close(chunks)
	for {
		b := make([]byte, 16<<10)
		n, err := from.Read(b)
		if err != nil {
			return
		}
		select {
		case chunks <- chunk{b[:n], time.Now().Add(later)}:
		case <-gone:
			return
		}
	}
}
