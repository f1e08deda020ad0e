package soundness_test

import (
	"strconv"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// lookups are reads of rows by primary key, or by one column.
func lookups() []readKind {
	return []readKind{
		{"row by primary key", func(g *gen) read {
			id := g.userID()
			return pick(g,
				read{ordered: true, run: func(db *gorm.DB) any { var v user; return seen(db.First(&v, id), v) }},
				read{ordered: true, run: func(db *gorm.DB) any { var v user; return seen(db.Where("id = ?", id).Take(&v), v) }},
				read{ordered: true, run: func(db *gorm.DB) any { v := order{ID: id}; return seen(db.Find(&v), v) }},
				many[item](where(map[string]any{"id": id})),
				one[order](chain(unscoped, where(clause.Eq{Column: "id", Value: id}))),
				one[order](chain(where("id = ?", id), where("status = ?", g.status()))),
				maps(chain(model(&user{}), where("id = ?", id))),
			)
		}},
		{"row that is not there yet", func(g *gen) read {
			n := g.IntN(3)
			return pick(g, many[user](where("id = ?", 7+n)), one[order](where("id = ?", 19+n)), many[item](where("id = ?", 21+n)), many[ticket](where("id = ?", 5+n)), many[order](where("id IN ?", []int{19, 20, 21})),
				many[tag](where("id = ?", 5)), many[comment](where("id = ?", 8+n)), many[audit](where("id = ?", 1+n)))
		}},
		{"rows by primary keys", func(g *gen) read {
			ids := g.userIDs()
			return pick(g,
				many[user](where("id IN ?", ids)),
				many[user](where(ids)),
				many[order](where(map[string]any{"id": ids})),
				many[order](where("id = ANY (?)", "{1,2,"+pick(g, "3", "20", "21")+"}")),
				many[item](where(clause.IN{Column: clause.Column{Name: "id"}, Values: []any{g.itemID(), g.itemID(), 23}})),
			)
		}},
		{"foreign key", func(g *gen) read {
			id := g.userID()
			return pick(g, many[order](g.spelled("user_id", id)), many[order](g.spelled("user_id", id)), many[order](g.spelled("user_id", id)), many[item](g.spelled("order_id", g.orderID())),
				text("SELECT * FROM public.orders WHERE user_id = ?", id), text(`SELECT o.* FROM "public"."orders" AS o (a, b) WHERE b = ?`, id), text("SELECT * FROM ONLY orders WHERE orders.user_id = ?", id),
				text("SELECT * FROM orders AS items WHERE items.user_id = ?", id), text("SELECT * FROM orders user_id WHERE user_id.user_id = ?", id), text("SELECT * FROM orders o (user_id, id) WHERE o.user_id = ?", id))
		}},
		{"foreign key, struct", func(g *gen) read {
			id, oid := g.userID(), g.orderID()
			return pick(g,
				many[order](where(&order{UserID: &id})), many[item](where(&item{OrderID: &oid}, "OrderID")), many[ticket](where(ticket{UserID: &id})),
				one[order](chain(where(&order{UserID: &id}), by("id"))), many[item](where("order_id = ?", oid)),
			)
		}},
		{"foreign key, page", func(g *gen) read {
			columns, n := pick(g, "id DESC", "amount, id", "amount DESC, id"), g.IntN(3)+1
			page := func(db *gorm.DB) *gorm.DB { return db.Order(columns).Limit(n).Offset(n % 2) }
			return pick(g, many[order](chain(g.spelled("user_id", g.userID()), page)).inOrder(),
				many[item](chain(where("order_id = ?", g.orderID()), by("id DESC"), limit(2))).inOrder(),
				many[order](chain(g.spelled("user_id", g.userID()), func(db *gorm.DB) *gorm.DB { return db.Select("id").Order("amount, id").Limit(n) })).inOrder())
		}},
		{"foreign key and more", func(g *gen) read {
			id := g.userID()
			return many[order](pick(g,
				where("user_id = ? AND status = ?", id, g.status()), where("amount > ? AND user_id = ?", g.IntN(100), id),
				where(map[string]any{"user_id": id, "status": g.status()}), chain(where("user_id = ?", id), where("note IS NULL")),
				where("user_id = ? AND (status = ? OR amount < ?)", id, g.status(), 50), where("user_id = ? AND NOT status = ?", id, g.status()),
				where("(user_id, status) = (?, ?)", id, g.status()), where("user_id = ? AND user_id = ?", id, g.userID()),
				where("user_id = ? AND id IN (SELECT order_id FROM items WHERE product = ?)", id, g.product()),
				chain(where("user_id = ?", id), unscoped),
			))
		}},
		{"foreign keys, IN", func(g *gen) read {
			ids := g.userIDs()
			return pick(g, many[order](where("user_id IN ?", ids)), many[order](where(map[string]any{"user_id": ids})),
				many[order](where("user_id IN (?, NULL, ?)", g.userID(), g.userID())), many[order](where("user_id NOT IN ?", ids)),
				many[order](where("user_id IN ?", []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})),
				many[order](where("user_id IN (SELECT id FROM users WHERE tenant_id = ?)", g.IntN(3))),
				many[order](where("(user_id, status) IN ?", [][]any{{g.userID(), g.status()}, {g.userID(), "new"}})),
				many[order](where("user_id IN ? AND status IN ?", ids, []string{"new", g.status()})))
		}},
		{"NULL in a column", func(g *gen) read {
			return pick(g, many[order](where("user_id IS NULL")), many[user](where("company_id IS NULL")), many[user](where("email IS NULL")),
				many[category](where("parent_id IS NULL")), many[order](where("user_id = ?", nil)), many[user](where("tenant_id IS NOT NULL")),
				many[user](where(map[string]any{"company_id": nil})), many[order](where("user_id IS NOT DISTINCT FROM ?", pick[any](g, nil, 1, 2))),
				many[order](where("COALESCE(user_id, 1) = ?", g.userID())), many[user](where("tenant_id IS DISTINCT FROM ?", 1)))
		}},
		{"unique column", func(g *gen) read {
			e := g.email()
			return pick(g, one[user](where("email = ?", e)), one[user](where(&user{Email: &e})), many[user](where(map[string]any{"email": e})),
				many[user](where("email IN ?", []string{e, g.email()})), many[user](where("lower(email) = ?", e)), count(chain(model(&user{}), where("email = ?", e))),
				many[tag](where("name = ?", pick(g, "red", "Red", "green", "gold"))), many[company](where("code = ?", pick(g, "acme", "ACME", "Bolt", "corp"))),
				many[code](where("number = ?", pick[any](g, 7, -7, int64(9007199254740993), "7", 0))), many[user](where("email LIKE ?", "%"+e)))
		}},
		{"tenant column", func(g *gen) read {
			n := g.IntN(3)
			return pick(g, many[user](g.spelled("tenant_id", int64(n))), many[user](chain(where("tenant_id = ?", n), where("score > ?", 0))),
				many[user](chain(where("tenant_id = ?", n), where("name = ?", pick(g, "ada", "bob", "zoe")))), count(chain(model(&user{}), where("tenant_id = ?", n))))
		}},
		{"polymorphic pair", func(g *gen) read {
			owner, id := pick(g, "users", "orders", "Users"), g.userID()
			return pick(g, many[comment](where("owner_type = ? AND owner_id = ?", owner, id)), many[comment](where(map[string]any{"owner_type": owner, "owner_id": id})),
				many[comment](where("owner_id = ?", id)), many[comment](where("owner_type = ?", owner)), many[comment](where(&comment{OwnerType: &owner, OwnerID: &id})),
				many[comment](where("(owner_type, owner_id) IN ?", [][]any{{owner, id}, {"users", g.userID()}})))
		}},
	}
}

