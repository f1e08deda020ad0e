package soundness_test

import (
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache"
)

// A write is a change, as an application writes it.
type write struct {
	kind string
	run  func(db *gorm.DB) error
	// redefines is set if it leaves another schema.
	redefines bool
}

// A writeKind draws writes. The group is a column of the report.
type writeKind struct {
	name, group string
	// often is how often it is drawn, beside others.
	often int
	draw  func(g *gen, stranger bool) write
}

// writeKinds are all there are, in the order of the report.
func writeKinds() []writeKind {
	var all []writeKind
	for _, part := range [][]writeKind{inserts(), updates(), moves(), upserts(), deletes(), corners(), raws(), others()} {
		all = append(all, part...)
	}
	return all
}

// drawWrite draws a write for a process.
func drawWrite(g *gen, stranger bool) write {
	kinds := writeKinds()
	sum := 0
	for _, k := range kinds {
		sum += k.often
	}
	n := g.IntN(sum)
	for _, k := range kinds {
		if n -= k.often; n < 0 {
			w := k.draw(g, stranger)
			w.kind = k.name
			return w
		}
	}
	panic("not reached")
}

// change makes a write of what GORM is told to do.
func change(run func(db *gorm.DB) *gorm.DB) write {
	return write{run: func(db *gorm.DB) error { return run(db).Error }}
}

// exec makes a write of a text.
func exec(text string, args ...any) write {
	return change(func(db *gorm.DB) *gorm.DB { return db.Exec(text, args...) })
}

// touching is exec for jobs, which fire a trigger of which no text says what it writes.
func touching(text string, args ...any) write {
	return change(func(db *gorm.DB) *gorm.DB { return db.Clauses(rediscache.Touches("stats")).Exec(text, args...) })
}

// own draws one of two writes: with the models of the reader, or with those of the stranger.
func own(stranger bool, with, without write) write {
	if stranger {
		return without
	}
	return with
}

var errUndo = errors.New("undo")

// inTransaction makes a write of several.
func inTransaction(rolledBack bool, parts ...write) write {
	return write{run: func(db *gorm.DB) error {
		return db.Transaction(func(tx *gorm.DB) error {
			for _, p := range parts {
				if err := p.run(tx); err != nil {
					return err
				}
			}
			if rolledBack {
				return errUndo
			}
			return nil
		})
	}}
}

// maybe returns a value, or NULL.
func maybe[T any](g *gen, v T) *T {
	if g.IntN(5) == 0 {
		return nil
	}
	return &v
}

func (g *gen) newUser() user {
	return user{
		TenantID: maybe(g, g.IntN(3)), Name: pick(g, "ada", "zoe", "new"), Email: maybe(g, pick(g, "zoe@x", "new@x", "cyd@x")),
		CompanyID: maybe(g, g.IntN(3)+1), Score: maybe(g, g.IntN(20)-10),
	}
}

func (g *gen) newOrder() order {
	return order{UserID: maybe(g, g.userID()%6+1), Status: maybe(g, g.status()), Amount: int64(g.IntN(15) * 10), Note: maybe(g, "note 1")}
}

