package upstashstore

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrUnauthorized is wrapped by the error of a step that Upstash refused because of the token.
var ErrUnauthorized = errors.New("the token was refused")

// ErrQuota is wrapped by the error of a step that Upstash refused because the database has reached a limit of its plan.
var ErrQuota = errors.New("a limit of the plan is reached")

// errAnswer is wrapped by the error of an answer that is not the protocol's.
var errAnswer = errors.New("not an answer of Upstash")

// A refusal is an answer that says no: a status, or an error of Redis.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string {
	switch {
	case r.text == "":
		return fmt.Sprintf("HTTP status %d", r.status)
	case r.status == http.StatusOK || r.status == http.StatusBadRequest: // of a command
		return r.text
	default:
		return fmt.Sprintf("HTTP status %d: %s", r.status, r.text)
	}
}

// maxText bounds what is repeated of an error of the server's, which may repeat arguments.
const maxText = 200

// refused returns the error of an answer that says no, with what can be done about it.
func refused(status int, text string) error {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	r := &refusal{status: status, text: text}
	says := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case strings.HasPrefix(text, "NOPERM"):
		return fmt.Errorf("%w: %w: it may not write, or not run scripts; use the database's standard REST token",
			ErrUnauthorized, r)
	case status == http.StatusUnauthorized || strings.HasPrefix(text, "WRONGPASS"):
		return fmt.Errorf("%w: %w: use the REST token that Upstash's console shows for this database (%s); "+
			"its password is not one", ErrUnauthorized, r, EnvToken)
	case says("max daily request limit exceeded") || says("max requests limit exceeded"):
		return fmt.Errorf("%w: %w: upgrade the plan of the database in Upstash's console, or send less; "+
			"reads go to the application's database until then", ErrQuota, r)
	case says("DB capacity quota exceeded"):
		return fmt.Errorf("%w: %w: turn eviction on for the database in Upstash's console, or upgrade its plan", ErrQuota, r)
	case status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %w: upgrade the plan of the database in Upstash's console, or send less at a time", ErrQuota, r)
	default:
		return r
	}
}

// isNoScript reports whether the server does not know a script, which it may have forgotten.
func isNoScript(err error) bool {
	var r *refusal
	return errors.As(err, &r) && strings.HasPrefix(r.text, "NOSCRIPT")
}

// mayPass reports whether the same request may succeed a moment later. Steps may be repeated, so it does not matter
// whether it was carried out.
func mayPass(err error) bool {
	var r *refusal
	return !errors.As(err, &r) || r.status >= http.StatusInternalServerError
}
