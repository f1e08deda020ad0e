package redisstore_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
	"github.com/gorm-rediscache/rediscache/store/storetest"
)

// patient is a deadline that a loaded machine keeps.
var patient = redisstore.Options{Timeout: 5 * time.Second}

func open(t testing.TB, client redis.UniversalClient, namespace string) (*redisstore.Store, keying.Space) {
	t.Helper()
	s, err := redisstore.New(client, patient)
	require.NoError(t, err)
	names, err := keying.NewSpace(namespace, "test", keying.ManySlots)
	require.NoError(t, err)
	return s, names
}

func TestSingleServerPassesTheSuite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Features{Atomic: true, History: true}, func(t *testing.T) (store.Store, keying.Space) {
		client, namespace := testkit.Redis(t)
		return open(t, client, namespace)
	})
}

func TestClusterPassesTheSuite(t *testing.T) {
	t.Parallel()
	client := testkit.StartRedisCluster(t)
	t.Run("suite", func(t *testing.T) { // waits for its parallel tests before the cluster is stopped
		storetest.Run(t, storetest.Features{History: true}, func(t *testing.T) (store.Store, keying.Space) {
			return open(t, client, testkit.Unique(t))
		})
	})
}

func TestScriptsAreSentAgainAfterTheServerLostThem(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	client := server.Client()
	s, names := open(t, client, "ns")
	tags := names.All()
	mints := []store.Mint{{Tag: tags[0], Token: "0123456789abcdef", TTL: time.Minute}}
	declared := store.Declaration{
		Tag: names.Table("users").Registry(), Token: "0123456789abcdef", TTL: time.Minute, Names: []string{"a"}, Max: 1,
	}
	for _, step := range []func() error{
		func() error { _, err := s.Intend(t.Context(), "w", time.Minute, tags, nil); return err },
		func() error { _, err := s.Release(t.Context(), "w", tags, nil); return err },
		func() error { _, err := s.Mint(t.Context(), mints); return err },
		func() error { _, err := s.Declare(t.Context(), declared); return err },
	} {
		require.NoError(t, step())
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
		require.NoError(t, step())
	}
	require.Equal(t, "01234567", client.Get(t.Context(), tags[0].Token()).Val()[:8])
	require.Equal(t, []string{"a"}, store.Names(client.Get(t.Context(), declared.Tag.Token()).Val()))
}

// A server that restarts from a copy of its data, or that is promoted, brings old tokens back. Their history tells
// them from the ones that were there before.
func TestHistoryChangesWhenTheServerRestartsFromACopyOfItsData(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	s, names := open(t, server.Client(), "ns")
	tag := names.All()[0]
	_, err := s.Mint(t.Context(), []store.Mint{{Tag: tag, Token: "0123456789abcdef", TTL: time.Minute}})
	require.NoError(t, err)
	before := load(t, s, tag)
	require.NoError(t, server.Client().Save(t.Context()).Err())
	server.Kill()
	server.Start()
	after := load(t, s, tag)
	require.Equal(t, before.Data, after.Data, "the restart did not bring the token back, so this test tests nothing")
	require.NotEqual(t, before.History, after.History)
}

func TestHistoryChangesWhenAReplicaIsPromotedBehindAnOpenConnection(t *testing.T) {
	t.Parallel()
	primary, replica := testkit.StartRedis(t), testkit.StartRedis(t)
	s, names := open(t, replica.Client(), "ns")
	tag := names.All()[0]
	_, err := s.Mint(t.Context(), []store.Mint{{Tag: tag, Token: "0123456789abcdef", TTL: time.Minute}})
	require.NoError(t, err)
	before := load(t, s, tag)

	// The same server loses its place and is promoted again, without closing a connection.
	admin := replica.Client()
	host, port := "127.0.0.1", primary.Addr[len("127.0.0.1:"):]
	require.NoError(t, admin.ReplicaOf(t.Context(), host, port).Err())
	testkit.Eventually(t, "the replica is refused", func() bool {
		_, err := s.Load(t.Context(), []string{tag.Token()})
		return err != nil
	})
	require.NoError(t, admin.ReplicaOf(t.Context(), "NO", "ONE").Err())
	testkit.Eventually(t, "the promoted server has another history", func() bool {
		v := load(t, s, tag)
		return v.Found && v.History != before.History || !v.Found
	})
}

