package speed

import (
	"fmt"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/benchmarks/floor"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
)

// many is how many rows are looked up at once.
const many = 50

// reads are queries of several rows whose answers are cached.
func (b *bench) reads() []workload { return []workload{b.fifty(), b.list(), b.count(), b.join()} }

// fifty looks up fifty rows by key.
func (b *bench) fifty() workload {
	users := max(1, min(b.hot, b.size.Users)-many)
	ids := func(c *caller) []int64 {
		first := c.pick(users)
		ids := make([]int64, many)
		for i := range ids {
			ids[i] = first + int64(i)
		}
		return ids
	}
	w := workload{
		name: "50 ids, hit: `Find(&us, ids)`", time: "0.35", warm: b.hot, base: true,
		ops: b.through(func(db *gorm.DB, c *caller) error {
			var us []shop.User
			err := db.Find(&us, ids(c)).Error
			return expect(len(us) == many, err)
		}, plain, behind, cached),
	}
	w.ops[aside] = func(c *caller) error {
		wanted := ids(c)
		us, err := b.asideUsers(c, wanted)
		return expect(len(us) == many, err)
	}
	return w
}

// asideUsers looks users up in the hand-written cache, with one MGET.
func (b *bench) asideUsers(c *caller, ids []int64) ([][]shop.User, error) {
	return floor.Many(c.ctx, b.cache, floor.Users(), names("user:", ids), func(missing []int) ([][]shop.User, error) {
		all := make([][]shop.User, len(missing))
		for n, i := range missing {
			all[n] = make([]shop.User, 1)
			if err := b.handles[aside].First(&all[n][0], ids[i]).Error; err != nil {
				return nil, err
			}
		}
		return all, nil
	})
}

func names(prefix string, ids []int64) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = fmt.Sprint(prefix, id)
	}
	return all
}

// listLength is how many orders a list shows.
const listLength = 20

// latest is the query of a user's latest orders.
func latest(db *gorm.DB, user int64) (orders []shop.Order, err error) {
	err = db.Where("user_id = ?", user).Order("id DESC").Limit(listLength).Find(&orders).Error
	return orders, err
}

// asideOrders looks a user's latest orders up in the hand-written cache.
func (b *bench) asideOrders(c *caller, user int64) ([]shop.Order, error) {
	return floor.Rows(c.ctx, b.cache, floor.Orders(), fmt.Sprint("latest:", user), func() ([]shop.Order, error) {
		return latest(b.handles[aside], user)
	})
}

// list shows a user's latest orders.
func (b *bench) list() workload {
	users := min(b.hot, b.size.Busy())
	w := workload{
		name: "list of 20, hit: `Where(\"user_id = ?\", id).Order(\"id DESC\").Limit(20)`", time: "0.22", warm: users,
		base: true,
		ops: b.through(func(db *gorm.DB, c *caller) error {
			orders, err := latest(db, c.pick(users))
			return expect(len(orders) == listLength, err)
		}, plain, behind, cached),
	}
	w.ops[aside] = func(c *caller) error {
		orders, err := b.asideOrders(c, c.pick(users))
		return expect(len(orders) == listLength, err)
	}
	return w
}

// count counts a user's orders.
func (b *bench) count() workload {
	users := min(b.hot, b.size.Busy())
	count := func(db *gorm.DB, user int64) (n int64, err error) {
		return n, db.Model(&shop.Order{}).Where("user_id = ?", user).Count(&n).Error
	}
	w := workload{
		name: "count, hit: `Where(\"user_id = ?\", id).Count(&n)`", time: "0.42", warm: users, base: true,
		ops: b.through(func(db *gorm.DB, c *caller) error {
			n, err := count(db, c.pick(users))
			return expect(n >= shop.BusyOrders, err)
		}, plain, behind, cached),
	}
	w.ops[aside] = func(c *caller) error {
		user := c.pick(users)
		n, err := floor.Rows(c.ctx, b.cache, floor.Counts(), fmt.Sprint("count:", user), func() ([]int64, error) {
			n, err := count(b.handles[aside], user)
			return []int64{n}, err
		})
		return expect(len(n) == 1 && n[0] >= shop.BusyOrders, err)
	}
	return w
}

// join shows a user's orders with the user's name.
func (b *bench) join() workload {
	users := min(b.hot, b.size.Busy())
	lines := func(db *gorm.DB, user int64) (lines []shop.OrderLine, err error) {
		err = db.Model(&shop.Order{}).Select("orders.id, orders.total, orders.status, users.name").
			Joins("JOIN users ON users.id = orders.user_id").Where("orders.user_id = ?", user).
			Order("orders.id").Limit(listLength).Find(&lines).Error
		return lines, err
	}
	w := workload{
		name: "join, hit: 20 orders with their user's name", warm: users, base: true,
		ops: b.through(func(db *gorm.DB, c *caller) error {
			found, err := lines(db, c.pick(users))
			return expect(len(found) == listLength, err)
		}, plain, behind, cached),
	}
	w.ops[aside] = func(c *caller) error {
		user := c.pick(users)
		found, err := floor.Rows(c.ctx, b.cache, floor.Lines(), fmt.Sprint("lines:", user), func() ([]shop.OrderLine, error) {
			return lines(b.handles[aside], user)
		})
		return expect(len(found) == listLength, err)
	}
	return w
}
