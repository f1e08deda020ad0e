package pgsessions

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// headerSize is the length of a message's type and length.
const headerSize = 5

// A relay carries messages between a client and its session, and knows whether the client leaves it in order: at the end of
// a message, with nothing under way. (A transaction that is open refuses DISCARD ALL.)
type relay struct {
	client, server net.Conn
	owed           atomic.Int64 // how many requests the server has not answered to the end (ReadyForQuery)
	whole          atomic.Bool  // the server's last message has arrived whole
}

// run carries messages until one side ends, and reports whether the session can be used again.
func (r *relay) run() (inOrder bool) {
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		r.answers()
	}()
	terminated := r.requests()
	inOrder = terminated && r.owed.Load() == 0
	_ = r.server.SetReadDeadline(time.Unix(1, 0)) // wakes the one that reads answers
	<-answers
	_ = r.server.SetReadDeadline(time.Time{})
	return inOrder && r.whole.Load()
}

// requests carries what the client sends, and reports whether the client has ended the session (Terminate) behind a whole
// request. Connections that break end otherwise.
func (r *relay) requests() (terminated bool) {
	from, to := bufio.NewReaderSize(r.client, 16<<10), bufio.NewWriterSize(r.server, 16<<10)
	whole := true
	for {
		header, err := nextMessage(from, to)
		if err != nil {
			return false
		}
		switch header[0] {
		case 'X': // Terminate: the session outlives it
			return whole
		case 'Q', 'S', 'F': // Query, Sync, FunctionCall: each is answered by one ReadyForQuery
			r.owed.Add(1)
			whole = true
		default: // a part of a request that ends with Sync, or of what is copied
			whole = false
		}
		if carry(from, to, header) != nil {
			return false
		}
	}
}

// answers carries what the server sends, until it ends or the client has left. Then the client's connection ends, too.
func (r *relay) answers() {
	from, to := bufio.NewReaderSize(r.server, 16<<10), bufio.NewWriterSize(r.client, 16<<10)
	for {
		header, err := nextMessage(from, to)
		if err != nil {
			// Between two messages, and after a while without any: the client has left.
			r.whole.Store(isTimeout(err) && from.Buffered() == 0)
			break
		}
		if header[0] == 'Z' { // ReadyForQuery: counted before the client can read it, and leave
			r.owed.Add(-1)
		}
		if carry(from, to, header) != nil {
			break
		}
	}
	_ = r.client.Close()
}

// nextMessage returns the type and the length of the next message, which it leaves to be read. Before it waits for one, it
// sends what has gathered.
func nextMessage(from *bufio.Reader, to *bufio.Writer) (header []byte, err error) {
	if from.Buffered() < headerSize {
		if err := to.Flush(); err != nil {
			return nil, err
		}
	}
	return from.Peek(headerSize)
}

// carry carries one message. Its length is in the four bytes that follow its type, and counts them.
func carry(from *bufio.Reader, to *bufio.Writer, header []byte) error {
	for left := 1 + int(binary.BigEndian.Uint32(header[1:])); left > 0; {
		part, err := from.Peek(min(left, from.Size()))
		if err != nil {
			return err
		}
		if _, err := to.Write(part); err != nil {
			return err
		}
		_, _ = from.Discard(len(part)) // it was there
		left -= len(part)
	}
	return nil
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