// The name of a server stands for another one, all of a sudden: what a new connection reads is of another history.
func TestHistoryIsThatOfTheServerBehindANewConnection(t *testing.T) {
	t.Parallel()
	first, second := testkit.StartRedis(t), testkit.StartRedis(t)
	var addr atomic.Pointer[string]
	addr.Store(&first.Addr)
	client := redis.NewClient(&redis.Options{Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, *addr.Load())
	}})
	t.Cleanup(func() { _ = client.Close() })
	s, names := open(t, client, "ns")
	tag := names.All()[0]
	for _, server := range []*testkit.RedisServer{first, second} {
		require.NoError(t, server.Client().Set(t.Context(), tag.Token(), "0123456789abcdef", 0).Err())
	}
	load(t, s, tag) // connects
	before := load(t, s, tag)
	addr.Store(&second.Addr)
	require.NoError(t, first.Client().Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal").Err())
	require.NotEqual(t, before.History, load(t, s, tag).History)
}

// The intent of a writer that died ends also if others go on writing all the time.
func TestIntentLapsesWhileOthersWrite(t *testing.T) {
	t.Parallel()
	client, namespace := testkit.Redis(t)
	s, names := open(t, client, namespace)
	tags := names.All()[:1]
	_, err := s.Intend(t.Context(), "dies", time.Millisecond, tags, nil)
	require.NoError(t, err)
	_, err = s.Intend(t.Context(), "lives", time.Hour, tags, nil)
	require.NoError(t, err)
	_, err = s.Release(t.Context(), "lives", tags, nil)
	require.NoError(t, err)
	testkit.Eventually(t, "readers may cache again", func() bool {
		snap, err := s.Mint(t.Context(), []store.Mint{{Tag: tags[0], Token: "0123456789abcdef", TTL: time.Minute}})
		require.NoError(t, err)
		return snap.Values[0].Data != store.Writing
	})
}

func TestServerThatDoesNotAnswerIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	names, err := keying.NewSpace("ns", "test", keying.ManySlots)
	require.NoError(t, err)
	// The application's client would wait for ever.
	client := redis.NewClient(&redis.Options{Addr: server.Addr, ReadTimeout: -1, WriteTimeout: -1})
	t.Cleanup(func() { _ = client.Close() })
	s, err := redisstore.New(client, redisstore.Options{Timeout: time.Second})
	require.NoError(t, err)
	_, err = s.Intend(t.Context(), "w", time.Minute, names.All(), nil)
	require.NoError(t, err)

	server.Stop()
	t.Cleanup(server.Continue)
	for name, step := range steps(t, s, names.All()) {
		require.Error(t, step(), name)
	}
}

// steps are all that a store can be asked for.
func steps(t *testing.T, s store.Store, tags []keying.Tag) map[string]func() error {
	t.Helper()
	ctx := t.Context()
	declared := store.Declaration{Tag: tags[0], Token: "0123456789abcdef", TTL: time.Minute}
	return map[string]func() error{
		"load":    func() error { _, err := s.Load(ctx, []string{tags[0].Token()}); return err },
		"mint":    func() error { _, err := s.Mint(ctx, []store.Mint{{Tag: tags[0], TTL: time.Minute}}); return err },
		"put":     func() error { return s.Put(ctx, []store.Entry{{Key: keying.Key(tags[0]), TTL: time.Minute}}) },
		"intend":  func() error { _, err := s.Intend(ctx, "w", time.Minute, tags, nil); return err },
		"declare": func() error { _, err := s.Declare(ctx, declared); return err },
		"release": func() error { _, err := s.Release(ctx, "w", tags, nil); return err },
	}
}

