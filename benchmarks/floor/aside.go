package floor

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// ttl is how long values are kept.
const ttl = 10 * time.Minute

// A Cache keeps values under names that begin with a prefix.
type Cache struct {
	Redis  *redis.Client
	Prefix string
}

// Rows returns the rows under a name; if there are none, it loads and stores them.
func Rows[T any](ctx context.Context, c *Cache, codec Codec[T], name string, load func() ([]T, error)) ([]T, error) {
	data, err := c.Redis.Get(ctx, c.Prefix+name).Bytes()
	if err == nil {
		return codec.Decode(data)
	}
	if !errors.Is(err, redis.Nil) {
		return nil, err
	}
	rows, err := load()
	if err != nil {
		return nil, err
	}
	return rows, c.Redis.Set(ctx, c.Prefix+name, codec.Encode(rows), ttl).Err()
}

// Many does the same for several names at once. The load is asked for the positions of those that are missing, and returns
// the rows of each.
func Many[T any](
	ctx context.Context, c *Cache, codec Codec[T], names []string, load func(missing []int) ([][]T, error),
) ([][]T, error) {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = c.Prefix + name
	}
	values, err := c.Redis.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, err
	}
	all := make([][]T, len(names))
	var missing []int
	for i, v := range values {
		data, ok := v.(string)
		if !ok {
			missing = append(missing, i)
			continue
		}
		if all[i], err = codec.Decode([]byte(data)); err != nil {
			return nil, err
		}
	}
	if len(missing) == 0 {
		return all, nil
	}
	loaded, err := load(missing)
	if err != nil {
		return nil, err
	}
	pipe := c.Redis.Pipeline()
	for n, i := range missing {
		all[i] = loaded[n]
		pipe.Set(ctx, keys[i], codec.Encode(loaded[n]), ttl)
	}
	_, err = pipe.Exec(ctx)
	return all, err
}

// Forget removes names.
func (c *Cache) Forget(ctx context.Context, names ...string) error {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = c.Prefix + name
	}
	return c.Redis.Del(ctx, keys...).Err()
}
