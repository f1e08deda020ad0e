package soundness_test

import "gorm.io/gorm"

// lists are reads of one table by anything but an equality.
func lists() []readKind {
	return []readKind{
		{"range, OR, NOT", func(g *gen) read {
			id, n := g.userID(), g.IntN(120)
			return many[order](pick(g, where("amount BETWEEN ? AND ?", n-40, n), where("amount > ?", n), where("user_id = ? OR status = ?", id, g.status()),
				where("NOT (user_id = ? AND status = ?)", id, "new"), func(db *gorm.DB) *gorm.DB { return db.Where("user_id = ?", id).Or("amount = ?", 30) },
				func(db *gorm.DB) *gorm.DB { return db.Not(map[string]any{"user_id": id}) }, func(db *gorm.DB) *gorm.DB { return db.Not("user_id = ?", id) },
				where("(user_id = ? OR note IS NULL) AND status = ?", id, g.status()), where("user_id = ? AND status = ? OR amount = 40", id, "new"),
				where("note LIKE ?", "note%"), where("(user_id, amount) > (?, ?)", id, n), where("user_id % 2 = ?", g.IntN(2)), where("doubled = ?", n/10*20),
				func(db *gorm.DB) *gorm.DB { return db.Where(&order{UserID: &id}).Or(&order{Status: new("paid")}) },
				func(db *gorm.DB) *gorm.DB {
					return db.Where("status = ?", "new").Where(db.Where("user_id = ?", id).Or("amount < ?", n))
				}))
		}},
		{"column that nothing refers to", func(g *gen) read {
			return pick(g, many[order](where("status = ?", g.status())), many[user](where("name = ?", pick(g, "ada", "bob", "zoe"))), many[item](where("product = ?", g.product())),
				many[ticket](where("queue = ?", pick(g, "urgent", "low"))), many[ticket](where("slug = ?", pick(g, "one", "mine", "new"))), many[user](where("score = ?", 5)),
				many[job](where("kind = ?", "mail")), many[audit](where("order_id = ?", g.orderID())), many[audit](where(&audit{What: "UPDATE"})))
		}},
		{"page of the whole table", func(g *gen) read {
			n := g.IntN(5)
			return pick(g, many[order](chain(by("amount, id"), limit(3), func(db *gorm.DB) *gorm.DB { return db.Offset(n) })),
				many[user](chain(by("score DESC NULLS LAST, id"), limit(n+1))), one[order](by("amount DESC")), many[audit](chain(by("id DESC"), limit(3))),
				read{run: func(db *gorm.DB) any { var v order; return seen(db.Last(&v), v) }}, one[ticket](where("priority > ?", 1))).inOrder()
		}},
		{"FindInBatches", func(g *gen) read {
			s := pick(g, where("user_id = ?", g.userID()), where("amount > ?", 20))
			return read{ordered: true, run: func(db *gorm.DB) any {
				var v, batch []order
				tx := s(db).FindInBatches(&batch, 2, func(*gorm.DB, int) error { v = append(v, batch...); return nil })
				return seen(tx, v)
			}}
		}},
		{"pluck and distinct", func(g *gen) read {
			id := g.userID()
			return pick(g, pluck("name", chain(model(&user{}), where("tenant_id = ?", 1))), pluck("status", chain(model(&order{}), where("user_id = ?", id))),
				pluck("DISTINCT status", model(&order{})), pluck("user_id", func(db *gorm.DB) *gorm.DB { return db.Model(&order{}).Distinct().Where("amount > 0") }),
				maps(func(db *gorm.DB) *gorm.DB {
					return db.Model(&order{}).Distinct("user_id", "status").Where("user_id = ?", id)
				}),
				text("SELECT DISTINCT ON (user_id) user_id, amount FROM orders ORDER BY user_id, amount DESC, id"))
		}},
		{"count", func(g *gen) read {
			id := g.userID()
			return pick(g, count(model(&order{})), count(chain(model(&order{}), where("user_id = ?", id))), count(chain(model(&user{}), where("company_id = ?", g.companyID()))),
				count(func(db *gorm.DB) *gorm.DB { return db.Table("user_tags").Where("user_id = ?", id) }),
				count(func(db *gorm.DB) *gorm.DB { return db.Model(&order{}).Distinct("user_id") }),
				count(chain(model(&order{}), func(db *gorm.DB) *gorm.DB { return db.Group("status").Where("user_id = ?", id) })))
		}},
		{"group and having", func(g *gen) read {
			id := g.userID()
			return pick(g, text("SELECT user_id, count(*) AS n, sum(amount) AS s FROM orders GROUP BY user_id"),
				text("SELECT status, count(*) AS n FROM orders WHERE user_id = ? GROUP BY status", id), text("SELECT user_id, count(*) AS n FROM orders GROUP BY user_id HAVING user_id = ?", id),
				text("SELECT count(*) FILTER (WHERE user_id = ?) AS n, count(*) AS m FROM orders", id), text("SELECT user_id = ? AS own, count(*) AS n FROM orders GROUP BY 1", id),
				maps(func(db *gorm.DB) *gorm.DB {
					return db.Model(&order{}).Select("user_id, max(amount) AS m").Group("user_id").Having("count(*) > ?", 2)
				}), text("SELECT status, user_id, count(*) AS n FROM orders GROUP BY ROLLUP (status, user_id)"),
				text("SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY amount, id) AS n FROM orders WHERE status = ?", g.status()))
		}},
	}
}

