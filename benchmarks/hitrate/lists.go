package hitrate

import (
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
)

// lists shows users' latest orders, and adds orders.
type lists struct{}

var _ scenario = lists{}

func (lists) prepare(*run) error { return nil }

func (lists) choose(r *run) question {
	id := r.user()
	return question{
		ask: func(db *gorm.DB) (any, error) {
			var orders []shop.Order
			err := db.Where("user_id = ?", id).Order("id DESC").Limit(20).Find(&orders).Error
			return orders, err
		},
		answers: func(any) map[string][]string { return map[string][]string{"orders": {ordersKey(id)}} },
	}
}

func (lists) write(r *run) error {
	id := r.user()
	r.oracle.changed(ordersKey(id))
	return r.cached.Create(newOrder(r, id)).Error
}

func newOrder(r *run, user int64) *shop.Order {
	return &shop.Order{
		UserID: user, Total: r.rng.Int64N(1000), Status: "open", Note: "new", CreatedAt: time.Unix(1.7e9, 0),
	}
}
