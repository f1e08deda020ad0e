package soundness_test

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// updates change columns that few queries ask for.
func updates() []writeKind {
	return []writeKind{
		{"update by key", "update", 6, func(g *gen, stranger bool) write {
			id, uid, s := g.orderID(), g.userID(), g.status()
			return own(stranger, change(pick(g,
				func(db *gorm.DB) *gorm.DB { return db.Model(&order{ID: id}).Update("status", s) }, func(db *gorm.DB) *gorm.DB {
					return db.Model(&order{}).Where("id = ?", id).Updates(order{Status: &s, Amount: 40})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&user{ID: uid}).Updates(map[string]any{"name": "renamed", "score": nil})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&order{ID: id}).UpdateColumn("amount", gorm.Expr("amount + ?", 10))
				},
				func(db *gorm.DB) *gorm.DB { return db.Model(&user{ID: uid}).UpdateColumns(user{Name: "columns"}) },
				func(db *gorm.DB) *gorm.DB { return db.Model(&ticket{ID: int(uid)}).Update("priority", 7) },
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&ticket{ID: int(uid)}).Select("Title").Updates(ticket{Title: "mine", Priority: 9})
				},
				func(db *gorm.DB) *gorm.DB {
					var v order
					if err := db.First(&v, id).Error; err != nil {
						return db
					}
					v.Amount++
					return db.Save(&v)
				},
				func(db *gorm.DB) *gorm.DB { return db.Model(&item{ID: id}).Update("product", "hat") },
				func(db *gorm.DB) *gorm.DB {
					v := order{}
					return db.Model(&v).Clauses(clause.Returning{}).Where("id = ?", id).Update("amount", 55)
				},
				func(db *gorm.DB) *gorm.DB {
					v := []order{}
					return db.Model(&v).Clauses(clause.Returning{Columns: []clause.Column{{Name: "status"}}}).Where("id IN ?", []int64{id, 2}).Update("note", "r")
				},
			)), change(pick(g,
				func(db *gorm.DB) *gorm.DB { return db.Model(&strangeOrder{ID: id}).Update("status", s) }, func(db *gorm.DB) *gorm.DB { return db.Table("users").Where("id = ?", uid).Update("name", "table") },
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&strangeUser{}).Where("id = ?", uid).UpdateColumn("name", "strange")
				},
			)))
		}},
		{"update by condition", "update many", 4, func(g *gen, stranger bool) write {
			id, s := g.userID(), g.status()
			return own(stranger, change(pick(g,
				func(db *gorm.DB) *gorm.DB { return db.Model(&order{}).Where("user_id = ?", id).Update("status", s) }, func(db *gorm.DB) *gorm.DB {
					return db.Model(&order{}).Where("status = ?", s).Update("amount", gorm.Expr("amount * 2"))
				},
				func(db *gorm.DB) *gorm.DB { return db.Model(&user{}).Where("email = ?", "ada@x").Update("score", 1) }, func(db *gorm.DB) *gorm.DB { return db.Model(&order{}).Where("1 = 1").Update("note", nil) },
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&order{UserID: &id}).Where(&order{UserID: &id}).Updates(map[string]any{"amount": 1})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&user{}).Where("id IN (?)", db.Session(&gorm.Session{NewDB: true}).Model(&order{}).Select("user_id").Where("status = ?", s)).Update("score", 2)
				},
				func(db *gorm.DB) *gorm.DB {
					v := []user{}
					return db.Model(&v).Clauses(clause.Returning{}).Where("tenant_id = ?", 1).Update("score", 3)
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Session(&gorm.Session{AllowGlobalUpdate: true}).Model(&item{}).Update("product", "all")
				},
			)), change(func(db *gorm.DB) *gorm.DB {
				return db.Model(&strangeOrder{}).Where("user_id = ?", id).Updates(map[string]any{"status": s, "amount": 12})
			}))
		}},
	}
}

