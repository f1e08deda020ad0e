package speed

import (
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
)

// writes are what reaches the database.
func (b *bench) writes() []workload {
	return []workload{b.miss(), b.update(), b.transaction(), b.mixedPoints(), b.mixedLists()}
}

// miss looks up rows that are not in the cache, and stores them.
func (b *bench) miss() workload {
	w := workload{name: "miss and fill: `First(&u, id)`", time: "1.6", base: true, ops: map[variant]op{}}
	for _, v := range []variant{plain, cached} {
		db := b.handles[v]
		w.ops[v] = func(*caller) error {
			id, _ := b.nextUser(v)
			if id == 1 && v == cached { // users that were looked up before are in the cache
				if err := rediscache.Invalidate(db, rediscache.Table("users")); err != nil {
					return err
				}
			}
			var u shop.User
			err := db.First(&u, id).Error
			return expect(u.ID == id, err)
		}
	}
	w.ops[aside] = func(c *caller) error {
		id, around := b.nextUser(aside)
		u, err := b.asideUser(c, fmt.Sprint("miss:", around, ":", id), id)
		return expect(u.ID == id, err)
	}
	return w
}

// nextUser returns each user in turn, and how often all of them had theirs.
func (b *bench) nextUser(v variant) (id, around int64) {
	n, users := b.next[v].Add(1)-1, int64(b.size.Users)
	return n%users + 1, n / users
}

// setBalance updates a user by key.
func (b *bench) setBalance(db *gorm.DB, id int64) error {
	return db.Model(&shop.User{}).Where("id = ?", id).Update("balance", b.marks.Add(1)).Error
}

// update updates a row by key.
func (b *bench) update() workload {
	w := workload{
		name: "update by key: `Model(&User{}).Where(\"id = ?\", id).Update(…)`", time: "1.6", base: true,
		ops: b.through(func(db *gorm.DB, c *caller) error {
			return b.setBalance(db, c.pick(b.size.Users))
		}, plain, cached),
	}
	w.ops[aside] = func(c *caller) error {
		id := c.pick(b.size.Users)
		if err := b.setBalance(b.handles[aside], id); err != nil {
			return err
		}
		return b.cache.Forget(c.ctx, userName(id))
	}
	return w
}

// batch is how many writes a transaction has.
const batch = 10

// transaction updates rows by key, in the order of their keys, so that transactions do not block one another for good.
func (b *bench) transaction() workload {
	users := max(1, b.size.Users-batch)
	carryOut := func(db *gorm.DB, first int64) error {
		return db.Transaction(func(tx *gorm.DB) error {
			for i := range int64(batch) {
				if err := b.setBalance(tx, first+i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	w := workload{
		name: "transaction of 10 updates by key", base: true,
		ops: b.through(func(db *gorm.DB, c *caller) error { return carryOut(db, c.pick(users)) }, plain, cached),
	}
	w.ops[aside] = func(c *caller) error {
		first := c.pick(users)
		if err := carryOut(b.handles[aside], first); err != nil {
			return err
		}
		ids := make([]int64, batch)
		for i := range ids {
			ids[i] = first + int64(i)
		}
		return b.cache.Forget(c.ctx, names("user:", ids)...)
	}
	return w
}

// mixedPoints looks users up, and updates some.
func (b *bench) mixedPoints() workload {
	w := workload{
		name: "zipf mix: point lookups, 5 % updates", throughput: "1.3", mix: true, base: true,
		ops: b.through(func(db *gorm.DB, c *caller) error {
			id := c.user()
			if c.rng.Float64() < writeShare {
				return b.setBalance(db, id)
			}
			var u shop.User
			err := db.First(&u, id).Error
			return expect(u.ID == id, err)
		}, plain, cached),
	}
	w.ops[aside] = func(c *caller) error {
		id := c.user()
		if c.rng.Float64() < writeShare {
			if err := b.setBalance(b.handles[aside], id); err != nil {
				return err
			}
			return b.cache.Forget(c.ctx, userName(id))
		}
		u, err := b.asideUser(c, userName(id), id)
		return expect(u.ID == id, err)
	}
	return w
}

// mixedLists shows users' latest orders, and adds some.
func (b *bench) mixedLists() workload {
	add := func(db *gorm.DB, user int64) error {
		return db.Create(&shop.Order{UserID: user, Total: 1, Status: "open", Note: "new", CreatedAt: time.Unix(1.7e9, 0)}).Error
	}
	w := workload{
		name: "zipf mix: lists of 20, 5 % inserts", throughput: "1.3", mix: true, base: true,
		ops: b.through(func(db *gorm.DB, c *caller) error {
			user := c.user()
			if c.rng.Float64() < writeShare {
				return add(db, user)
			}
			orders, err := latest(db, user)
			return expect(len(orders) > 0, err)
		}, plain, cached),
	}
	w.ops[aside] = func(c *caller) error {
		user := c.user()
		if c.rng.Float64() < writeShare {
			if err := add(b.handles[aside], user); err != nil {
				return err
			}
			return b.cache.Forget(c.ctx, fmt.Sprint("latest:", user))
		}
		orders, err := b.asideOrders(c, user)
		return expect(len(orders) > 0, err)
	}
	return w
}