// spelled says that a column has a value, in one of many ways. Some of them only look so.
func (g *gen) spelled(column string, v int64) scope {
	other := v%5 + 1
	literal := strconv.FormatInt(v, 10)
	return pick(g,
		where(column+" = "+literal), where(column+" = '"+literal+"'"), where(column+" = "+literal+".0"), where(column+" = 0"+literal), where(column+"="+literal+"/**/"),
		where(strings.ToUpper(column)+" = ?", v), where(`"`+column+`" = ?`, v), where(column+" = -?", -v), where(column+" = ? -- "+column+" = 9\n", v), where(column+" = "+literal+" IS TRUE"),
		where(column+" = ? AND ? = ?", v, 1, 1), where(column+" = "+column), where(column+" = id"), where(column+" = ? IS UNKNOWN", v), where("(? = "+column+") IN (false)", v),
		where(column+" = ?", v), where(column+" = ?", v), where(column+" = ?", v), where(map[string]any{column: v}), where(clause.Eq{Column: column, Value: v}),
		where("? = "+column, v), where(column+" = @v", map[string]any{"v": v}), where("("+column+") = (?)", v), where(column+" = ?::bigint", v),
		where(column+" = 3 - ?", 3-v), where(column+" = ?", float64(v)), where(column+" IN (?)", []int64{v}),
		where(column+" = ? OR false", v), where(column+" = ? OR "+column+" = ?", v, other), where(column+" BETWEEN ? AND ?", v, v),
		where("NOT "+column+" = ?", v), where("NOT ("+column+" <> ?)", v), where("("+column+" = ?) IS NOT TRUE", v), where("("+column+" = ?) = false", v),
		where(clause.Neq{Column: column, Value: v}), func(db *gorm.DB) *gorm.DB { return db.Not(column+" = ?", v) },
		func(db *gorm.DB) *gorm.DB { return db.Where(column+" = ?", v).Or(column+" = ?", other) },
		func(db *gorm.DB) *gorm.DB { return db.Where(db.Where(column+" = ?", v).Or(column + " IS NULL")) },
		where("CASE WHEN "+column+" = ? THEN true ELSE id % 2 = 0 END", v), where("COALESCE("+column+", ?) = ?", v, v),
		where(column+" >= ?", v), where(column+" = ? AND 1 = 1", v), where(column+" = ANY (?)", "{1,2}"), where(column+" = ALL (ARRAY[?]::bigint[])", v),
		where(column+" = (SELECT ?::bigint)", v), where(column+" = (SELECT max(user_id) FROM orders o WHERE o.status = 'new')"))
}
