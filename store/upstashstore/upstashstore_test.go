package upstashstore_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/upstash"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
	"github.com/gorm-rediscache/rediscache/store/storetest"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

// open returns a store with a deadline that a loaded machine keeps.
func open(t testing.TB, server *upstash.Server, options ...func(*upstashstore.Options)) *upstashstore.Store {
	t.Helper()
	opt := upstashstore.Options{URL: server.URL, Token: upstash.Token, Timeout: 10 * time.Second}
	for _, o := range options {
		o(&opt)
	}
	s, err := upstashstore.New(opt)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func space(t testing.TB, namespace string) keying.Space {
	t.Helper()
	names, err := keying.NewSpace(namespace, "test", keying.ManySlots)
	require.NoError(t, err)
	return names
}

func TestUpstashPassesTheSuite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Features{Atomic: true}, func(t *testing.T) (store.Store, keying.Space) {
		client, namespace := testkit.Redis(t)
		return open(t, upstash.Start(t, client)), space(t, namespace)
	})
}

// A database with read regions answers what only reads from a replica. Here it is one that hears of nothing at all.
func TestNothingIsReadFromAReplica(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t).Client()
	t.Run("suite", func(t *testing.T) { // waits for its parallel tests before the server is stopped
		storetest.Run(t, storetest.Features{Atomic: true}, func(t *testing.T) (store.Store, keying.Space) {
			client, namespace := testkit.Redis(t)
			server := upstash.Start(t, client)
			server.ReadFrom(t, behind)
			return open(t, server), space(t, namespace)
		})
	})
}

// A server that may not write, and is asked all the same, does not answer with what it has heard so far.
func TestReplicaThatIsTakenForThePrimaryRefuses(t *testing.T) {
	t.Parallel()
	primary, replica := testkit.StartRedis(t), testkit.StartRedis(t).Client()
	require.NoError(t, primary.Client().Set(t.Context(), "k", "v", 0).Err())
	host, port, err := net.SplitHostPort(primary.Addr)
	require.NoError(t, err)
	require.NoError(t, replica.ReplicaOf(t.Context(), host, port).Err())
	testkit.Eventually(t, "the replica has the key", func() bool { return replica.Get(t.Context(), "k").Val() == "v" })
	_, err = open(t, upstash.Start(t, replica)).Load(t.Context(), []string{"k"})
	require.ErrorContains(t, err, "READONLY")
}

// Steps are few requests, whatever they name.
func TestEveryStepIsOneRequest(t *testing.T) {
	t.Parallel()
	client, namespace := testkit.Redis(t)
	server := upstash.Start(t, client)
	s, names := open(t, server), space(t, namespace)
	tags := names.All()
	keys, mints, entries := make([]string, len(tags)), make([]store.Mint, len(tags)), make([]store.Entry, len(tags))
	for i, tag := range tags {
		keys[i] = tag.Token()
		mints[i] = store.Mint{Tag: tag, Token: "0123456789abcdef", TTL: time.Minute}
		entries[i] = store.Entry{Key: keying.Key(fmt.Sprint(namespace, i)), Data: []byte("v"), TTL: time.Minute}
	}
	declared := store.Declaration{Tag: tags[0], Token: "0123456789abcdef", TTL: time.Minute, Names: []string{"a"}, Max: 1}
	ctx := t.Context()
	for name, step := range map[string]func() error{
		"load":    func() error { _, err := s.Load(ctx, keys); return err },
		"mint":    func() error { _, err := s.Mint(ctx, mints); return err },
		"put":     func() error { return s.Put(ctx, entries) },
		"declare": func() error { _, err := s.Declare(ctx, declared); return err },
		"intend":  func() error { _, err := s.Intend(ctx, "w", time.Minute, tags, tags); return err },
		"release": func() error { _, err := s.Release(ctx, "w", tags, tags); return err },
	} {
		require.NoError(t, step(), name) // the server learns the script
		server.Requests()
		require.NoError(t, step(), name)
		require.Len(t, server.Requests(), 1, name)
	}
}

// A load of very many names is still one step.
func TestManyNamesAreLoadedTogether(t *testing.T) {
	t.Parallel()
	client, namespace := testkit.Redis(t)
	s := open(t, upstash.Start(t, client))
	keys := make([]string, 10_000)
	var entries []store.Entry
	for i := range keys {
		keys[i] = fmt.Sprint(namespace, i)
		if i%999 == 0 {
			entries = append(entries, store.Entry{Key: keying.Key(keys[i]), Data: []byte(keys[i]), TTL: time.Minute})
		}
	}
	require.NoError(t, s.Put(t.Context(), entries))
	snap, err := s.Load(t.Context(), keys)
	require.NoError(t, err)
	for i, v := range snap.Values {
		require.Equal(t, i%999 == 0, v.Found, i)
		require.Equal(t, v.Found, v.Data == keys[i], i)
	}
}