// nested are reads with queries in them.
func nested() []readKind {
	return []readKind{
		{"subquery in WHERE", func(g *gen) read {
			id := g.userID()
			return pick(g, many[order](func(db *gorm.DB) *gorm.DB {
				return db.Where("user_id IN (?)", db.Session(&gorm.Session{NewDB: true}).Model(&user{}).Select("id").Where("tenant_id = ?", 1))
			}), text("SELECT * FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id AND o.status = ?)", g.status()),
				text("SELECT * FROM users u WHERE u.id = ? AND NOT EXISTS (SELECT 1 FROM tickets WHERE user_id = u.id)", id),
				text("SELECT * FROM orders WHERE user_id = ? AND amount > (SELECT avg(amount) FROM orders)", id), text("SELECT * FROM orders WHERE user_id = (SELECT id FROM users WHERE email = ?)", g.email()),
				text("SELECT * FROM items WHERE order_id IN (SELECT id FROM orders WHERE user_id = ?)", id), text("SELECT * FROM users WHERE id NOT IN (SELECT user_id FROM orders WHERE user_id IS NOT NULL)"),
				text("SELECT * FROM users WHERE id IN (SELECT user_id FROM user_tags WHERE tag_id = ?)", g.tagID()), text("SELECT * FROM users WHERE ? = (SELECT count(*) FROM orders WHERE user_id = users.id)", g.IntN(4)))
		}},
		{"subquery in SELECT or FROM", func(g *gen) read {
			id := g.userID()
			return pick(g, text("SELECT name, (SELECT count(*) FROM orders WHERE user_id = users.id) AS n FROM users WHERE id = ?", id),
				text("SELECT o.id, (SELECT count(*) FROM orders) AS n FROM orders o WHERE o.user_id = ?", id), text("SELECT * FROM (SELECT * FROM orders WHERE user_id = ?) x WHERE amount > 0", id),
				text("SELECT * FROM (SELECT user_id, sum(amount) AS s FROM orders GROUP BY user_id) t WHERE user_id = ?", id),
				text("SELECT * FROM (SELECT id AS user_id, name FROM users) t WHERE user_id = ?", id), text("SELECT * FROM (SELECT amount AS user_id FROM orders) orders WHERE user_id = ?", g.IntN(5)*10),
				text("SELECT x.id FROM (SELECT * FROM orders ORDER BY amount DESC, id LIMIT 5) x WHERE x.user_id = ?", id),
				maps(func(db *gorm.DB) *gorm.DB {
					return db.Table("(?) AS t", db.Session(&gorm.Session{NewDB: true}).Model(&order{}).Where("user_id = ?", id)).Select("t.status, count(*) AS n").Group("t.status")
				}), text("SELECT (SELECT max(amount) FROM orders WHERE user_id = ?) AS m, count(*) AS n FROM tickets WHERE user_id = ?", id, id))
		}},
		{"WITH", func(g *gen) read {
			id := g.userID()
			return pick(g, text("WITH o AS (SELECT * FROM orders WHERE user_id = ?) SELECT o.id, i.product FROM o JOIN items i ON i.order_id = o.id", id),
				text("WITH orders AS (SELECT * FROM tickets) SELECT id, title FROM orders WHERE user_id = ?", id), text("WITH t AS MATERIALIZED (SELECT * FROM orders) SELECT * FROM t WHERE user_id = ?", id),
				text("WITH a AS (SELECT id FROM users WHERE tenant_id = ?), b AS (SELECT * FROM orders WHERE user_id IN (SELECT id FROM a)) SELECT count(*) AS n FROM b", g.IntN(3)),
				text("WITH users AS (SELECT * FROM users WHERE tenant_id = 1) SELECT name FROM users WHERE score = ?", 10))
		}},
		// Without UNION ALL: writes may make a category its own ancestor, and then that has no end.
		{"WITH RECURSIVE", func(g *gen) read {
			return pick(g, text("WITH RECURSIVE t AS (SELECT * FROM categories WHERE id = ? UNION SELECT c.* FROM categories c JOIN t ON c.parent_id = t.id) SELECT * FROM t", g.IntN(4)+1),
				text("WITH RECURSIVE t AS (SELECT * FROM categories WHERE parent_id = ? UNION SELECT c.* FROM categories c, t WHERE c.id = t.parent_id) SELECT name FROM t", g.IntN(4)+1))
		}},
		{"UNION, EXCEPT, INTERSECT", func(g *gen) read {
			id := g.userID()
			return pick(g, text("SELECT id FROM orders WHERE user_id = ? UNION SELECT id FROM tickets WHERE user_id = ?", id, id), text("SELECT id FROM orders WHERE user_id = ? UNION ALL SELECT id FROM orders WHERE status = ?", id, g.status()),
				text("SELECT user_id FROM tickets EXCEPT SELECT user_id FROM orders WHERE user_id = ?", id), text("SELECT id FROM users WHERE tenant_id = 1 INTERSECT SELECT user_id FROM orders"),
				text("(SELECT id FROM orders WHERE user_id = ? ORDER BY amount, id LIMIT 2) UNION ALL (SELECT id FROM orders ORDER BY amount DESC, id LIMIT 2)", id),
				text("SELECT name FROM users WHERE email = ? UNION ALL SELECT name FROM tags", g.email()), text("TABLE tags"), text("SELECT * FROM users WHERE id = ? UNION SELECT * FROM users WHERE id = ?", id, g.userID()))
		}},
	}
}
