package upstashstore

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrOptions is wrapped by the errors of [New] and [FromEnv]. They name what is wrong, and do not repeat what may be secret.
var ErrOptions = errors.New("upstashstore: invalid options")

// Environment variables that [FromEnv] reads, and that Upstash, Vercel and others set.
const (
	EnvURL   = "UPSTASH_REDIS_REST_URL"
	EnvToken = "UPSTASH_REDIS_REST_TOKEN" //nolint:gosec // a name
)

// DefaultTimeout is the default of [Options.Timeout].
const DefaultTimeout = 250 * time.Millisecond

// Options configures a [Store]. Printed, or logged, they do not show the token.
type Options struct {
	// URL is the REST URL of the database, https://….upstash.io, without a user, a query or a fragment. Required.
	URL string
	// Token is its standard REST token: not the read-only one, and not the password of the database. Required.
	Token string

	// Timeout bounds each step, with what it is tried again, besides the step's context. A rediscache.Config has a Timeout of
	// its own, for writes: let both be the same. A first request needs three round trips more, for its connection. Defaults to
	// 250 ms.
	Timeout time.Duration
	// HTTPClient sends the requests. It stays the caller's; redirects are not followed. Defaults to a client of the store's
	// own, which keeps up to 16 connections open, uses 64 at most, and goes through the proxy that the environment names.
	HTTPClient *http.Client
}

// FromEnv returns what the environment says, read by os.Getenv or by what stands for it: the URL from UPSTASH_REDIS_REST_URL
// and the token from UPSTASH_REDIS_REST_TOKEN. It reports whether they are set. An error names the variable.
func FromEnv(getenv func(string) string) (Options, bool, error) {
	opt := Options{URL: getenv(EnvURL), Token: getenv(EnvToken)}
	switch {
	case opt.URL == "" && opt.Token == "":
		return Options{}, false, nil
	case opt.URL == "":
		return Options{}, true, fmt.Errorf("%w: %s is set, and %s is not", ErrOptions, EnvToken, EnvURL)
	case opt.Token == "":
		return Options{}, true, fmt.Errorf("%w: %s is set, and %s is not", ErrOptions, EnvURL, EnvToken)
	}
	if err := validURL(opt.URL); err != nil {
		return Options{}, true, fmt.Errorf("%w: %s: %w", ErrOptions, EnvURL, err)
	}
	if err := validToken(opt.Token); err != nil {
		return Options{}, true, fmt.Errorf("%w: %s: %w", ErrOptions, EnvToken, err)
	}
	return opt, true, nil
}

// Format implements [fmt.Formatter]: it leaves the token out.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, o.text()) // as fmt itself does
}

// LogValue implements [slog.LogValuer]: it leaves the token out.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.text()) }

func (o Options) text() string { return fmt.Sprintf("{URL:%s Timeout:%v}", o.host(), o.Timeout) }

// host is what may be shown of the URL: what else is in one may be a password.
func (o Options) host() string {
	u, err := url.Parse(o.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return o
}

// validate returns everything that is wrong, naming the fields.
func (o Options) validate() error {
	var errs []error
	wrong := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("Options.%s: %w", field, err)) //nolint:staticcheck // begins with a name
		}
	}
	wrong("URL", validURL(o.URL))
	wrong("Token", validToken(o.Token))
	if o.Timeout < 0 {
		wrong("Timeout", fmt.Errorf("want a positive duration, got %v", o.Timeout))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrOptions, errors.Join(errs...))
}

var (
	errNoURL    = errors.New("want the REST URL of the database, https://….upstash.io, got nothing")
	errURL      = errors.New("want the REST URL of the database, https://….upstash.io")
	errTCP      = errors.New("want the REST URL of the database, https://….upstash.io, and not the one of its TCP endpoint")
	errURLParts = errors.New("want the REST URL of the database without a user, a query or a fragment")
	errNoToken  = errors.New("want the REST token of the database, got nothing")
	errToken    = errors.New("want the REST token of the database, without blanks and quotes")
)

// validURL looks at a REST URL. Its errors do not repeat it: whoever mixes things up puts a password in it.
func validURL(text string) error {
	if text == "" {
		return errNoURL
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errURL
	case u.Scheme == "redis" || u.Scheme == "rediss":
		return errTCP
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return errURL
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errURLParts
	}
	return nil
}

// validToken sees that a token can be sent.
func validToken(token string) error {
	if token == "" {
		return errNoToken
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\'' }
	if strings.ContainsFunc(token, odd) {
		return errToken
	}
	return nil
}
