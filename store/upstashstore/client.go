package upstashstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

// A request that fails because of the network, or of the server, is tried this often again, after pauses that double, as
// long as its context allows.
const (
	retries    = 3
	firstPause = 10 * time.Millisecond
)

// Connections of the store's own client.
const (
	idleConns   = 16
	maxConns    = 64
	idleTimeout = 30 * time.Second // shorter than what stands between keeps a connection that says nothing
)

// A client sends commands.
type client struct {
	url  string
	http *http.Client
	own  bool // the HTTP client is the store's
	// authorize puts the token into a request. The token is nowhere else, so that printing a store does not show it.
	authorize func(*http.Request)
}

func newClient(opt Options) *client {
	token := opt.Token
	c := &client{
		url: strings.TrimRight(opt.URL, "/"), own: opt.HTTPClient == nil,
		authorize: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
	}
	h := http.Client{}
	if c.own {
		h.Transport = newTransport()
	} else {
		h = *opt.HTTPClient
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http = &h
	return c
}

// newTransport returns connections of HTTP/1.1. One that a platform froze, and that is dead when it wakes, costs one step
// its deadline and is gone; an HTTP/2 connection would be used on by all.
func newTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConnsPerHost: idleConns, MaxConnsPerHost: maxConns, IdleConnTimeout: idleTimeout,
		Protocols: &protocols,
	}
}

func (c *client) close() {
	if c.own {
		c.http.CloseIdleConnections()
	}
}

// eval runs a script: by its name, and with its text if the server does not know it.
func (c *client) eval(ctx context.Context, sc lua, call call) (any, error) {
	run := func(name, scriptOrSHA string) (any, error) {
		command, err := call.command(name, scriptOrSHA)
		if err != nil {
			return nil, err
		}
		var a answer
		if err := c.send(ctx, "/", command, &a); err != nil {
			return nil, err
		}
		return a.value()
	}
	result, err := run("EVALSHA", sc.sha)
	if isNoScript(err) {
		return run("EVAL", sc.text)
	}
	return result, err
}

// evalAll runs a script for each call, in one pipeline. If the server does not know it, all is done again, and the first
// call brings the text.
func (c *client) evalAll(ctx context.Context, sc lua, calls []call) error {
	commands := make([][]any, len(calls))
	for i, call := range calls {
		var err error
		if commands[i], err = call.command("EVALSHA", sc.sha); err != nil {
			return err
		}
	}
	err := c.pipeline(ctx, commands)
	if isNoScript(err) {
		commands[0][0], commands[0][1] = "EVAL", sc.text
		err = c.pipeline(ctx, commands)
	}
	return err
}

// pipeline sends commands, and returns the first error of any of them.
func (c *client) pipeline(ctx context.Context, commands [][]any) error {
	var answers []answer
	if err := c.send(ctx, "/pipeline", commands, &answers); err != nil {
		return err
	}
	if len(answers) != len(commands) {
		return fmt.Errorf("%w: %d answers to %d commands", errAnswer, len(answers), len(commands))
	}
	for _, a := range answers {
		if _, err := a.value(); err != nil {
			return err
		}
	}
	return nil
}

// send sends a request until there is an answer, and decodes it.
func (c *client) send(ctx context.Context, path string, body, into any) error {
	text, err := encode(body)
	if err != nil {
		return err
	}
	var said []byte
	for pause, left := firstPause, retries; ; pause, left = 2*pause, left-1 {
		said, err = c.try(ctx, path, text)
		if err == nil || left == 0 || ctx.Err() != nil || !mayPass(err) {
			break
		}
		timer := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err // it says more than the context
		}
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(said, into); err != nil {
		return fmt.Errorf("%w: %d bytes that are not the JSON of one", errAnswer, len(said))
	}
	return nil
}

// try sends a request once, and returns the body of an answer that is no refusal as a whole.
func (c *client) try(ctx context.Context, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Upstash-Encoding", "base64")
	r.Header.Set("User-Agent", "gorm-rediscache")
	c.authorize(r)
	w, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		return nil, err
	}
	if w.StatusCode != http.StatusOK {
		var a answer
		_ = json.Unmarshal(text, &a) // what stands between answers with anything
		return nil, refused(w.StatusCode, a.Error)
	}
	return text, nil
}