func TestClientsThatCannotKeepThePromiseAreRefused(t *testing.T) {
	t.Parallel()
	addrs := []string{"127.0.0.1:1"}
	for name, client := range map[string]redis.UniversalClient{
		"nil":               nil,
		"nil client":        (*redis.Client)(nil),
		"nil cluster":       (*redis.ClusterClient)(nil),
		"ring":              redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": addrs[0]}}),
		"read only cluster": redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, ReadOnly: true}),
		"nearest replica":   redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, RouteByLatency: true}),
		"random replica":    redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, RouteRandomly: true}),
		"failover cluster of replicas": redis.NewFailoverClusterClient(&redis.FailoverOptions{
			MasterName: "main", SentinelAddrs: addrs, ReplicaOnly: true,
		}),
		"failover cluster of the nearest": redis.NewFailoverClusterClient(&redis.FailoverOptions{
			MasterName: "main", SentinelAddrs: addrs, RouteByLatency: true,
		}),
		"failover cluster of any": redis.NewUniversalClient(&redis.UniversalOptions{
			MasterName: "main", Addrs: addrs, RouteRandomly: true,
		}),
		"wrapped client": struct{ redis.UniversalClient }{redis.NewClient(&redis.Options{Addr: addrs[0]})},
		"client side cache of its own": redis.NewClient(&redis.Options{
			Addr: addrs[0], Protocol: 3, ClientSideCache: redis.NewLocalCache(redis.CacheConfig{}),
		}),
		"client side cache": redis.NewClient(&redis.Options{
			Addr: addrs[0], Protocol: 3, ClientSideCacheConfig: &redis.ClientSideCacheConfig{},
		}),
	} {
		_, err := redisstore.New(client, redisstore.Options{})
		require.ErrorIs(t, err, redisstore.ErrClient, name)
	}
}

// A failover client, of either kind, that reads from the primary is as good as any.
func TestFailoverClientsPassTheSuite(t *testing.T) {
	t.Parallel()
	servers := testkit.StartRedisSentinel(t)
	opt := &redis.FailoverOptions{MasterName: "main", SentinelAddrs: servers.Addrs()}
	for name, c := range map[string]struct { //nolint:paralleltest // its parts are
		client   redis.UniversalClient
		features storetest.Features
	}{
		"client":         {redis.NewFailoverClient(opt), storetest.Features{Atomic: true, History: true}},
		"cluster client": {redis.NewFailoverClusterClient(opt), storetest.Features{History: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(func() { _ = c.client.Close() })
			storetest.Run(t, c.features, func(t *testing.T) (store.Store, keying.Space) {
				return open(t, c.client, testkit.Unique(t))
			})
		})
	}
}

// A client of replicas that does not say so is refused by what the server says that it is.
func TestReplicasAreNotBelieved(t *testing.T) {
	t.Parallel()
	servers := testkit.StartRedisSentinel(t)
	for name, client := range map[string]redis.UniversalClient{
		"replica": servers.Replica.Client(),
		"replica-only failover": redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: "main", SentinelAddrs: servers.Addrs(), ReplicaOnly: true,
		}),
	} {
		t.Cleanup(func() { _ = client.Close() })
		s, _ := open(t, client, "ns")
		_, err := s.Load(t.Context(), []string{"k"})
		require.ErrorContains(t, err, "the server is a replica", name)
		require.Equal(t, servers.Replica.Addr, s.Server(), name)
	}
}

// Names are spread over slots on a Cluster only, and all processes must have the same: who has others must not write, either.
// (A Cluster client finds no slots on any other server.)
func TestServerOfAClusterRefusesOtherClientsAtEachStep(t *testing.T) {
	t.Parallel()
	master := testkit.StartRedisCluster(t).Options().Addrs[0]
	for name, client := range map[string]redis.UniversalClient{
		"single client of a Cluster": redis.NewClient(&redis.Options{Addr: master}),
		"failover Cluster client of a Cluster": redis.NewClusterClient(&redis.ClusterOptions{
			ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
				return []redis.ClusterSlot{{End: 16383, Nodes: []redis.ClusterNode{{Addr: master}}}}, nil
			},
		}),
	} {
		t.Cleanup(func() { _ = client.Close() })
		_, names := open(t, client, "ns")
		for step := range steps(t, nil, names.All()) {
			s, _ := open(t, client, "ns") // of a Cluster's servers, one that has failed is not asked again at once
			err := steps(t, s, names.All()[:1])[step]()
			require.ErrorIs(t, err, redisstore.ErrClient, "%s: %s", name, step)
		}
	}
}

