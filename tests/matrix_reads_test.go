package tests_test

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// A matrixRead is one way to read. It returns all that the program can see: the value, RowsAffected and the error.
type matrixRead struct {
	name string
	run  func(db *gorm.DB) any
	// live is set for what hands out a cursor, which is never cached.
	live bool
}

// seen is what a program sees of a read.
type seen struct {
	Value any
	Rows  int64
	Err   string
}

func see(tx *gorm.DB, value any) any {
	s := seen{Value: value, Rows: tx.RowsAffected}
	if tx.Error != nil {
		s.Err = tx.Error.Error()
	}
	return s
}

// first, all and pluck read one row, several rows and one column.
func first[T any](q func(*gorm.DB) *gorm.DB) func(*gorm.DB) any {
	return func(db *gorm.DB) any { var v T; return see(q(db).First(&v), &v) }
}

func all[T any](q func(*gorm.DB) *gorm.DB) func(*gorm.DB) any {
	return func(db *gorm.DB) any { var v []T; return see(q(db).Find(&v), &v) }
}

func pluck[T any](model any, column string, q func(*gorm.DB) *gorm.DB) func(*gorm.DB) any {
	return func(db *gorm.DB) any { var v []T; return see(q(db.Model(model)).Pluck(column, &v), &v) }
}

func raw[T any](query string, args ...any) func(*gorm.DB) any {
	return func(db *gorm.DB) any { var v []T; return see(db.Raw(query, args...).Scan(&v), &v) }
}

func key(id int) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB { return db.Where("id = ?", id) }
}

func by(order string, where ...any) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB {
		if len(where) > 0 {
			db = db.Where(where[0], where[1:]...)
		}
		return db.Order(order)
	}
}

type total struct {
	Name  string
	Cents int
	N     int
}

func matrixReads(d *dialect) []matrixRead {
	reads := append(matrixLookups(), matrixLists(d)...)
	reads = append(reads, matrixJoins()...)
	reads = append(reads, matrixRaw()...)
	return append(reads, d.matrix().reads...)
}