// The server may forget scripts at any time: a restart, SCRIPT FLUSH, another server.
func TestScriptsAreSentAgainAfterTheServerLostThem(t *testing.T) {
	t.Parallel()
	client := testkit.StartRedis(t).Client()
	s, names := open(t, upstash.Start(t, client)), space(t, "ns")
	tags := names.All()
	mints := []store.Mint{{Tag: tags[0], Token: "0123456789abcdef", TTL: time.Minute}}
	entries := []store.Entry{
		{Key: "one", Data: []byte{0, 200}, TTL: time.Minute}, {Key: "two", Data: []byte{0, 201}, TTL: time.Minute},
	}
	for _, step := range []func() error{
		func() error { _, err := s.Intend(t.Context(), "w", time.Minute, tags, nil); return err },
		func() error { _, err := s.Release(t.Context(), "w", tags, nil); return err },
		func() error { _, err := s.Mint(t.Context(), mints); return err },
		func() error { return s.Put(t.Context(), entries) },
		func() error { _, err := s.Load(t.Context(), []string{"one"}); return err },
	} {
		require.NoError(t, step())
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
		require.NoError(t, step())
	}
	require.Equal(t, "01234567", client.Get(t.Context(), tags[0].Token()).Val()[:8])
	require.Equal(t, "\x00\xc8", client.Get(t.Context(), "one").Val())
	require.Equal(t, "\x00\xc9", client.Get(t.Context(), "two").Val())
}

// What one store writes, the other one reads: the same bytes under the same names.
func TestValuesAreThoseOfRedisstore(t *testing.T) {
	t.Parallel()
	client, namespace := testkit.Redis(t)
	tcp, err := redisstore.New(client, redisstore.Options{Timeout: 10 * time.Second})
	require.NoError(t, err)
	rest, names := open(t, upstash.Start(t, client)), space(t, namespace)
	data := make([]byte, 256)
	for i := range data {
		data[i] = byte(i)
	}
	tag := names.All()[0]
	stores := []store.Store{tcp, rest}
	for i, s := range stores {
		key := fmt.Sprint(namespace, "entry", i)
		require.NoError(t, s.Put(t.Context(), []store.Entry{{Key: keying.Key(key), Data: data, TTL: time.Minute}}))
		_, err := s.Mint(t.Context(), []store.Mint{{Tag: tag, Token: string(data[:16]), TTL: time.Minute}})
		require.NoError(t, err)
		var found []string
		for _, s := range stores {
			snap, err := s.Load(t.Context(), []string{key, tag.Token()})
			require.NoError(t, err)
			require.Equal(t, string(data), snap.Values[0].Data)
			found = append(found, snap.Values[1].Data)
		}
		require.Equal(t, found[0], found[1])
		require.Equal(t, string(data[:8]), found[0][:8])
		_, err = s.Release(t.Context(), "w", []keying.Tag{tag}, nil)
		require.NoError(t, err)
	}
}

func TestKeyThatIsNoTextIsRefused(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Redis(t)
	s := open(t, upstash.Start(t, client))
	_, err := s.Load(t.Context(), []string{"k\xff"})
	require.ErrorContains(t, err, "UTF-8")
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Redis(t)
	server := upstash.Start(t, client)
	load := func(options ...func(*upstashstore.Options)) error {
		_, err := open(t, server, options...).Load(t.Context(), []string{"k"})
		return err
	}
	token := func(token string) func(*upstashstore.Options) {
		return func(o *upstashstore.Options) { o.Token = token }
	}
	for name, test := range map[string]struct {
		err  error
		is   error
		says string
	}{
		"wrong token":     {load(token("wrong-token")), upstashstore.ErrUnauthorized, "UPSTASH_REDIS_REST_TOKEN"},
		"read-only token": {load(token(upstash.ReadOnly)), upstashstore.ErrUnauthorized, "standard REST token"},
	} {
		require.ErrorIs(t, test.err, test.is, name)
		require.ErrorContains(t, test.err, test.says, name)
		require.NotContains(t, test.err.Error(), "wrong-token", name)
		require.NotContains(t, test.err.Error(), upstash.ReadOnly, name)
	}
	for text, test := range map[string]struct {
		status int
		is     error
		says   string
	}{
		"ERR max daily request limit exceeded. Limit: 500000, Usage: 500000": {400, upstashstore.ErrQuota, "upgrade the plan"},
		"ERR max requests limit exceeded. Limit: 500000":                     {400, upstashstore.ErrQuota, "upgrade the plan"},
		"ERR DB capacity quota exceeded":                                     {400, upstashstore.ErrQuota, "eviction"},
		"too many requests":                                                  {429, upstashstore.ErrQuota, "429"},
		"Unauthorized":                                                       {401, upstashstore.ErrUnauthorized, "401"},
	} {
		server.Fail(1, upstash.Status(test.status, text)) // refusals are not asked for again: the next request would succeed
		err := load()
		require.ErrorIs(t, err, test.is, text)
		require.ErrorContains(t, err, test.says, text)
		require.ErrorContains(t, err, text)
		server.Heal()
	}
}