// inserts add rows.
func inserts() []writeKind {
	return []writeKind{
		{"Create", "insert", 6, func(g *gen, stranger bool) write {
			u, o, uid := g.newUser(), g.newOrder(), g.userID()
			item, owner, oid := item{OrderID: maybe(g, g.orderID()), Product: g.product()}, pick(g, "users", "orders"), g.orderID()
			return own(stranger, change(pick(g,
				func(db *gorm.DB) *gorm.DB { v := u; return db.Create(&v) }, func(db *gorm.DB) *gorm.DB { v := o; return db.Create(&v) },
				func(db *gorm.DB) *gorm.DB { v := item; return db.Create(&v) },
				func(db *gorm.DB) *gorm.DB { return db.Create(&comment{OwnerType: &owner, OwnerID: &uid, Body: "new"}) },
				func(db *gorm.DB) *gorm.DB { return db.Create(&category{ParentID: new(small(uid)), Name: "new"}) },
				func(db *gorm.DB) *gorm.DB {
					return db.Select("UserID", "Amount").Create(&order{UserID: &uid, Amount: 7})
				},
				func(db *gorm.DB) *gorm.DB { v := o; v.ID = oid; return db.Create(&v) },
				func(db *gorm.DB) *gorm.DB { return db.Create(&membership{Club: "golf", No: int(uid), UserID: &uid}) },
				func(db *gorm.DB) *gorm.DB { return db.Create(&reading{Day: int(uid)*6 + 1, Sensor: 4, Value: 1}) },
			)), change(pick(g,
				func(db *gorm.DB) *gorm.DB {
					return db.Create(&strangeUser{TenantID: u.TenantID, Name: u.Name, Email: u.Email, CompanyID: u.CompanyID})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Create(&strangeOrder{UserID: o.UserID, Status: o.Status, Amount: 5})
				},
				func(db *gorm.DB) *gorm.DB { return db.Create(&strangeItem{OrderID: item.OrderID, Product: "hat"}) },
				func(db *gorm.DB) *gorm.DB {
					return db.Create(&strangeComment{OwnerType: &owner, OwnerID: &uid, Body: "s"})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Table("orders").Create(map[string]any{"user_id": uid, "amount": 70})
				},
			)))
		}},
		{"Create with associations", "insert", 2, func(g *gen, stranger bool) write {
			u, o, p := g.newUser(), g.newOrder(), g.product()
			return own(stranger, change(pick(g,
				func(db *gorm.DB) *gorm.DB {
					v := u
					v.Orders = []order{{Amount: 3}, {Amount: 4}}
					v.Tags = []tag{{ID: 1}, {Name: "gold"}}
					return db.Create(&v)
				},
				func(db *gorm.DB) *gorm.DB {
					v := o
					v.Items = []item{{Product: p}, {Product: "hat"}}
					return db.Create(&v)
				},
				func(db *gorm.DB) *gorm.DB {
					v := u
					v.Company = &company{Name: "Dune", Code: "dune"}
					v.Comments = []comment{{Body: "mine"}}
					return db.Create(&v)
				},
			)), exec("WITH u AS (INSERT INTO users (name, tenant_id) VALUES ('cte', 1) RETURNING id) INSERT INTO orders (user_id, amount) SELECT id, 9 FROM u"))
		}},
		{"Create of many, batches, maps", "insert", 3, func(g *gen, stranger bool) write {
			a, b, c, uid := g.newOrder(), g.newOrder(), g.newOrder(), g.userID()
			return own(stranger, change(pick(g,
				func(db *gorm.DB) *gorm.DB { return db.Create([]order{a, b, c}) }, func(db *gorm.DB) *gorm.DB { return db.CreateInBatches([]order{a, b, c}, 2) },
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&order{}).Create([]map[string]any{{"UserID": uid, "Amount": 1}, {"UserID": 1, "Amount": 2}})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&order{}).Create(&[]map[string]any{{"UserID": 2, "Amount": 1}, {"Status": "paid", "Amount": 2}})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Model(&user{}).Create(map[string]any{"Name": "map", "TenantID": 1})
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Create(&[]ticket{{Title: "mine", Queue: new("low"), Priority: 1}, {Title: "Big", Priority: 8}})
				},
			)), change(func(db *gorm.DB) *gorm.DB {
				return db.Create(&[]strangeOrder{{UserID: a.UserID, Amount: 1}, {UserID: &uid, Amount: 2}})
			}))
		}},
		{"INSERT by text", "insert", 3, func(g *gen, _ bool) write {
			id := g.userID()
			return pick(g, exec("INSERT INTO orders (user_id, status, amount) VALUES (?, ?, 33)", id, g.status()), exec("INSERT INTO orders (user_id, amount) SELECT id, score FROM users WHERE tenant_id = ?", 1),
				exec("INSERT INTO comments SELECT nextval('comments_id_seq'), 'users', id, 'all' FROM users"), exec("INSERT INTO items (order_id, product) SELECT id, status FROM orders WHERE amount < ?", 40),
				exec("INSERT INTO user_tags (user_id, tag_id) VALUES (?, ?)", id, g.tagID()), exec("INSERT INTO readings VALUES (?, ?, 5)", g.IntN(25), g.IntN(9)), exec("INSERT INTO readings_a VALUES (?, ?, 5)", g.IntN(9), g.IntN(9)),
				exec("INSERT INTO capitals (town, people, state) VALUES ('Bonn', 1, 'XX')"), exec("INSERT INTO cities (country, name) VALUES (?, 'New')", pick(g, "de ", "it", "usa")), exec("INSERT INTO logins (n) VALUES (9)"),
				exec("INSERT INTO logins (handle, n) VALUES ('ANN', 9)"), exec("INSERT INTO parcels (ref, number) VALUES (?, ?)", pick(g, "007", "7", ""), pick(g, 7, -7)), exec("INSERT INTO fresh_orders (user_id, status, amount) VALUES (?, 'new', 1)", id),
				exec("INSERT INTO tickets (title, user_id, queue, priority) VALUES ('mine', 2, 'low', 7)"), touching("INSERT INTO jobs (kind, user_id) VALUES ('mail', ?)", id), exec("INSERT INTO memberships (club, no, user_id) VALUES ('golf', 1, ?)", id),
				exec("INSERT INTO devices VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a15', ?, 'sad')", id), exec("INSERT INTO moods VALUES ('sad', 'Sad')"), exec("INSERT INTO tickets (title, user_id) VALUES ('later', ?)", 1), exec("INSERT INTO uses (alias, what) VALUES (?, 'n')", pick(g, "ANN", "ann", "BEN")), exec("INSERT INTO exams (grade) VALUES (?)", pick(g, "1.00", "2.5")),
				exec("INSERT INTO items (order_id, product) SELECT ?, 'bulk' FROM generate_series(1, 150)", g.IntN(3)+1), exec("INSERT INTO rates VALUES ('2024-06-01 02:00+02', ?, 9)", pick[any](g, 1.5, 7)), exec("INSERT INTO public.orders (user_id, amount) VALUES (?, 8)", id%6+1), exec("INSERT INTO codes VALUES (' 7 ', 77), ('ABC', 78)"))
		}},
	}
}

