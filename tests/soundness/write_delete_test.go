package soundness_test

import (
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// deletes take rows away.
func deletes() []writeKind {
	return []writeKind{
		{"delete by key", "delete", 4, func(g *gen, stranger bool) write {
			id := g.orderID()
			return own(stranger, change(pick(g,
				func(db *gorm.DB) *gorm.DB { return db.Delete(&order{}, id) }, func(db *gorm.DB) *gorm.DB { return db.Unscoped().Delete(&order{ID: id}) }, func(db *gorm.DB) *gorm.DB { return db.Delete(&item{ID: id}) },
				func(db *gorm.DB) *gorm.DB { return db.Delete(&[]item{{ID: id}, {ID: 3}}) }, func(db *gorm.DB) *gorm.DB { return db.Delete(&comment{}, []int64{id % 9, 1}) },
				func(db *gorm.DB) *gorm.DB { return db.Delete(&ticket{}, id%6) }, func(db *gorm.DB) *gorm.DB {
					v := order{}
					return db.Unscoped().Clauses(clause.Returning{}).Where("id = ?", id).Delete(&v)
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Unscoped().Model(&order{}).Where("id = ?", id).Update("deleted_at", nil)
				},
			)), change(pick(g, func(db *gorm.DB) *gorm.DB { return db.Delete(&strangeItem{}, id) }, func(db *gorm.DB) *gorm.DB { return db.Delete(&strangeOrder{}, id) })))
		}},
		{"delete by condition", "delete many", 3, func(g *gen, stranger bool) write {
			id := g.userID()
			return own(stranger, change(pick(g,
				func(db *gorm.DB) *gorm.DB { return db.Where("user_id = ?", id).Delete(&order{}) }, func(db *gorm.DB) *gorm.DB {
					return db.Unscoped().Where("status = ? AND amount > 60", "paid").Delete(&order{})
				},
				func(db *gorm.DB) *gorm.DB { return db.Where(&item{Product: "pen"}).Delete(&item{}) }, func(db *gorm.DB) *gorm.DB { return db.Where("owner_type = ?", "users").Delete(&comment{OwnerID: &id}) },
				func(db *gorm.DB) *gorm.DB {
					v := []item{}
					return db.Clauses(clause.Returning{Columns: []clause.Column{{Name: "product"}}}).Where("order_id = ?", id).Delete(&v)
				},
			)), pick(g, exec("DELETE FROM orders WHERE user_id = ? AND amount < 30", id), exec("DELETE FROM items USING orders o WHERE o.id = order_id AND o.user_id = ?", id), exec("DELETE FROM user_tags WHERE tag_id = ?", g.tagID())))
		}},
		{"delete that cascades", "cascade", 6, func(g *gen, stranger bool) write {
			id := g.userID()
			return pick(g, own(stranger, change(func(db *gorm.DB) *gorm.DB { return db.Delete(&user{ID: id}) }), change(func(db *gorm.DB) *gorm.DB { return db.Delete(&strangeUser{ID: id}) })),
				change(func(db *gorm.DB) *gorm.DB { return db.Table("users").Where("email = ?", mail(id)).Delete(nil) }), exec("DELETE FROM users WHERE id = ?", id), exec("DELETE FROM companies WHERE id = ?", g.companyID()), exec("DELETE FROM categories WHERE id = ?", g.IntN(6)+1),
				exec("DELETE FROM countries WHERE code = ?", pick(g, "de", "FR")), exec("DELETE FROM accounts WHERE handle = ?", pick(g, "ann", "BEN")), exec("DELETE FROM codes WHERE number = ?", pick(g, 7, -7)),
				exec("DELETE FROM memberships WHERE club = ? AND no = 1", pick(g, "chess", "go")), exec("DELETE FROM tags WHERE id = ?", g.tagID()), exec("DELETE FROM orders WHERE id = ?", g.orderID()))
		}},
		{"REFRESH MATERIALIZED VIEW", "bulk", 1, func(g *gen, _ bool) write {
			return inTransaction(false, exec("UPDATE orders SET status = ? WHERE user_id = ?", g.status(), g.userID()), exec("REFRESH MATERIALIZED VIEW kept"))
		}},
		{"TRUNCATE", "bulk", 1, func(g *gen, _ bool) write {
			return pick(g, exec("TRUNCATE comments"), exec("TRUNCATE items, audits"), exec("TRUNCATE orders CASCADE"), exec("TRUNCATE readings_a"), exec("TRUNCATE readings"), exec("TRUNCATE ONLY places"))
		}},
	}
}

// raws are texts that no model stands for.
func raws() []writeKind {
	return []writeKind{
		{"UPDATE or DELETE by text", "text", 5, func(g *gen, _ bool) write {
			id := g.userID()
			return pick(g, exec("UPDATE orders SET user_id = ? WHERE id = ?", id%6+1, g.orderID()), exec("UPDATE orders SET amount = amount + 1 WHERE user_id = ?", id), exec("UPDATE orders AS o SET status = u.name FROM users u WHERE u.id = o.user_id AND u.tenant_id = ?", g.IntN(3)),
				exec("UPDATE orders SET user_id = u.id FROM users u WHERE u.score = orders.amount"), exec("UPDATE items SET order_id = (SELECT min(id) FROM orders WHERE user_id = ?) WHERE product = ?", id, g.product()),
				exec("UPDATE users SET (tenant_id, company_id) = (SELECT 2, 2) WHERE id = ?", id), exec("WITH x AS (UPDATE orders SET user_id = 3 WHERE user_id = ? RETURNING id) DELETE FROM items WHERE order_id IN (SELECT id FROM x)", id),
				exec("WITH gone AS (DELETE FROM user_tags WHERE user_id = ? RETURNING *) INSERT INTO user_tags SELECT 3, tag_id, 9 FROM gone WHERE tag_id > 3", id), returned("SELECT move_orders(?, ?)", id, g.userID()%6+1), exec("DO $$ BEGIN UPDATE orders SET user_id = 2 WHERE id = 3; END $$"), exec("UPDATE items SET order_id = ? WHERE product = 'bulk'", g.orderID()), exec("DELETE FROM items WHERE product = 'bulk'"),
				exec("UPDATE public.orders SET user_id = ? WHERE orders.id = ?", id%6+1, g.orderID()), exec(`UPDATE "public"."orders" AS "items" SET "user_id" = ? WHERE "items"."user_id" = ?`, id%6+1, g.userID()), exec("UPDATE swapped SET amount = ? WHERE id = ?", id%6+1, g.orderID()),
				exec("UPDATE orders SET user_id = user_id WHERE user_id = ?", id), exec("DELETE FROM aliases WHERE alias = ?", pick(g, "ANN", "ÉVA")), exec("DELETE FROM grades WHERE grade = ?", pick(g, "1.0", "2.50")), exec("UPDATE ONLY places SET people = people + 1"), exec("UPDATE places SET town = 'Bonn' WHERE town = 'Kiel'"),
				exec("UPDATE capitals SET people = 5"), exec("UPDATE readings_b SET value = 0 WHERE sensor = 1"), exec("UPDATE readings SET sensor = sensor + 10 WHERE sensor = ?", g.IntN(3)), exec("UPDATE fresh_orders SET amount = 77 WHERE user_id = ?", id),
				exec("DELETE FROM fresh_orders WHERE id = ?", g.orderID()), exec("UPDATE tickets SET title = 'mine' WHERE id = ?", g.ticketID()), touching("UPDATE jobs SET user_id = ? WHERE kind = 'mail'", id), touching("DELETE FROM jobs WHERE id = ?", g.IntN(3)),
				exec("UPDATE cities SET country = ? WHERE country = ?", pick(g, "it", "usa"), pick(g, "de", "FR")), exec("UPDATE logins SET handle = ? WHERE n = ?", pick(g, "BEN", "ann"), g.IntN(5)), exec("UPDATE parcels SET ref = ?, number = number + 1 WHERE ref = ?", pick(g, "abc", "7"), pick(g, "Abc", "007")),
				exec("UPDATE users SET company_id = 1; UPDATE orders SET note = 'two' WHERE user_id = 1; DELETE FROM comments WHERE owner_id = 2"), exec("/* SELECT */ UPDATE \"orders\" SET \"user_id\" = 4 WHERE \"status\" = 'paid'"),
				exec("UPDATE orders o SET user_id = o2.user_id FROM orders o2 WHERE o2.id = o.id + 1 AND o.status = ?", g.status()), exec("UPDATE orders SET user_id = DEFAULT, status = DEFAULT WHERE id = ?", g.orderID()))
		}},
		{"write that returns rows", "text", 2, func(g *gen, _ bool) write {
			id := g.userID()
			return pick(g, returned("UPDATE orders SET user_id = ? WHERE id = ? RETURNING *", id%6+1, g.orderID()), returned("DELETE FROM items WHERE order_id = ? RETURNING product", g.orderID()),
				returned("INSERT INTO orders (user_id, amount) VALUES (?, 3) RETURNING id", id%6+1), returned("WITH x AS (UPDATE users SET tenant_id = 0 WHERE id = ? RETURNING id) SELECT * FROM x", id))
		}},
	}
}

// returned makes a write of a text that answers.
func returned(text string, args ...any) write {
	return change(func(db *gorm.DB) *gorm.DB { return db.Raw(text, args...).Scan(&[]map[string]any{}) })
}

// others are writes of several statements, of join tables and of the schema.
func others() []writeKind {
	return []writeKind{
		{"Association", "association", 5, func(g *gen, stranger bool) write {
			u, t, o := &user{ID: g.userID()%6 + 1}, &tag{ID: g.tagID()%4 + 1}, &order{ID: g.orderID()%18 + 1}
			with := pick(g, mend(u, "Tags", func(a *gorm.Association) error { return a.Append(t) }), mend(u, "Tags", func(a *gorm.Association) error { return a.Replace(t, &tag{ID: 2}) }), mend(u, "Tags", func(a *gorm.Association) error { return a.Delete(t) }),
				mend(u, "Tags", func(a *gorm.Association) error { return a.Clear() }), mend(t, "Users", func(a *gorm.Association) error { return a.Append(&user{ID: u.ID}) }), mend(u, "Orders", func(a *gorm.Association) error { return a.Append(o) }),
				mend(u, "Orders", func(a *gorm.Association) error { return a.Replace(o) }), mend(u, "Orders", func(a *gorm.Association) error { return a.Clear() }), mend(u, "Orders", func(a *gorm.Association) error { return a.Unscoped().Delete(o) }),
				mend(u, "Comments", func(a *gorm.Association) error { return a.Append(&comment{Body: "appended"}) }), mend(u, "Comments", func(a *gorm.Association) error { return a.Replace(&comment{ID: 3}) }), mend(o, "User", func(a *gorm.Association) error { return a.Replace(&user{ID: 2}) }),
				mend(u, "Company", func(a *gorm.Association) error { return a.Clear() }), mend(&category{ID: 1}, "Children", func(a *gorm.Association) error { return a.Replace(&category{ID: 6}) }))
			return own(stranger, with, exec("DELETE FROM user_tags WHERE user_id = ?", u.ID))
		}},
		{"transaction", "transaction", 4, func(g *gen, stranger bool) write {
			a, b, c := g.part(stranger), g.part(stranger), g.part(stranger)
			undone := write{run: func(db *gorm.DB) error {
				if err := inTransaction(true, b).run(db); !errors.Is(err, errUndo) {
					return err
				}
				return nil
			}}
			return pick(g, inTransaction(false, a, b), inTransaction(false, a, undone), inTransaction(false, undone, c), inTransaction(false, a, b, c), inTransaction(false, a, inTransaction(false, b), c))
		}},
		{"transaction that is rolled back", "rolled back", 2, func(g *gen, stranger bool) write { return inTransaction(true, g.part(stranger), g.part(stranger)) }},
		{"definition", "definition", 1, func(g *gen, _ bool) write {
			w := pick(g, exec("ALTER TABLE orders ADD COLUMN more int DEFAULT 5"), exec("CREATE INDEX ON orders (status)"), exec("CREATE OR REPLACE VIEW fresh_orders AS SELECT id, user_id, status, amount FROM orders WHERE status = 'paid' AND deleted_at IS NULL"),
				exec("ALTER TABLE comments ADD FOREIGN KEY (owner_id) REFERENCES users ON DELETE CASCADE NOT VALID; DELETE FROM users WHERE id = 1"), exec("ALTER TABLE items RENAME COLUMN product TO article; ALTER TABLE items RENAME COLUMN article TO product; UPDATE items SET product = 'r'"),
				exec("DROP TABLE stats CASCADE; CREATE TABLE stats (name text PRIMARY KEY, n int DEFAULT 3); INSERT INTO stats VALUES ('mail')"), exec("ALTER TABLE readings DETACH PARTITION readings_b"), exec("ALTER TABLE tickets DISABLE TRIGGER settle"))
			w.redefines = true
			return w
		}},
	}
}

// part draws a write that can be one of several.
func (g *gen) part(stranger bool) write {
	for {
		k := pick(g, writeKinds()...)
		switch k.group {
		case "insert", "update", "update many", "move", "delete", "cascade", "text", "upsert", "association", "partition", "trigger", "odd key":
			return k.draw(g, stranger)
		default:
		}
	}
}

// mend changes an association.
func mend(of any, name string, f func(*gorm.Association) error) write {
	return write{run: func(db *gorm.DB) error { return f(db.Model(clone(of)).Association(name)) }}
}

// clone copies a model: GORM changes what it is given.
func clone(of any) any {
	switch v := of.(type) {
	case *user:
		return &user{ID: v.ID}
	case *tag:
		return &tag{ID: v.ID}
	case *order:
		return &order{ID: v.ID}
	default:
		return &category{ID: 1}
	}
}
