package writecost

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
)

// A kind of write.
type kind struct {
	name  string
	write func(*gorm.DB) error
}

// kinds are carried out in this order, on tables that were just filled.
func kinds() []kind {
	all := singles()
	all = append(all, several()...)
	return append(all, relations()...)
}

// singles touch one row.
func singles() []kind {
	return []kind{
		{"insert: `Create(&order)`", func(db *gorm.DB) error {
			return db.Create(&shop.Order{UserID: 7, Total: 1}).Error
		}},
		{"update by key: `Model(&order).Update(\"total\", 5)`", func(db *gorm.DB) error {
			return db.Model(&shop.Order{ID: 11}).Update("total", 5).Error
		}},
		{"update of a unique column: `Model(&user).Update(\"email\", …)`", func(db *gorm.DB) error {
			return db.Model(&shop.User{ID: 9}).Update("email", "nine@example.com").Error
		}},
		{"a foreign key moves: `Model(&order).Update(\"user_id\", 8)`", func(db *gorm.DB) error {
			return db.Model(&shop.Order{ID: 12}).Update("user_id", 8).Error
		}},
		{"`Save(&user)`", func(db *gorm.DB) error {
			var u shop.User
			if err := db.First(&u, 10).Error; err != nil {
				return err
			}
			return db.Save(&u).Error
		}},
		{"upsert: `Clauses(OnConflict{UpdateAll: true}).Create(&tag)`", func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&shop.Tag{ID: 3, Name: "three"}).Error
		}},
		{"delete by key: `Delete(&order, 13)`", func(db *gorm.DB) error {
			return db.Delete(&shop.Order{}, 13).Error
		}},
		{"raw SQL by key: `Exec(\"UPDATE orders SET total = 1 WHERE id = ?\", 14)`", func(db *gorm.DB) error {
			return db.Exec("UPDATE orders SET total = 1 WHERE id = ?", 14).Error
		}},
	}
}

// several touch more.
func several() []kind {
	return []kind{
		{"bulk insert: `Create(&orders)` of 100", func(db *gorm.DB) error {
			orders := make([]shop.Order, 100)
			for i := range orders {
				orders[i].UserID = int64(20 + i)
			}
			return db.Create(&orders).Error
		}},
		{"update of many: `Model(&Order{}).Where(\"user_id = ?\", 5).Update(…)`", func(db *gorm.DB) error {
			return db.Model(&shop.Order{}).Where("user_id = ?", 5).Update("status", "paid").Error
		}},
		{"update of many: `Where(\"total > ?\", 1000)`", func(db *gorm.DB) error {
			return db.Model(&shop.Order{}).Where("total > ?", 1000).Update("status", "large").Error
		}},
		{"delete of many: `Where(\"user_id = ?\", 6).Delete(&Order{})`", func(db *gorm.DB) error {
			return db.Where("user_id = ?", 6).Delete(&shop.Order{}).Error
		}},
		{"raw SQL: `Exec(\"UPDATE orders SET total = total + 1 WHERE status = ?\", …)`", func(db *gorm.DB) error {
			return db.Exec("UPDATE orders SET total = total + 1 WHERE status = ?", "paid").Error
		}},
		{"transaction of 10 updates by key", func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				for id := range int64(10) {
					if err := tx.Model(&shop.Order{ID: 100 + id}).Update("total", id).Error; err != nil {
						return err
					}
				}
				return nil
			})
		}},
		{"a write that is rolled back", func(db *gorm.DB) error {
			tx := db.Begin()
			if err := tx.Model(&shop.Order{ID: 15}).Update("total", 5).Error; err != nil {
				return err
			}
			return tx.Rollback().Error
		}},
	}
}

// relations touch rows of several tables.
func relations() []kind {
	tags := func(ids ...int64) (tags []shop.Tag) {
		for _, id := range ids {
			tags = append(tags, shop.Tag{ID: id, Name: "tag"})
		}
		return tags
	}
	association := func(db *gorm.DB) *gorm.Association { return db.Model(&shop.User{ID: 30}).Association("Tags") }
	return []kind{
		{"insert with children: `Create(&user)` with 2 orders", func(db *gorm.DB) error {
			return db.Create(&shop.User{Email: "new@example.com", Orders: []shop.Order{{Total: 1}, {Total: 2}}}).Error
		}},
		{"many to many: `Association(\"Tags\").Append(&tag)`", func(db *gorm.DB) error {
			return association(db).Append(tags(2))
		}},
		{"many to many: `Association(\"Tags\").Replace(&tags)` of 2", func(db *gorm.DB) error {
			return association(db).Replace(tags(4, 5))
		}},
		{"many to many: `Association(\"Tags\").Delete(&tag)`", func(db *gorm.DB) error {
			return association(db).Delete(tags(4))
		}},
		{"many to many: `Association(\"Tags\").Clear()`", func(db *gorm.DB) error {
			return association(db).Clear()
		}},
		{"delete that cascades: `Delete(&user)` with orders", func(db *gorm.DB) error {
			return db.Delete(&shop.User{ID: 30}).Error
		}},
		{"`TRUNCATE orders`", func(db *gorm.DB) error { return db.Exec("TRUNCATE orders").Error }},
	}
}
