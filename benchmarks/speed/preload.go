package speed

import (
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/benchmarks/floor"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
)

// pageSize is how many users a preload shows.
const pageSize = 20

// preload shows neighboring users with their orders and tags.
func (b *bench) preload() workload {
	pages := max(1, min(b.hot, b.size.Busy())/pageSize)
	ids := func(c *caller) []int64 {
		first := (c.pick(pages) - 1) * pageSize
		ids := make([]int64, pageSize)
		for i := range ids {
			ids[i] = first + int64(i) + 1
		}
		return ids
	}
	w := workload{
		name: "preload, hit: 20 users with `Preload(\"Orders\").Preload(\"Tags\")`", time: "0.15", warm: pages, base: true,
		ops: b.through(func(db *gorm.DB, c *caller) error {
			var users []shop.User
			err := db.Preload("Orders").Preload("Tags").Find(&users, ids(c)).Error
			return expect(complete(users), err)
		}, plain, behind, cached),
	}
	w.ops[aside] = func(c *caller) error {
		users, err := b.asidePreload(c, ids(c))
		return expect(complete(users), err)
	}
	return w
}

// complete reports whether users have what they have at least.
func complete(users []shop.User) bool {
	return len(users) == pageSize && len(users[0].Orders) >= shop.BusyOrders && len(users[0].Tags) > 0
}

// asidePreload asks the hand-written cache three times: for the users, for the orders of each, for the tags of each.
func (b *bench) asidePreload(c *caller, ids []int64) ([]shop.User, error) {
	found, err := b.asideUsers(c, ids)
	if err != nil {
		return nil, err
	}
	db := b.handles[aside]
	orders, err := floor.Many(c.ctx, b.cache, floor.Orders(), names("orders:", ids), perUser(ids,
		func(id int64) (orders []shop.Order, err error) {
			return orders, db.Where("user_id = ?", id).Find(&orders).Error
		}))
	if err != nil {
		return nil, err
	}
	tags, err := floor.Many(c.ctx, b.cache, floor.Tags(), names("tags:", ids), perUser(ids,
		func(id int64) (tags []shop.Tag, err error) {
			return tags, db.Model(&shop.User{ID: id}).Association("Tags").Find(&tags)
		}))
	if err != nil {
		return nil, err
	}
	users := make([]shop.User, 0, len(ids))
	for i, rows := range found {
		for _, u := range rows {
			u.Orders, u.Tags = orders[i], tags[i]
			users = append(users, u)
		}
	}
	return users, nil
}

// perUser loads what is missing, user by user.
func perUser[T any](ids []int64, load func(id int64) ([]T, error)) func([]int) ([][]T, error) {
	return func(missing []int) ([][]T, error) {
		all := make([][]T, len(missing))
		for n, i := range missing {
			var err error
			if all[n], err = load(ids[i]); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
}
