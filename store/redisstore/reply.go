package redisstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// maxShared is the length of a reply that values are parts of. Who keeps a value of a longer one would keep all of it.
const maxShared = 16 << 10

// A reply is what a server answered to MGET: an array of strings and nulls (Redis serialization protocol specification,
// RESP2 and RESP3).
type reply struct {
	data   string
	shared bool
}

func newReply(b []byte) *reply { return &reply{data: string(b), shared: len(b) <= maxShared} }

// A refusal is an error that a server answered. Where replies are taken as they are, go-redis makes none of it.
type refusal string

// Error implements error.
func (r refusal) Error() string { return string(r) }

// RedisError implements [redis.Error].
func (refusal) RedisError() {}

// refusalOf returns the first error that a server answered to one of some commands.
func refusalOf(cmds []redis.Cmder) error {
	for _, cmd := range cmds {
		raw, ok := cmd.(*redis.RawCmd)
		if !ok || len(raw.Val()) == 0 {
			continue
		}
		switch text := string(raw.Val()); text[0] {
		case '-':
			return refusal(strings.TrimSpace(text[1:]))
		case '!': // RESP3's, whose length is in the line before
			_, text, _ = strings.Cut(text, "\r\n")
			return refusal(strings.TrimSpace(text))
		}
	}
	return nil
}

// errReply is returned for what no server answers to MGET.
var errReply = errors.New("an answer that is none to MGET")

// values calls found for each value that is not null. There must be n of them, with the nulls.
func (r *reply) values(n int, found func(i int, data string)) error {
	if count, ok := r.length('*'); !ok || count != n {
		return fmt.Errorf("%w: %.20q instead of %d values", errReply, r.data, n)
	}
	for i := range n {
		if strings.HasPrefix(r.data, "_\r\n") { // RESP3's null
			r.data = r.data[len("_\r\n"):]
			continue
		}
		length, ok := r.length('$')
		if ok && length == -1 { // RESP2's
			continue
		}
		if !ok || length < 0 || length > len(r.data)-len("\r\n") {
			return fmt.Errorf("%w: value %d", errReply, i)
		}
		data := r.data[:length]
		r.data = r.data[length+len("\r\n"):]
		if !r.shared {
			data = strings.Clone(data)
		}
		found(i, data)
	}
	return nil
}

// length takes a line that says how long what follows is.
func (r *reply) length(mark byte) (int, bool) {
	line, rest, ok := strings.Cut(r.data, "\r\n")
	if !ok || line == "" || line[0] != mark {
		return 0, false
	}
	r.data = rest
	n, err := strconv.Atoi(line[1:])
	return n, err == nil
}
