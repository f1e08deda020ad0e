package redisstore_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// Somebody has put values of other types under names of the cache. Every step works as if there were nothing.
func TestValuesOfOtherTypesCountAsNothing(t *testing.T) {
	t.Parallel()
	client, namespace := testkit.Redis(t)
	s, names := open(t, client, namespace)
	table := names.Table("users")
	tag, registry := table.List(), table.Registry()
	ctx := t.Context()
	poison := func(keys ...string) {
		for _, key := range keys {
			require.NoError(t, client.Del(ctx, key).Err())
			require.NoError(t, client.HSet(ctx, key, "a", "b").Err())
		}
	}
	all := []string{tag.Token(), tag.Writers(), registry.Token(), registry.Writers()}
	for name, step := range map[string]func() error{
		"load": func() error {
			snap, err := s.Load(ctx, all)
			for _, v := range snap.Values {
				require.False(t, v.Found)
			}
			return err
		},
		"mint": func() error {
			snap, err := s.Mint(ctx, []store.Mint{{Tag: tag, Token: "0123456789abcdef", TTL: time.Minute}})
			require.Len(t, snap.Values, 1)
			require.Len(t, snap.Values[0].Data, store.TokenSize)
			return err
		},
		"declare": func() error {
			v, err := s.Declare(ctx, store.Declaration{
				Tag: registry, Token: "0123456789abcdef", TTL: time.Minute, Names: []string{"a"}, Max: 1,
			})
			require.Equal(t, []string{"a"}, store.Names(v.Data))
			return err
		},
		"intend": func() error {
			watched, err := s.Intend(ctx, "w", time.Minute, []keying.Tag{tag}, []keying.Tag{registry})
			require.False(t, watched[0].Found)
			require.Equal(t, store.Writing, client.Get(ctx, tag.Token()).Val())
			return err
		},
		"release": func() error {
			_, err := s.Release(ctx, "w", []keying.Tag{tag}, []keying.Tag{registry})
			require.ErrorIs(t, client.Get(ctx, tag.Token()).Err(), redis.Nil)
			return err
		},
		"put": func() error {
			return s.Put(ctx, []store.Entry{{Key: keying.Key(all[0]), Data: []byte("x"), TTL: time.Minute}})
		},
	} {
		poison(all...)
		require.NoError(t, step(), name)
	}
}