// small makes a key of a small table.
func small(id int64) int { return int(id%4) + 1 }

// upserts add rows or change them.
func upserts() []writeKind {
	return []writeKind{
		{"upsert", "upsert", 4, func(g *gen, stranger bool) write {
			u, o := g.newUser(), g.newOrder()
			o.ID, u.ID = g.orderID(), g.userID()
			byEmail := u
			byEmail.ID = 0
			byEmail.Email = new(g.email())
			update := clause.OnConflict{UpdateAll: true}
			email := clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"tenant_id", "company_id"})}
			return own(stranger, change(pick(g,
				func(db *gorm.DB) *gorm.DB { v := o; return db.Clauses(update).Create(&v) }, func(db *gorm.DB) *gorm.DB { v := o; return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&v) },
				func(db *gorm.DB) *gorm.DB { v := byEmail; return db.Clauses(email).Create(&v) }, func(db *gorm.DB) *gorm.DB { v := u; return db.Clauses(update).Create(&v) },
				func(db *gorm.DB) *gorm.DB {
					v := o
					return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{"user_id": 2})}).Create(&v)
				},
				func(db *gorm.DB) *gorm.DB { v := o; return db.Save(&v) }, func(db *gorm.DB) *gorm.DB { return db.Save(&[]order{o, {ID: o.ID + 1, UserID: o.UserID, Amount: 2}}) },
				func(db *gorm.DB) *gorm.DB {
					v := byEmail
					return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.Assignments(map[string]any{"email": "zoe@x"})}).Create(&v)
				},
				func(db *gorm.DB) *gorm.DB {
					var v user
					return db.Where(user{Email: byEmail.Email}).Assign(user{Name: "assigned"}).FirstOrCreate(&v)
				},
			)), change(func(db *gorm.DB) *gorm.DB {
				return db.Clauses(update).Create(&strangeOrder{ID: o.ID, UserID: o.UserID, Status: o.Status, Amount: 11})
			}))
		}},
		{"ON CONFLICT by text", "upsert", 3, func(g *gen, _ bool) write {
			id := g.userID()
			return pick(g, exec("INSERT INTO user_tags VALUES (?, ?, 2) ON CONFLICT (user_id, tag_id) DO UPDATE SET level = user_tags.level + 1", id, g.tagID()),
				exec("INSERT INTO users (email, name) VALUES (?, 'up') ON CONFLICT (email) DO UPDATE SET tenant_id = 2, name = excluded.name", g.email()),
				exec("INSERT INTO tags (name) VALUES (?) ON CONFLICT DO NOTHING", pick(g, "red", "gold")), exec("INSERT INTO codes VALUES (?, 7) ON CONFLICT (number) DO UPDATE SET ref = excluded.ref", pick(g, "new", "ABC")),
				exec("INSERT INTO accounts VALUES (?, 5) ON CONFLICT (handle) DO UPDATE SET balance = 5", pick(g, "ANN", "eve")), exec("INSERT INTO memberships VALUES ('chess', ?, ?, 'up') ON CONFLICT (club, no) DO UPDATE SET user_id = excluded.user_id", g.IntN(4), id),
				exec("INSERT INTO readings VALUES (1, ?, 99) ON CONFLICT (day, sensor) DO UPDATE SET value = 99", g.IntN(4)), exec("INSERT INTO users (id, email, name) VALUES (?, ?, 'x') ON CONFLICT (email) DO UPDATE SET id = excluded.id", g.IntN(9)+20, g.email()),
				exec("INSERT INTO users (id, email, name, tenant_id) VALUES (?, ?, 'other', 2) ON CONFLICT (email) DO UPDATE SET name = 'other', tenant_id = excluded.tenant_id", g.IntN(9)+20, pick(g, "ada@x", "bob@x", "Cyd@x")),
				exec("INSERT INTO tags (id, name) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET name = 'gold'", g.IntN(9)+20, pick(g, "red", "green")), exec("MERGE INTO orders o USING users u ON o.user_id = u.id AND u.tenant_id = ? WHEN MATCHED AND o.status = 'new' THEN UPDATE SET user_id = 1 WHEN MATCHED AND o.status = 'void' THEN DELETE WHEN NOT MATCHED THEN INSERT (user_id, amount) VALUES (u.id, 1)", g.IntN(3)),
				exec("INSERT INTO aliases VALUES (?, 9) ON CONFLICT (alias) DO UPDATE SET n = 9", pick(g, "ANN", "ÉVA", "eve")), exec("INSERT INTO grades VALUES (?, 'up') ON CONFLICT (grade) DO UPDATE SET name = 'up'", pick(g, "1.000", "4")),
				exec("INSERT INTO rates VALUES ('2024-01-01 01:00+01', ?, 9) ON CONFLICT (at, factor) DO UPDATE SET price = 9", pick(g, "-0", "1.5")), exec("MERGE INTO user_tags t USING (SELECT 2::bigint AS u) s ON t.user_id = s.u WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.u, 3)"))
		}},
	}
}
