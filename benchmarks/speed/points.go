package speed

import (
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/benchmarks/floor"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
)

// errWrong is returned if an operation does not find what is there.
var errWrong = errors.New("wrong answer")

// points are lookups of one row that is cached, in the spellings of GORM's users.
func (b *bench) points() []workload {
	spellings := []struct {
		name string
		find func(db *gorm.DB, c *caller, id int64) (shop.User, error)
	}{
		{"`First(&u, id)`", func(db *gorm.DB, _ *caller, id int64) (u shop.User, err error) {
			return u, db.First(&u, id).Error
		}},
		{"`Take(&u, \"id = ?\", id)`", func(db *gorm.DB, _ *caller, id int64) (u shop.User, err error) {
			return u, db.Take(&u, "id = ?", id).Error
		}},
		{"`Where(&User{ID: id}).First(&u)`", func(db *gorm.DB, _ *caller, id int64) (u shop.User, err error) {
			return u, db.Where(&shop.User{ID: id}).First(&u).Error
		}},
		{"`Where(map…).First(&u)`", func(db *gorm.DB, _ *caller, id int64) (u shop.User, err error) {
			return u, db.Where(map[string]any{"id": id}).First(&u).Error
		}},
		{"`Find(&us, []int64{id})`", func(db *gorm.DB, _ *caller, id int64) (u shop.User, err error) {
			var us []shop.User
			if err := db.Find(&us, []int64{id}).Error; err != nil || len(us) == 0 {
				return u, err
			}
			return us[0], nil
		}},
		{"generics, `Where(\"id = ?\", id).First(ctx)`", func(db *gorm.DB, c *caller, id int64) (shop.User, error) {
			return gorm.G[shop.User](db).Where("id = ?", id).First(c.ctx)
		}},
	}
	var all []workload
	for i, s := range spellings {
		w := workload{
			name: "point lookup, hit: " + s.name, time: "0.50", throughput: "2.7", warm: b.hot, base: i == 0,
			ops: b.through(func(db *gorm.DB, c *caller) error {
				id := c.pick(b.hot)
				u, err := s.find(db, c, id)
				return expect(u.ID == id, err)
			}, plain, behind, cached),
		}
		w.ops[aside] = func(c *caller) error {
			id := c.pick(b.hot)
			u, err := b.asideUser(c, userName(id), id)
			return expect(u.ID == id, err)
		}
		all = append(all, w)
	}
	return all
}

// asideUser looks a user up in the hand-written cache, under a name.
func (b *bench) asideUser(c *caller, name string, id int64) (shop.User, error) {
	us, err := floor.Rows(c.ctx, b.cache, floor.Users(), name, func() ([]shop.User, error) {
		var u shop.User
		err := b.handles[aside].First(&u, id).Error
		return []shop.User{u}, err
	})
	if err != nil || len(us) == 0 {
		return shop.User{}, err
	}
	return us[0], nil
}

func userName(id int64) string { return fmt.Sprint("user:", id) }

// expect is the outcome of an operation.
func expect(right bool, err error) error {
	if err == nil && !right {
		return errWrong
	}
	return err
}
