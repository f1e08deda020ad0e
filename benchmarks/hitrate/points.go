package hitrate

import (
	"fmt"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
)

// points looks users up by key, and updates them by key.
type points struct{}

var _ scenario = points{}

func (points) prepare(*run) error { return nil }

func (points) choose(r *run) question {
	id := r.user()
	return question{
		ask: func(db *gorm.DB) (any, error) {
			var u shop.User
			err := db.First(&u, id).Error
			return u, err
		},
		answers: func(any) map[string][]string { return map[string][]string{"users": {userKey(id)}} },
	}
}

func (points) write(r *run) error {
	id := r.user()
	r.oracle.changed(userKey(id))
	return r.cached.Model(&shop.User{}).Where("id = ?", id).Update("balance", r.rng.Int64N(1<<40)).Error
}

func userKey(id int64) string   { return fmt.Sprint("user ", id) }
func ordersKey(id int64) string { return fmt.Sprint("orders of ", id) }
func linksKey(id int64) string  { return fmt.Sprint("tags of ", id) }
func tagKey(id int64) string    { return fmt.Sprint("tag ", id) }
