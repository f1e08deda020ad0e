package upstashstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

func TestNothingIsDialledBeforeTheFirstStep(t *testing.T) {
	t.Parallel()
	dialed := errors.New("dialed")
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, dialed }}
	s, err := upstashstore.New(upstashstore.Options{
		URL: "https://none.upstash.io", Token: "t", HTTPClient: &http.Client{Transport: transport},
	})
	require.NoError(t, err)
	_, err = s.Load(t.Context(), nil)
	require.NoError(t, err)
	_, err = s.Load(t.Context(), []string{"k"})
	require.ErrorIs(t, err, dialed)
	require.NoError(t, s.Close())
}

func TestOptionsThatCannotWorkAreNamed(t *testing.T) {
	t.Parallel()
	good := upstashstore.Options{URL: "https://eu1-cat-1.upstash.io/", Token: "secret"}
	s, err := upstashstore.New(good)
	require.NoError(t, err)
	require.Equal(t, "eu1-cat-1.upstash.io", s.Server())
	for field, options := range map[string][]upstashstore.Options{
		"URL": {
			{Token: "secret"},
			{URL: "eu1-cat-1.upstash.io", Token: "secret"},
			{URL: "https://", Token: "secret"},
			{URL: "rediss://default:secret@eu1-cat-1.upstash.io:6379", Token: "secret"},
			{URL: "https://default:secret@eu1-cat-1.upstash.io", Token: "secret"},
			{URL: "https://eu1-cat-1.upstash.io?_token=secret", Token: "secret"},
			{URL: `"https://eu1-cat-1.upstash.io"`, Token: "secret"},
			{URL: "ftp://eu1-cat-1.upstash.io", Token: "secret"},
		},
		"Token": {
			{URL: good.URL}, {URL: good.URL, Token: "secret\n"}, {URL: good.URL, Token: `"secret"`}, {URL: good.URL, Token: "a secret"},
		},
		"Timeout": {{URL: good.URL, Token: "secret", Timeout: -1}},
	} {
		for _, opt := range options {
			_, err := upstashstore.New(opt)
			require.ErrorIs(t, err, upstashstore.ErrOptions)
			require.ErrorContains(t, err, "Options."+field+": want ")
			require.NotContains(t, err.Error(), "secret")
			require.Equal(t, 1, strings.Count(err.Error(), "Options."))
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	from := func(pairs ...string) (upstashstore.Options, bool, error) {
		return upstashstore.FromEnv(func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		})
	}
	const url, token = "UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"
	opt, set, err := from()
	require.NoError(t, err)
	require.False(t, set)
	require.Zero(t, opt)
	opt, set, err = from(url, "https://eu1-cat-1.upstash.io", token, "secret")
	require.NoError(t, err)
	require.True(t, set)
	require.Equal(t, upstashstore.Options{URL: "https://eu1-cat-1.upstash.io", Token: "secret"}, opt)
	for _, test := range [][]string{
		{url, url, "https://eu1-cat-1.upstash.io"},
		{token, token, "secret"},
		{url, url, "rediss://default:secret@eu1-cat-1.upstash.io:6379", token, "secret"},
		{token, url, "https://eu1-cat-1.upstash.io", token, "'secret'"},
	} {
		_, set, err := from(test[1:]...)
		require.True(t, set, test)
		require.ErrorIs(t, err, upstashstore.ErrOptions, test)
		require.ErrorContains(t, err, test[0], test)
		require.NotContains(t, err.Error(), "secret", test)
	}
}

// A token in a log is a token to be revoked.
func TestTokenIsNeverPrinted(t *testing.T) {
	t.Parallel()
	opt := upstashstore.Options{URL: "https://user:secret@eu1-cat-1.upstash.io?_token=secret", Token: "secret"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("options", "value", opt)
	require.Contains(t, log.String(), "eu1-cat-1.upstash.io")
	opt.URL = "https://eu1-cat-1.upstash.io"
	s, err := upstashstore.New(opt)
	require.NoError(t, err)
	for _, printed := range []string{
		log.String(), fmt.Sprint(opt), fmt.Sprintf("%+v", opt), fmt.Sprintf("%#v", &opt), fmt.Sprintf("%q", opt),
		fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), fmt.Sprintf("%+v", *s), fmt.Sprint(map[string]any{"s": opt}),
	} {
		require.NotContains(t, printed, "secret")
	}
}
