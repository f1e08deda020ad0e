package floor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"

	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
)

// errDestination is returned for a query into something that there is no codec for.
var errDestination = errors.New("floor: no codec for the destination")

// Behind makes a handle answer its queries from the cache, by their text and arguments: the least that a cache behind GORM
// has to do. Writes forget nothing.
func (c *Cache) Behind(db *gorm.DB) error {
	query := db.Callback().Query()
	inner := query.Get("gorm:query")
	return query.Replace("gorm:query", func(db *gorm.DB) {
		if db.Error == nil {
			_ = db.AddError(c.answer(db, inner))
		}
	})
}

func (c *Cache) answer(db *gorm.DB, inner func(*gorm.DB)) error {
	callbacks.BuildQuerySQL(db)
	name := c.name(db.Statement)
	into := destination(db.Statement.Dest)
	if into == nil {
		return fmt.Errorf("%w: %T", errDestination, db.Statement.Dest)
	}
	ctx := db.Statement.Context
	data, err := c.Redis.Get(ctx, name).Bytes()
	if errors.Is(err, redis.Nil) {
		if inner(db); db.Error != nil { // the handle has it
			return nil //nolint:nilerr // err is that of Redis, which has nothing of the name
		}
		return c.Redis.Set(ctx, name, into.encode(), ttl).Err()
	}
	if err != nil {
		return err
	}
	db.RowsAffected, err = into.decode(data)
	return err
}

func (c *Cache) name(s *gorm.Statement) string {
	var b strings.Builder
	b.WriteString(c.Prefix)
	b.WriteString(s.SQL.String())
	for _, v := range s.Vars {
		_, _ = fmt.Fprint(&b, "|", v)
	}
	return b.String()
}

// target is where a query's answer goes.
type target interface {
	encode() []byte
	decode(data []byte) (rows int64, err error)
}

// destination finds the codec for what GORM is to scan into.
func destination(dest any) target {
	switch d := dest.(type) {
	case *shop.User:
		return one[shop.User]{Users(), d}
	case *[]shop.User:
		return list[shop.User]{Users(), d}
	case *[]shop.Order:
		return list[shop.Order]{Orders(), d}
	case *[]*shop.Order:
		return pointers[shop.Order]{Orders(), d}
	case *[]*shop.UserTag:
		return pointers[shop.UserTag]{UserTags(), d}
	case *[]shop.UserTag:
		return list[shop.UserTag]{UserTags(), d}
	case *[]*shop.Tag:
		return pointers[shop.Tag]{Tags(), d}
	case *[]shop.OrderLine:
		return list[shop.OrderLine]{Lines(), d}
	case *int64:
		return one[int64]{Counts(), d}
	default:
		return nil
	}
}

type one[T any] struct {
	codec Codec[T]
	into  *T
}

func (o one[T]) encode() []byte { return o.codec.Encode([]T{*o.into}) }

func (o one[T]) decode(data []byte) (int64, error) {
	rows, err := o.codec.Decode(data)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	*o.into = rows[0]
	return 1, nil
}

type list[T any] struct {
	codec Codec[T]
	into  *[]T
}

func (l list[T]) encode() []byte { return l.codec.Encode(*l.into) }

func (l list[T]) decode(data []byte) (n int64, err error) {
	*l.into, err = l.codec.Decode(data)
	return int64(len(*l.into)), err
}

type pointers[T any] struct {
	codec Codec[T]
	into  *[]*T
}

func (p pointers[T]) encode() []byte {
	rows := make([]T, len(*p.into))
	for i, row := range *p.into {
		rows[i] = *row
	}
	return p.codec.Encode(rows)
}

func (p pointers[T]) decode(data []byte) (int64, error) {
	rows, err := p.codec.Decode(data)
	*p.into = make([]*T, len(rows))
	for i := range rows {
		(*p.into)[i] = &rows[i]
	}
	return int64(len(rows)), err
}