func matrixLookups() []matrixRead {
	return []matrixRead{
		{name: "First by key", run: func(db *gorm.DB) any { var c customer; return see(db.First(&c, 1), &c) }},
		{name: "First by key, untouched", run: func(db *gorm.DB) any { var c customer; return see(db.First(&c, 3), &c) }},
		{name: "First of a soft-deleted row", run: func(db *gorm.DB) any { var c customer; return see(db.First(&c, 5), &c) }},
		{name: "Unscoped First", run: func(db *gorm.DB) any { var c customer; return see(db.Unscoped().First(&c, 5), &c) }},
		{name: "absent row", run: func(db *gorm.DB) any { var c customer; return see(db.Take(&c, 101), &c) }},
		{name: "absent row, Find", run: func(db *gorm.DB) any { var c customer; return see(db.Find(&c, 102), &c) }},
		{name: "absent purchase", run: first[purchase](key(101))},
		{name: "absent toy", run: first[toy](key(101))},
		{name: "Take", run: func(db *gorm.DB) any { var c company; return see(db.Where("id = ?", 1).Take(&c), &c) }},
		{name: "Last", run: func(db *gorm.DB) any { var c company; return see(db.Last(&c), &c) }},
		{name: "by struct", run: func(db *gorm.DB) any { var p purchase; return see(db.Where(&purchase{ID: 1}).First(&p), &p) }},
		{name: "by map", run: func(db *gorm.DB) any {
			var p purchase
			return see(db.Where(map[string]any{"id": 2}).First(&p), &p)
		}},
		{name: "by keys", run: func(db *gorm.DB) any {
			var c []customer
			return see(db.Order("id").Find(&c, []int{1, 2, 3, 4, 101}), &c)
		}},
		{name: "purchases by keys", run: all[purchase](by("id", "id IN ?", []int{1, 2, 3, 4, 101, 102}))},
		{name: "labels by keys", run: all[label](by("id", []int{1, 2, 3, 101}))},
		{name: "string key", run: func(db *gorm.DB) any { var s setting; return see(db.First(&s, "settings.key = ?", "theme"), &s) }},
		{name: "absent string key", run: func(db *gorm.DB) any { var s setting; return see(db.First(&s, "settings.key = ?", "size"), &s) }},
		{name: "composite key", run: func(db *gorm.DB) any {
			var s seat
			return see(db.Where("hall = ? AND no = ?", "a", 2).First(&s), &s)
		}},
		{name: "quoted column", run: first[weird](key(1))},
		{name: "into a map", run: func(db *gorm.DB) any {
			m := map[string]any{}
			return see(db.Model(&customer{}).Where("id = ?", 1).Take(&m), m)
		}},
		{name: "generics", run: func(db *gorm.DB) any {
			c, err := gorm.G[customer](db).Where("id = ?", 1).First(context.Background())
			return seen{Value: c, Err: message(err)}
		}},
		{name: "selected columns", run: func(db *gorm.DB) any { var c customer; return see(db.Select("id", "name").First(&c, 1), &c) }},
		{name: "omitted columns", run: func(db *gorm.DB) any { var c customer; return see(db.Omit("name").First(&c, 1), &c) }},
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func matrixLists(d *dialect) []matrixRead {
	return []matrixRead{
		{name: "list", run: all[customer](by("id"))},
		{name: "Unscoped list", run: func(db *gorm.DB) any { var c []customer; return see(db.Unscoped().Order("id").Find(&c), &c) }},
		{name: "by unique column", run: func(db *gorm.DB) any { var c customer; return see(db.Where("email = ?", "ada@x").Take(&c), &c) }},
		{name: "by foreign key", run: all[purchase](by("id", "customer_id = ?", 1))},
		{name: "by condition", run: all[customer](by("name", "age > ?", 20))},
		{name: "by embedded column", run: all[customer](by("id", "addr_city = ?", "Rome"))},
		{name: "page", run: func(db *gorm.DB) any {
			var c []customer
			return see(db.Order("age desc").Limit(2).Offset(1).Find(&c), &c)
		}},
		{name: "Count", run: func(db *gorm.DB) any { var n int64; return see(db.Model(&customer{}).Count(&n), n) }},
		{name: "Count where", run: func(db *gorm.DB) any {
			var n int64
			return see(db.Model(&purchase{}).Where("paid = ?", false).Count(&n), n)
		}},
		{name: "Pluck", run: pluck[string](&customer{}, "name", by("id"))},
		{name: "Distinct", run: func(db *gorm.DB) any {
			var v []string
			return see(db.Model(&customer{}).Distinct().Order("addr_city").Pluck("addr_city", &v), &v)
		}},
		{name: "Group", run: func(db *gorm.DB) any {
			var v []total
			return see(db.Model(&purchase{}).Select("CASE WHEN paid THEN 1 ELSE 0 END AS name, sum(cents) AS cents, count(*) AS n").
				Group("paid").Having("count(*) > ?", 0).Order("paid").Scan(&v), &v)
		}},
		{name: "Scan into maps", run: func(db *gorm.DB) any {
			var v []map[string]any
			return see(db.Model(&label{}).Order("id").Find(&v), v)
		}},
		{name: "Scan one value", run: func(db *gorm.DB) any {
			var v sql.NullInt64
			return see(db.Model(&purchase{}).Select("max(cents)").Scan(&v), v)
		}},
		{name: "labels", run: all[label](by("id"))},
		{name: "items", run: all[item](by("id"))},
		{name: "profiles", run: all[profile](by("id"))},
		{name: "toys", run: all[toy](by("id"))},
		{name: "seats", run: all[seat](by("hall, no"))},
		{name: "settings", run: all[setting](by("settings.key"))},
		{name: "settings into maps", run: func(db *gorm.DB) any {
			var v []map[string]any
			return see(db.Table("settings").Order("value").Find(&v), v)
		}},
		{name: "purchases into maps", run: func(db *gorm.DB) any {
			var v []map[string]any
			return see(db.Table("purchases").Order("id").Find(&v), v)
		}},
		{name: "weird", run: all[weird](by("id"))},
		{name: "Table", run: func(db *gorm.DB) any {
			var v []map[string]any
			return see(db.Table("customer_labels").Order("customer_id, label_id").Find(&v), v)
		}},
		{name: "quoted table", run: func(db *gorm.DB) any {
			var v []map[string]any
			return see(db.Table(d.quoted("Odd.Name")).Order("id").Find(&v), v)
		}},
		{name: "counters", run: func(db *gorm.DB) any { var v []map[string]any; return see(db.Table("counters").Find(&v), v) }},
		{name: "FindInBatches", run: func(db *gorm.DB) any {
			var v, batch []customer
			tx := db.FindInBatches(&batch, 2, func(*gorm.DB, int) error { v = append(v, batch...); return nil })
			return see(tx, v)
		}},
		{name: "Rows", live: true, run: func(db *gorm.DB) any {
			rows, err := db.Model(&customer{}).Order("id").Rows()
			if err != nil {
				return message(err)
			}
			defer rows.Close()
			var v []customer
			for rows.Next() {
				var c customer
				err = errors.Join(err, db.ScanRows(rows, &c))
				v = append(v, c)
			}
			return seen{Value: v, Err: message(errors.Join(err, rows.Err()))}
		}},
	}
}

func matrixJoins() []matrixRead {
	ordered := func(db *gorm.DB) *gorm.DB { return db.Order("id") }
	return []matrixRead{
		{name: "Preload has many", run: func(db *gorm.DB) any {
			var v []customer
			return see(db.Preload("Purchases", ordered).Order("id").Find(&v), &v)
		}},
		{name: "Preload many to many", run: func(db *gorm.DB) any {
			var v []customer
			return see(db.Preload("Labels", func(db *gorm.DB) *gorm.DB { return db.Order("labels.id") }).Order("id").Find(&v), &v)
		}},
		{name: "Preload belongs to", run: func(db *gorm.DB) any { var v []customer; return see(db.Preload("Company").Order("id").Find(&v), &v) }},
		{name: "Preload has one", run: func(db *gorm.DB) any { var v customer; return see(db.Preload("Profile").First(&v, 1), &v) }},
		{name: "Preload polymorphic", run: func(db *gorm.DB) any { var v customer; return see(db.Preload("Toys", ordered).First(&v, 1), &v) }},
		{name: "Preload self", run: func(db *gorm.DB) any {
			var v []customer
			return see(db.Preload("Manager").Preload("Reports", ordered).Order("id").Find(&v), &v)
		}},
		{name: "Preload nested", run: func(db *gorm.DB) any {
			var v []customer
			return see(db.Preload("Purchases", ordered).Preload("Purchases.Items", ordered).Order("id").Find(&v, []int{1, 2, 3}), &v)
		}},
		{name: "Preload with a condition", run: func(db *gorm.DB) any {
			var v customer
			return see(db.Preload("Purchases", "paid = ?", false).First(&v, 1), &v)
		}},
		{name: "Joins an association", run: func(db *gorm.DB) any {
			var v []customer
			return see(db.Joins("Company").Order("customers.id").Find(&v), &v)
		}},
		{name: "Joins one row", run: func(db *gorm.DB) any { var v customer; return see(db.Joins("Company").First(&v, 1), &v) }},
		{name: "InnerJoins", run: func(db *gorm.DB) any {
			var v []customer
			return see(db.InnerJoins("Profile").Order("customers.id").Find(&v), &v)
		}},
		{name: "Joins by text", run: func(db *gorm.DB) any {
			var v []total
			return see(db.Table("customers c").Select("c.name, sum(p.cents) AS cents, count(*) AS n").
				Joins("LEFT JOIN purchases p ON p.customer_id = c.id").Group("c.id, c.name").Order("c.id").Scan(&v), &v)
		}},
		{name: "subquery in Where", run: func(db *gorm.DB) any {
			var v []customer
			return see(db.Where("id IN (?)", db.Model(&purchase{}).Select("customer_id").Where("paid = ?", false)).Order("id").Find(&v), &v)
		}},
		{name: "subquery in From", run: func(db *gorm.DB) any {
			var n int64
			return see(db.Table("(?) AS p", db.Model(&purchase{}).Select("customer_id").Distinct()).Count(&n), n)
		}},
		{name: "Association Find", run: func(db *gorm.DB) any {
			var v []label
			err := db.Model(&customer{ID: 1}).Order("labels.id").Association("Labels").Find(&v)
			return seen{Value: v, Err: message(err)}
		}},
		{name: "Association Count", run: func(db *gorm.DB) any {
			return db.Model(&customer{ID: 1}).Association("Purchases").Count()
		}},
		{name: "Preload all", run: func(db *gorm.DB) any {
			var v purchase
			return see(db.Preload(clause.Associations, ordered).First(&v, 1), &v)
		}},
	}
}

func matrixRaw() []matrixRead {
	return []matrixRead{
		{name: "Raw", run: raw[customer]("SELECT * FROM customers WHERE age > ? ORDER BY id", 18)},
		{name: "Raw with names", run: func(db *gorm.DB) any {
			var v []customer
			return see(db.Raw("SELECT * FROM customers WHERE id = @id OR email = @mail ORDER BY id",
				map[string]any{"id": 1, "mail": "bob@x"}).Scan(&v), &v)
		}},
		{name: "CTE", run: raw[total]("WITH t AS (SELECT customer_id, sum(cents) s FROM purchases GROUP BY 1) " +
			"SELECT name, s AS cents FROM customers JOIN t ON t.customer_id = customers.id ORDER BY customers.id")},
		{name: "UNION", run: raw[string]("SELECT name FROM labels UNION SELECT name FROM companies ORDER BY 1")},
		{name: "comma join", run: raw[total]("SELECT c.name, i.id AS n FROM customers c, purchases p, items i " +
			"WHERE p.customer_id = c.id AND i.purchase_id = p.id ORDER BY c.name, i.name")},
		{name: "EXISTS", run: raw[customer]("SELECT * FROM customers c WHERE EXISTS " +
			"(SELECT 1 FROM purchases p WHERE p.customer_id = c.id AND p.cents > 150) ORDER BY c.id")},
		{name: "window", run: raw[total]("SELECT name, row_number() OVER (ORDER BY age, id) AS n FROM customers ORDER BY n")},
		{name: "view", run: raw[total]("SELECT name, cents FROM debtors ORDER BY id, cents")},
		{name: "simple view", run: raw[customer]("SELECT * FROM adults ORDER BY id")},
		{name: "comments", run: raw[string]("SELECT /* FROM labels */ name -- FROM toys\nFROM companies ORDER BY id")},
		{name: "boolean", run: func(db *gorm.DB) any {
			var v bool
			return see(db.Raw("SELECT EXISTS (SELECT 1 FROM customers WHERE email = ?)", "new@x").Scan(&v), v)
		}},
	}
}
