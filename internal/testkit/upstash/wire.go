package upstash

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

var errCommand = errors.New("not a command")

// commandOf returns the command of a request for one: an array in the body, or names and values in the path, behind which come
// the body and the query, as they are.
func commandOf(r *http.Request, body []byte) ([]any, error) {
	if r.URL.Path == "/" || r.URL.Path == "" {
		var args []any
		if err := decode(body, &args); err != nil {
			return nil, err
		}
		return arguments(args)
	}
	var args []any
	for part := range strings.SplitSeq(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		value, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		args = append(args, value)
	}
	if len(body) > 0 {
		args = append(args, string(body))
	}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, hasValue := strings.Cut(pair, "=")
		if name == "" || name == "_token" {
			continue
		}
		if args = append(args, name); hasValue {
			args = append(args, value)
		}
	}
	return args, nil
}

// parseAll returns the commands of a pipeline or transaction.
func parseAll(body []byte) ([][]any, error) {
	var rows [][]any
	if err := decode(body, &rows); err != nil {
		return nil, err
	}
	commands := make([][]any, len(rows))
	for i, row := range rows {
		args, err := arguments(row)
		if err != nil {
			return nil, err
		}
		commands[i] = args
	}
	return commands, nil
}

// decode reads JSON, which is UTF-8: other bytes do not come through.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	return d.Decode(into)
}

// arguments returns a command as Redis takes it.
func arguments(row []any) ([]any, error) {
	if len(row) == 0 {
		return nil, errCommand
	}
	args := make([]any, len(row))
	for i, arg := range row {
		switch arg := arg.(type) {
		case string:
			args[i] = arg
		case json.Number:
			args[i] = arg.String()
		case bool:
			args[i] = map[bool]string{true: "true", false: "false"}[arg]
		default:
			return nil, errCommand
		}
	}
	if _, ok := row[0].(string); !ok {
		return nil, errCommand
	}
	return args, nil
}

// encode is how a value is told: a string in base64, where that was asked for.
func (c *call) encode(v any) any {
	switch v := v.(type) {
	case string:
		if c.base64 {
			return base64.StdEncoding.EncodeToString([]byte(v))
		}
		return v
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = c.encode(v[i])
		}
		return all
	case error:
		return v.Error()
	default:
		return v
	}
}

func reply(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}