// moves change what queries ask for: foreign keys, unique columns, primary keys.
func moves() []writeKind {
	return []writeKind{
		{"update that moves a row to another parent", "move", 6, func(g *gen, stranger bool) write {
			id, to, n := g.orderID(), maybe(g, g.userID()%6+1), g.IntN(3)
			return own(stranger, change(pick(g,
				func(db *gorm.DB) *gorm.DB { return db.Model(&order{ID: id}).Update("user_id", to) }, func(db *gorm.DB) *gorm.DB {
					return db.Model(&order{ID: id}).Select("UserID").Updates(order{UserID: to})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&item{}).Where("id = ?", id).Updates(map[string]any{"order_id": to})
				}, func(db *gorm.DB) *gorm.DB { return db.Model(&order{}).Where("user_id = ?", 1).Update("user_id", to) },
				func(db *gorm.DB) *gorm.DB { return db.Model(&user{ID: id%8 + 1}).Update("tenant_id", n) }, func(db *gorm.DB) *gorm.DB {
					return db.Model(&user{}).Where("tenant_id = ?", n).Update("company_id", nil)
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&user{}).Where("name = ?", "ada").Updates(map[string]any{"company_id": n + 1, "tenant_id": gorm.Expr("tenant_id + 1")})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&comment{ID: id%8 + 1}).Updates(map[string]any{"owner_type": "orders", "owner_id": to})
				},
				func(db *gorm.DB) *gorm.DB { return db.Model(&category{ID: int(id%6) + 1}).Update("parent_id", n+1) },
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&comment{}).Where("owner_type = ?", "users").Update("owner_type", "orders")
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&comment{}).Where("owner_id = ?", 1).UpdateColumn("owner_type", nil)
				},
				func(db *gorm.DB) *gorm.DB {
					v := []order{}
					return db.Model(&v).Clauses(clause.Returning{Columns: []clause.Column{{Name: "id"}}}).Where("amount > ?", 50).Update("user_id", to)
				},
				func(db *gorm.DB) *gorm.DB {
					v := order{}
					return db.Model(&v).Clauses(clause.Returning{}).Where("id = ?", id).UpdateColumn("user_id", to)
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&ticket{ID: int(id%4) + 1}).Updates(map[string]any{"user_id": to, "queue": "mid"})
				},
			)), change(pick(g,
				func(db *gorm.DB) *gorm.DB { return db.Model(&strangeOrder{ID: id}).Update("user_id", to) }, func(db *gorm.DB) *gorm.DB { return db.Table("orders").Where("status = ?", "new").Update("user_id", to) },
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&strangeUser{}).Where("id = ?", id%8+1).Updates(map[string]any{"tenant_id": n, "company_id": 1})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&strangeComment{}).Where("owner_id = ?", 1).Update("owner_id", 2)
				},
			)))
		}},
		{"update of a unique column", "move", 3, func(g *gen, stranger bool) write {
			id, e := g.userID(), g.email()
			return own(stranger, change(pick(g,
				func(db *gorm.DB) *gorm.DB { return db.Model(&user{ID: id}).Update("email", e) }, func(db *gorm.DB) *gorm.DB { return db.Model(&user{}).Where("email = ?", mail(id)).Update("email", e) },
				func(db *gorm.DB) *gorm.DB { return db.Model(&tag{ID: int(id)}).Update("name", "gold") }, func(db *gorm.DB) *gorm.DB {
					return db.Model(&user{}).Where("email IS NOT NULL").Update("email", gorm.Expr("lower(email)"))
				},
				func(db *gorm.DB) *gorm.DB { return db.Model(&company{ID: int(id)}).Update("code", "CORP2") },
			)), pick(g, exec("UPDATE users SET email = ? WHERE id = ?", e, id), exec("UPDATE codes SET number = number - 1 WHERE ref = 'Abc'"), exec("UPDATE companies SET code = upper(code::text) WHERE id = ?", id)))
		}},
		{"update of a primary key", "move", 3, func(g *gen, _ bool) write {
			id := g.userID()
			return pick(g, exec("UPDATE users SET id = id + 10 WHERE id = ?", id), exec("UPDATE orders SET id = id + 2 WHERE id = ?", g.orderID()+17), exec("UPDATE countries SET code = ? WHERE code = ?", pick(g, "at", "DE"), pick(g, "de", "FR")),
				exec("UPDATE accounts SET handle = ? WHERE handle = ?", pick(g, "ANN", "eve", "BEN"), pick(g, "ann", "ben")), exec("UPDATE codes SET ref = ? WHERE ref = ?", pick(g, "7", "ABC", "0007"), pick(g, "007", "abc", "")),
				exec("UPDATE memberships SET club = 'golf' WHERE club = ?", pick(g, "chess", "go")), exec("UPDATE memberships SET no = no + 5 WHERE user_id = ?", id), exec("UPDATE user_tags SET user_id = ? WHERE tag_id = ?", id, g.tagID()),
				exec("UPDATE aliases SET alias = ? WHERE alias = ?", pick(g, "ANN", "Eve"), pick(g, "ann", "BEN")), exec("UPDATE aliases SET n = n + 1 WHERE alias = ?", pick(g, "ANN", "éva")), exec("UPDATE grades SET name = 'g' WHERE grade = ?", pick(g, "1.0", "2.50", "NaN")),
				exec("UPDATE grades SET grade = grade + 1 WHERE grade = ?", pick(g, "1", "-3.0")), exec("UPDATE rates SET price = 5 WHERE at = '2024-01-01 00:00Z' AND factor = ?", pick(g, "-0", "0")), exec("UPDATE exams SET at = '2024-06-01 01:00+01', grade = 1.00 WHERE id = ?", g.IntN(4)+1),
				exec("UPDATE user_tags SET tag_id = tag_id % 4 + 1 WHERE user_id = ?", id), exec("UPDATE readings SET day = day + 10 WHERE day = ?", g.IntN(3)*6+1), exec("UPDATE devices SET mood = 'sad', id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a15' WHERE user_id = ?", id), exec("UPDATE moods SET mood = 'sad' WHERE mood = 'wild'"))
		}},
	}
}

// mail is one of those that are there.
func mail(id int64) string { return []string{"ada@x", "bob@x", "Cyd@x"}[id%3] }
