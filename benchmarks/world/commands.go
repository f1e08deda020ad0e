package world

import (
	"bytes"
	"context"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Commands counts what is sent to Redis, on the connections themselves: clients that are derived from one another do not
// share hooks. A script is one command, whatever it does.
type Commands struct{ commands, exchanges atomic.Int64 }

// All is how many commands there were.
func (c *Commands) All() int64 { return c.commands.Load() }

// Exchanges is how many round trips they took: how often something was sent.
func (c *Commands) Exchanges() int64 { return c.exchanges.Load() }

// count makes a client count.
func (c *Commands) count(opt *redis.Options) {
	dial := redis.NewDialer(opt)
	opt.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return c.Conn(conn), nil
	}
}

// Conn returns a connection on which requests are counted.
func (c *Commands) Conn(conn net.Conn) net.Conn {
	if tcp, ok := conn.(*net.TCPConn); ok { // whose methods go-redis looks for
		return &countedTCP{TCPConn: tcp, reader: requestReader{counter: c}}
	}
	return &counted{Conn: conn, reader: requestReader{counter: c}}
}

type countedTCP struct {
	*net.TCPConn
	reader requestReader
}

func (c *countedTCP) Write(b []byte) (int, error) {
	c.reader.read(b)
	return c.TCPConn.Write(b)
}

type counted struct {
	net.Conn
	reader requestReader
}

func (c *counted) Write(b []byte) (int, error) {
	c.reader.read(b)
	return c.Conn.Write(b)
}

// A requestReader follows the requests on a connection: arrays of strings, in the Redis serialization protocol.
type requestReader struct {
	counter *Commands
	// skip is how much of a string, with its end of line, is still to come.
	skip int
	// line is the beginning of a line whose end is still to come.
	line []byte
}

func (r *requestReader) read(b []byte) {
	r.counter.exchanges.Add(1)
	for len(b) > 0 {
		if r.skip > 0 {
			n := min(r.skip, len(b))
			r.skip -= n
			b = b[n:]
			continue
		}
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			r.line = append(r.line, b...)
			return
		}
		r.header(append(r.line, b[:end]...))
		r.line = r.line[:0]
		b = b[end+1:]
	}
}

// header reads a line that tells how much follows.
func (r *requestReader) header(line []byte) {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if len(line) == 0 {
		return
	}
	switch line[0] {
	case '*':
		r.counter.commands.Add(1)
	case '$':
		if n, err := strconv.Atoi(string(line[1:])); err == nil {
			r.skip = n + 2
		}
	default:
	}
}
