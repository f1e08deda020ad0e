package soundness_test

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// joined are reads of several tables at once.
func joined() []readKind {
	return []readKind{
		{"join of an association", func(g *gen) read {
			id := g.userID()
			return pick(g, many[order](chain(join("User"), where("orders.user_id = ?", id))), many[order](chain(join("User"), where(`"User".tenant_id = ?`, g.IntN(3)))),
				many[order](chain(join("User"), where(`"User".id = ?`, id))), many[user](chain(innerJoin("Company"), where("users.tenant_id = ?", 1))),
				many[user](chain(join("Company"), where(`"Company".code = ?`, "ACME"))), one[item](chain(join("Order"), where("items.id = ?", g.itemID()))),
				many[item](chain(join("Order.User"), where(`"Order__User".tenant_id = ?`, g.IntN(3)))), many[category](chain(join("Parent"), where(`"Parent".id = ?`, g.IntN(4)))),
				many[order](func(db *gorm.DB) *gorm.DB { return db.Joins("User", db.Where(&user{TenantID: new(1)})) }),
				many[user](func(db *gorm.DB) *gorm.DB {
					return db.InnerJoins("Company", db.Where("code = ?", "bolt")).Where("users.score > ?", -10)
				}))
		}},
		{"inner join by text", func(g *gen) read {
			id, n := g.userID(), g.IntN(3)
			return pick(g,
				text("SELECT u.name, o.* FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id = ?", id),
				text("SELECT u.name, o.amount FROM users u JOIN orders o ON o.user_id = u.id WHERE o.user_id = ?", id),
				text("SELECT u.name, o.amount FROM users u JOIN orders o ON o.user_id = u.id AND o.status = ? WHERE u.tenant_id = ?", g.status(), n),
				text("SELECT o.id, i.product FROM orders o, items i WHERE i.order_id = o.id AND o.user_id = ?", id),
				text("SELECT o.id, i.product FROM orders o INNER JOIN items i ON i.order_id = o.id AND o.id = ?", g.orderID()),
				text("SELECT t.name FROM tags t JOIN user_tags ut ON ut.tag_id = t.id WHERE ut.user_id = ?", id),
				text("SELECT u.name FROM users u JOIN user_tags ut ON ut.user_id = u.id JOIN tags t ON t.id = ut.tag_id WHERE t.name = ?", pick(g, "red", "gold", "Red")),
				text("SELECT u.name, c.name AS company FROM users u JOIN companies c ON c.id = u.company_id WHERE c.code = ?", pick(g, "ACME", "acme", "corp")),
				text("SELECT * FROM user_tags JOIN tags ON tags.id = tag_id WHERE user_id = ? AND name <> ?", id, "blue"),
				text("SELECT users.name, n FROM users CROSS JOIN queues WHERE tenant_id = ?", n),
				text("SELECT user_id, o.amount, t.slug FROM orders o JOIN tickets t USING (user_id) WHERE user_id = ?", id),
				text("SELECT o.id, c.body FROM orders o JOIN comments c ON c.owner_id = o.id AND c.owner_type = 'orders' WHERE o.id = ?", g.orderID()))
		}},
		{"outer join", func(g *gen) read {
			id, s := g.userID(), g.status()
			return pick(g,
				text("SELECT u.name, o.amount FROM users u LEFT JOIN orders o ON o.user_id = u.id AND u.tenant_id = ?", g.IntN(3)),
				text("SELECT u.name, o.amount FROM users u LEFT JOIN orders o ON o.user_id = u.id AND o.user_id = ?", id),
				text("SELECT u.name, o.amount FROM users u LEFT JOIN orders o ON o.user_id = u.id AND o.status = ? WHERE u.id = ?", s, id),
				text("SELECT u.name, o.amount FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE o.status = ? OR o.id IS NULL", s),
				text("SELECT u.name, o.amount FROM users u RIGHT JOIN orders o ON o.user_id = u.id AND u.id = ?", id),
				text("SELECT u.name, o.amount FROM users u RIGHT JOIN orders o ON o.user_id = u.id WHERE o.user_id = ?", id),
				text("SELECT u.name, o.amount FROM users u FULL JOIN orders o ON o.user_id = u.id AND o.user_id = ? AND u.tenant_id = 1", id),
				text("SELECT u.name, o.amount FROM users u FULL JOIN orders o ON o.user_id = u.id WHERE u.id = ?", id),
				text("SELECT u.name, t.title FROM users u NATURAL LEFT JOIN (SELECT user_id AS id, title FROM tickets) t WHERE u.id = ?", id),
				text("SELECT c.name, u.name AS who FROM companies c LEFT JOIN users u ON u.company_id = c.id WHERE c.id = ?", g.companyID()),
				text("SELECT u.id FROM users u LEFT JOIN tickets t ON t.user_id = u.id WHERE t.id IS NULL AND u.tenant_id = ?", 1),
				maps(func(db *gorm.DB) *gorm.DB {
					return db.Model(&user{}).Select("users.name, orders.amount").Joins("LEFT JOIN orders ON orders.user_id = users.id AND orders.status = ?", s).
						Where("users.tenant_id = ?", 1)
				}))
		}},
		{"self join", func(g *gen) read {
			id := g.userID()
			return pick(g,
				text("SELECT a.id, b.id AS other FROM orders a JOIN orders b ON a.status = b.status WHERE a.user_id = ?", id),
				text("SELECT a.id, b.id AS other FROM users a JOIN users b ON a.tenant_id = b.tenant_id AND a.id < b.id WHERE a.tenant_id = ?", g.IntN(3)),
				text("SELECT b.* FROM orders a, orders b WHERE a.user_id = ? AND b.amount > a.amount", id),
				text("SELECT p.name, c.name AS child FROM categories c LEFT JOIN categories p ON p.id = c.parent_id WHERE c.parent_id = ?", g.IntN(5)),
				text("SELECT p.name, c.name AS child FROM categories p LEFT JOIN categories c ON p.id = c.parent_id AND c.parent_id = 1"),
				text("SELECT a.name FROM users a JOIN users b ON b.company_id = a.company_id WHERE b.email = ?", g.email()),
				text("SELECT orders.id, o.id AS other FROM orders JOIN orders o ON o.id = orders.id + 1 WHERE orders.user_id = ?", id))
		}},
		{"lateral join and comma", func(g *gen) read {
			id := g.userID()
			return pick(g,
				text("SELECT u.name, o.amount FROM users u, LATERAL (SELECT * FROM orders WHERE user_id = u.id ORDER BY amount DESC, id LIMIT 1) o WHERE u.tenant_id = ?", g.IntN(3)),
				text("SELECT u.name, x.n FROM users u LEFT JOIN LATERAL (SELECT count(*) AS n FROM orders WHERE user_id = ?) x ON true WHERE u.id = ?", id, g.userID()),
				text("SELECT orders.name, users.amount FROM users AS orders, orders AS users WHERE users.user_id = ? AND orders.id = users.user_id", id))
		}},
	}
}