// A server that did not let the client in has not said what it is.
func TestServerThatLetNobodyInIsAskedAgainWhatItIs(t *testing.T) {
	t.Parallel()
	master := testkit.StartRedisCluster(t).Options().Addrs[0]
	admin := redis.NewClient(&redis.Options{Addr: master})
	client := redis.NewClient(&redis.Options{Addr: master, Password: "later"})
	t.Cleanup(func() { _, _ = admin.Close(), client.Close() })
	s, _ := open(t, client, "ns")
	require.NoError(t, admin.ConfigSet(t.Context(), "requirepass", "now").Err())
	_, err := s.Load(t.Context(), []string{"k"})
	require.Error(t, err)
	require.NotErrorIs(t, err, redisstore.ErrClient)
	require.NoError(t, admin.ConfigSet(t.Context(), "requirepass", "later").Err())
	_, err = s.Load(t.Context(), []string{"k"})
	require.ErrorIs(t, err, redisstore.ErrClient)
}

// What a client is connected to is named without its credentials.
func TestServerIsNamedForPeople(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	single := redis.NewClient(&redis.Options{Addr: "localhost:1", Username: "ann", Password: "hunter2"})
	sentinel := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", SentinelAddrs: []string{"localhost:1"}})
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"a:1", "b:2"}, Password: "hunter2"})
	for want, client := range map[string]redis.UniversalClient{
		"localhost:1": single, "the primary that Sentinel names": sentinel, "a:1,b:2": cluster,
	} {
		t.Cleanup(func() { _ = client.Close() })
		s, _ := open(t, client, "ns")
		require.Equal(t, want, s.Server())
	}
	s, _ := open(t, server.Client(), "ns")
	_, err := s.Load(t.Context(), []string{"k"})
	require.NoError(t, err)
	require.Equal(t, server.Addr, s.Server())
}

func TestNothingIsDialledBeforeTheFirstStep(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{
		Addr: "127.0.0.1:1",
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("dialed")
		},
	})
	t.Cleanup(func() { _ = client.Close() })
	s, err := redisstore.New(client, redisstore.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.Zero(t, client.PoolStats().Misses)
}

// While a slot is moved, commands of several keys are refused unless one server has them all. A writer must be heard all the
// same: readers are served on by the one that has what they ask for.
func TestWriterIsHeardWhileItsSlotIsMoved(t *testing.T) {
	t.Parallel()
	c := testkit.StartRedisPrimaries(t)
	for name, moved := range map[string]bool{"users": false, "orders": true} {
		s, names := open(t, c.Client(), testkit.Unique(t))
		table := names.Table(name)
		tag, watched := table.List(), table.Registry()
		mint := store.Mint{Tag: tag, Token: "0123456789abcdef", TTL: time.Minute}
		_, err := s.Mint(t.Context(), []store.Mint{mint})
		require.NoError(t, err)
		declared := store.Declaration{Tag: watched, Token: mint.Token, TTL: time.Minute, Names: []string{"a"}, Max: 1}
		_, err = s.Declare(t.Context(), declared)
		require.NoError(t, err)
		from := c.Holder(tag.Token())
		m := c.Migrate(c.Slot(tag.Token()), c.Primaries[from], c.Primaries[(from+1)%3])
		holder := c.Primaries[from]
		if moved {
			m.MoveKey(tag.Token())
			holder = c.Primaries[(from+1)%3]
		}

		seen, err := s.Intend(t.Context(), "w", time.Minute, []keying.Tag{tag}, []keying.Tag{watched})
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, store.Names(seen[0].Data))
		asking := func(key string) string {
			p := holder.Client().Pipeline()
			p.Do(t.Context(), "ASKING")
			got := p.Get(t.Context(), key)
			_, _ = p.Exec(t.Context())
			return got.Val()
		}
		require.Equal(t, store.Writing, asking(tag.Token()), "nobody is served what was there before")
		_, err = s.Mint(t.Context(), []store.Mint{mint})
		require.Error(t, err, "nobody mints")
		m.Finish()
		minted := func() (token string) {
			testkit.Eventually(t, "the new owner answers", func() bool {
				snap, err := s.Mint(t.Context(), []store.Mint{mint})
				if err == nil {
					token = snap.Values[0].Data
				}
				return err == nil
			})
			return token
		}
		require.Equal(t, store.Writing, minted(), "the writer is among the writers wherever they are")

		back := c.Migrate(c.Slot(tag.Token()), c.Primaries[(from+1)%3], c.Primaries[from])
		seen, err = s.Release(t.Context(), "w", []keying.Tag{tag}, []keying.Tag{watched})
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, store.Names(seen[0].Data))
		back.Finish()
		require.Len(t, minted(), store.TokenSize, "it has left")
	}
}

