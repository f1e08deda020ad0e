package upstashstore

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // by which Redis names scripts
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/gorm-rediscache/rediscache/store/internal/script"
)

// A lua is a script, with the name that the server knows it by.
type lua struct{ text, sha string }

// newLua makes a script that finds the bytes of its arguments.
func newLua(text string) lua {
	text = script.Bytes + text
	sum := sha1.Sum([]byte(text)) //nolint:gosec // as above
	return lua{text: text, sha: hex.EncodeToString(sum[:])}
}

// A call of a script has keys, and strings or whole numbers as arguments.
type call struct {
	keys []string
	args []any
}

var errKey = errors.New("a key is not UTF-8")

// command returns a call as the server takes it.
func (c call) command(name, scriptOrSHA string) ([]any, error) {
	all := make([]any, 0, 3+len(c.keys)+len(c.args))
	all = append(all, name, scriptOrSHA, len(c.keys))
	for _, key := range c.keys {
		if !utf8.ValidString(key) {
			return nil, errKey
		}
		all = append(all, key)
	}
	for _, arg := range c.args {
		if s, ok := arg.(string); ok {
			arg = latin1(s)
		}
		all = append(all, arg)
	}
	return all, nil
}

// latin1 returns a text in which each byte of s is the character of its number. JSON is text, and bytes that are none do not
// come through; bytes.lua is the other half.
func latin1(s string) string {
	n := len(s)
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			n++
		}
	}
	if n == len(s) {
		return s
	}
	b := make([]byte, 0, n)
	for i := range len(s) {
		b = utf8.AppendRune(b, rune(s[i]))
	}
	return string(b)
}

// encode returns JSON that is no longer than it must be.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// An answer is what the server says to one command: one of the two.
type answer struct {
	Result any    `json:"result"`
	Error  string `json:"error"`
}

// value returns what a command returned.
func (a answer) value() (any, error) {
	if a.Error != "" {
		return nil, refused(http.StatusOK, a.Error)
	}
	if a.Result == "OK" { // a status, which is not encoded
		return a.Result, nil
	}
	return decode(a.Result)
}

// decode takes strings out of base64, in which they were asked for.
func decode(v any) (any, error) {
	switch v := v.(type) {
	case string:
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return nil, fmt.Errorf("%w: a value is not in base64", errAnswer)
		}
		return string(b), nil
	case []any:
		for i := range v {
			decoded, err := decode(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = decoded
		}
	}
	return v, nil
}