func join(name string) scope { return func(db *gorm.DB) *gorm.DB { return db.Joins(name) } }

func innerJoin(name string) scope { return func(db *gorm.DB) *gorm.DB { return db.InnerJoins(name) } }

// preloads are reads of rows and of those that belong to them.
func preloads() []readKind {
	loaded := func(name string, args ...any) scope {
		return func(db *gorm.DB) *gorm.DB { return db.Preload(name, args...) }
	}
	return []readKind{
		{"preload, has many", func(g *gen) read {
			some := where("tenant_id = ?", g.IntN(3))
			return pick(g, many[user](chain(loaded("Orders"), some)), many[user](chain(loaded("Orders", "status = ?", g.status()), some)),
				many[user](chain(loaded("Orders", by("amount DESC, id")), where("users.id IN ?", g.userIDs()), by("id"))).inOrder(),
				many[user](chain(loaded("Orders", chain(by("id"), limit(3))), by("id"))).inOrder(), many[user](chain(loaded("Orders", unscoped), some)),
				one[user](chain(loaded("Tickets", by("id")), where("id = ?", g.userID()))), many[company](loaded("Users")),
				many[category](chain(loaded("Children"), where("id IN ?", []int{1, 2, 4}))), many[country](loaded("Cities")), many[account](loaded("Logins")),
				many[code](loaded("Parcels")), many[membership](chain(loaded("Visits"), where("club = ?", pick(g, "chess", "go")))))
		}},
		{"preload, belongs to", func(g *gen) read {
			return pick(g, many[order](chain(loaded("User"), where("status = ?", g.status()))), many[user](loaded("Company")),
				many[item](chain(loaded("Order"), where("product = ?", g.product()))), many[category](loaded("Parent")), many[device](loaded("Title")),
				many[order](chain(loaded("User", "tenant_id = ?", 1), where("user_id = ?", g.userID()))))
		}},
		{"preload, many to many and polymorphic", func(g *gen) read {
			return pick(g, many[user](loaded("Tags")), many[tag](loaded("Users")), many[user](chain(loaded("Tags", "name <> ?", "red"), where("tenant_id = ?", 1))),
				many[user](chain(loaded("Comments"), where("users.id IN ?", g.userIDs()))), many[order](chain(loaded("Comments"), where("user_id = ?", g.userID()))),
				one[user](chain(loaded("Tags", by("tags.id")), loaded("Comments", by("id")), where("id = ?", g.userID()))))
		}},
		{"preload, nested", func(g *gen) read {
			return pick(g, many[user](chain(loaded("Orders.Items"), where("users.id = ?", g.userID()))), many[company](chain(loaded("Users.Orders"), loaded("Users.Tags"))),
				many[user](chain(loaded("Orders", where("amount > ?", 20)), loaded("Orders.Items", "product = ?", g.product()), where("tenant_id = ?", g.IntN(3)))),
				many[item](chain(loaded("Order.User.Company"), where("order_id = ?", g.orderID()))), many[category](loaded("Children.Children")),
				many[user](chain(loaded(clause.Associations), where("users.id = ?", g.userID()))))
		}},
		{"Association", func(g *gen) read {
			id := g.userID()
			return pick(g, association[order](&user{ID: id}, "Orders"), association[tag](&user{ID: id}, "Tags"), association[user](&tag{ID: g.tagID()}, "Users"),
				association[comment](&user{ID: id}, "Comments"), association[user](&company{ID: g.companyID()}, "Users"), association[category](&category{ID: 1}, "Children"),
				read{run: func(db *gorm.DB) any { return db.Model(&user{ID: id}).Association("Orders").Count() }},
				read{run: func(db *gorm.DB) any {
					return db.Model(&user{ID: id}).Where("level > ?", 0).Association("Tags").Count()
				}},
				read{run: func(db *gorm.DB) any {
					var v []order
					err := db.Model(&user{ID: id}).Where("status = ?", "new").Association("Orders").Find(&v)
					return []any{v, err}
				}})
		}},
	}
}

// association reads what belongs to a row.
func association[T any](of any, name string) read {
	return read{run: func(db *gorm.DB) any {
		var v []T
		err := db.Model(of).Association(name).Find(&v)
		return []any{v, err}
	}}
}