// A primary that takes no writes without its replicas, and has lost them, may have had a successor for long.
func TestPrimaryThatHasLostItsReplicasIsNotBelieved(t *testing.T) {
	t.Parallel()
	primary := testkit.StartRedis(t, "--min-replicas-to-write", "1", "--min-replicas-max-lag", "4")
	replica := testkit.StartRedis(t, "--replicaof", "127.0.0.1", primary.Addr[len("127.0.0.1:"):])
	s, _ := open(t, primary.Client(), "ns")
	testkit.Eventually(t, "it has a replica", func() bool {
		_, err := s.Load(t.Context(), []string{"k"})
		return err == nil
	})
	replica.Stop()
	testkit.Eventually(t, "it is refused", func() bool {
		_, err := s.Load(t.Context(), []string{"k"})
		return err != nil && strings.Contains(err.Error(), "min-replicas-to-write")
	})
}

// Of a Cluster, one server that does not answer is not waited for again and again, and keeps nobody from the others.
func TestServerOfAClusterThatDoesNotAnswerKeepsNobodyFromTheOthers(t *testing.T) {
	t.Parallel()
	c := testkit.StartRedisPrimaries(t, "--cluster-node-timeout", "20000") // so that the others do not mind
	s, err := redisstore.New(c.Client(), redisstore.Options{Timeout: time.Second})
	require.NoError(t, err)
	names, err := keying.NewSpace("ns", "test", keying.ManySlots)
	require.NoError(t, err)
	all := names.All()
	_, err = s.Intend(t.Context(), "w", time.Minute, all, nil)
	require.NoError(t, err)
	_, err = s.Release(t.Context(), "w", all, nil)
	require.NoError(t, err)

	c.Primaries[0].Stop()
	t.Cleanup(c.Primaries[0].Continue)
	// Steps on everything, of which a third fails.
	for range 20 {
		_, err = s.Intend(t.Context(), "w", time.Minute, all, nil)
		require.ErrorIs(t, err, store.ErrInPart)
	}
	require.ErrorIs(t, err, store.ErrUnavailable, "it is not waited for any more")
	for _, tag := range all {
		if c.Holder(tag.Token()) == 0 {
			continue
		}
		v, err := s.Load(t.Context(), []string{tag.Token()})
		require.NoError(t, err)
		require.Equal(t, store.Writing, v.Values[0].Data, "the others have been told")
	}
	c.Primaries[0].Continue()
	testkit.Eventually(t, "it is asked again", func() bool {
		_, err := s.Release(t.Context(), "w", all, nil)
		return err == nil
	})
}

func load(t *testing.T, s store.Store, tag keying.Tag) store.Value {
	t.Helper()
	var snap store.Snapshot
	testkit.Eventually(t, "the server answers", func() (ok bool) {
		var err error
		snap, err = s.Load(t.Context(), []string{tag.Token()})
		return err == nil
	})
	return snap.Values[0]
}

// What a server refuses is told as it told it: it answers.
func TestReadsThatAreRefusedAreErrorsOfTheServer(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	s, err := redisstore.New(server.Client(), redisstore.Options{Timeout: 5 * time.Second})
	require.NoError(t, err)
	_, err = s.Load(t.Context(), []string{"a"})
	require.NoError(t, err)
	require.NoError(t, server.Client().Do(t.Context(), "ACL", "SETUSER", "default", "-mget").Err())
	for range 2 { // also where INFO goes along
		_, err = s.Load(t.Context(), []string{"a", "b"})
		refused, ok := errors.AsType[redis.Error](err)
		require.True(t, ok, err)
		require.True(t, strings.HasPrefix(refused.Error(), "NOPERM"), refused)
		time.Sleep(150 * time.Millisecond)
	}
}