// An error may be that of one command of a pipeline.
func TestErrorInAPipelineIsFound(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t, "--maxmemory", "1", "--maxmemory-policy", "noeviction")
	s := open(t, upstash.Start(t, server.Client()))
	err := s.Put(t.Context(), []store.Entry{{Key: "k", Data: []byte("v"), TTL: time.Minute}})
	require.ErrorContains(t, err, "OOM")
}

// The steps may be repeated, and so a step survives what a connection or a gateway does.
func TestStepsAreTriedAgain(t *testing.T) {
	t.Parallel()
	client, namespace := testkit.Redis(t)
	server := upstash.Start(t, client)
	s, names := open(t, server), space(t, namespace)
	tags := names.All()[:1]
	for name, fault := range map[string]upstash.Fault{
		"connection cut":             upstash.Cut(),
		"cut in place of the answer": server.CutAfter(),
		"bad gateway":                upstash.Text(http.StatusBadGateway, "<html>nginx</html>"),
		"server error":               upstash.Status(http.StatusInternalServerError, "ERR internal"),
	} {
		server.Fail(2, fault)
		_, err := s.Intend(t.Context(), "w", time.Minute, tags, nil)
		require.NoError(t, err, name)
		server.Fail(2, fault)
		snap, err := s.Load(t.Context(), []string{tags[0].Token()})
		require.NoError(t, err, name)
		require.Equal(t, store.Writing, snap.Values[0].Data, name)
		server.Fail(-1, fault)
		server.Requests()
		_, err = s.Release(t.Context(), "w", tags, nil)
		require.Error(t, err, name)
		server.Heal()
	}
}

func TestServerThatDoesNotAnswerIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	client, namespace := testkit.Redis(t)
	server := upstash.Start(t, client)
	names := space(t, namespace)
	s := open(t, server, func(o *upstashstore.Options) { o.Timeout = 50 * time.Millisecond })
	declared := store.Declaration{Tag: names.All()[0], Token: "0123456789abcdef", TTL: time.Minute}
	server.Fail(-1, upstash.Slow(time.Hour))
	for name, step := range map[string]func() error{
		"load":    func() error { _, err := s.Load(t.Context(), []string{"k"}); return err },
		"put":     func() error { return s.Put(t.Context(), []store.Entry{{Key: "k", TTL: time.Minute}}) },
		"intend":  func() error { _, err := s.Intend(t.Context(), "w", time.Minute, names.All(), nil); return err },
		"declare": func() error { _, err := s.Declare(t.Context(), declared); return err },
		"release": func() error { _, err := s.Release(t.Context(), "w", names.All(), nil); return err },
	} {
		require.ErrorIs(t, step(), context.DeadlineExceeded, name)
	}
}

// The time for retries is that of the step.
func TestRetriesEndWithTheContext(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Redis(t)
	server := upstash.Start(t, client)
	s := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	server.Fail(-1, func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		tries++
		cancel()
		return upstash.Text(http.StatusBadGateway, "")(w, r, body)
	})
	_, err := s.Load(ctx, []string{"k"})
	require.Error(t, err)
	require.Equal(t, 1, tries)
}

func TestAnswersThatAreNotTheProtocolsAreErrors(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Redis(t)
	server := upstash.Start(t, client)
	s := open(t, server)
	for _, text := range []string{
		"<html>welcome to the hotel's network</html>", `{"result": "bm8="}`, `{"result": ["bm8=", "bm8="]}`,
		`{"result": [7]}`, `{"result": ["not base64"]}`, `{"result": null}`, `[]`, ``, `{}`,
	} {
		server.Fail(-1, upstash.Text(http.StatusOK, text))
		_, err := s.Load(t.Context(), []string{"k"})
		require.ErrorContains(t, err, "not an answer of Upstash", text)
		require.Error(t, s.Put(t.Context(), []store.Entry{{Key: "k", TTL: time.Minute}}), text)
		_, err = s.Declare(t.Context(), store.Declaration{Tag: "t", Token: "0123456789abcdef", TTL: time.Minute})
		require.Equal(t, text == `{"result": "bm8="}`, err == nil, text)
	}
}

// A redirect would take the token to another server.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Redis(t)
	server, other := upstash.Start(t, client), upstash.Start(t, client)
	s := open(t, server, func(o *upstashstore.Options) { o.HTTPClient = &http.Client{} })
	server.Fail(-1, func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		return true
	})
	_, err := s.Load(t.Context(), []string{"k"})
	require.ErrorContains(t, err, "HTTP status 307")
	require.Empty(t, other.Requests())
}

func TestManyStepsAtOnceUseFewConnections(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Redis(t)
	server := upstash.Start(t, client)
	s := open(t, server)
	gate := make(chan struct{})
	server.Fail(-1, func(http.ResponseWriter, *http.Request, []byte) bool { <-gate; return false })
	done := make(chan error)
	for range 200 {
		go func() { _, err := s.Load(t.Context(), []string{"k"}); done <- err }()
	}
	testkit.Eventually(t, "connections are open", func() bool { return server.Connections() > 0 })
	close(gate)
	for range 200 {
		require.NoError(t, <-done)
	}
	require.LessOrEqual(t, server.Connections(), 64)
}
