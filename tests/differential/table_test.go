package differential_test

import (
	"fmt"
	"reflect"
	"slices"

	"gorm.io/gorm"
	"pgregory.net/rapid"
)

// Reads that name tables themselves, joins that are written by hand, and conditions that are given to the finisher.

// drawTable draws a query of tables that it names.
func drawTable(t *rapid.T) step {
	from := rapid.SampledFrom([][]call{
		{on("Table", lit("people"))},
		{on("Table", lit("people AS p")), on("Select", lit("p.id, pets.name AS title, p.name")), on("Joins", lit("JOIN pets ON pets.owner_id = p.id"))},
		{on("Table", lit("people, companies")), on("Where", lit("company_code = code")), on("Select", lit("id, title, name"))},
		{on("Table", lit("adults"))},
		{on("Table", lit("kinds"))},
		{on("Table", lit("rarities"))},
		{on("Table", lit("missing"))},
		{on("Table", lit("(?) AS u"), arg{
			source: `db.Model(&person{}).Select("id", "name", "age")`,
			value:  func(db *gorm.DB) any { return db.Model(&person{}).Select("id", "name", "age") },
		})},
		{on("Table", lit("(?) AS u, (?) AS v"), arg{
			source: `db.Model(&person{}).Select("id")`, value: func(db *gorm.DB) any { return db.Model(&person{}).Select("id") },
		}, arg{
			source: `db.Table("pets").Select("name")`, value: func(db *gorm.DB) any { return db.Table("pets").Select("name") },
		})},
	}).Draw(t, "from")
	calls := from
	if rapid.Bool().Draw(t, "where") {
		calls = append(slices.Clip(calls), on("Where", lit("id > ?"), lit(rapid.IntRange(0, 4).Draw(t, "id"))))
	}
	f := rapid.SampledFrom([]finisher{
		subject{}.into("rows", func() any { return new([]map[string]any) }, "", findAll, "Find"),
		subject{}.into("some", func() any { return new([]dto) }, "", func(db *gorm.DB, v any) *gorm.DB { return db.Scan(v) }, "Scan"),
		subject{}.into("row", func() any { return &map[string]any{} }, `.Order("1, 2")`, func(db *gorm.DB, v any) *gorm.DB {
			return db.Order("1, 2").Take(v)
		}, "Take", true),
		subject{}.into("n", func() any { return new(int64) }, "", func(db *gorm.DB, v any) *gorm.DB {
			n, _ := v.(*int64)
			return db.Count(n)
		}, "Count", true),
		subject{table: "u", columns: []column{{"id", []any{1}}}}.cursor(),
	}).Draw(t, "finisher")
	f.reads = true
	return step{calls: calls, finish: f}
}

// drawJoin draws a join: of an association, with or without conditions, or as text.
func (s subject) drawJoin(t *rapid.T) call {
	method := rapid.SampledFrom([]string{"Joins", "InnerJoins"}).Draw(t, "join")
	name := rapid.SampledFrom(s.joins).Draw(t, "association")
	if s.table != "people" {
		return on(method, lit(name))
	}
	return rapid.SampledFrom([]call{
		on(method, lit(name)),
		on(method, lit(name)),
		on(method, lit("Company"), arg{
			source: `db.Where(&company{Title: "Acme"})`,
			value:  func(db *gorm.DB) any { return db.Where(&company{Title: "Acme"}) },
		}),
		on("Joins", lit("LEFT JOIN passports ON passports.person_id = people.id AND passports.number <> ?"), lit("P2")),
		on("Joins", lit("JOIN (?) AS m ON m.person_id = people.id"), arg{
			source: `db.Model(&membership{}).Select("person_id, count(*) AS clubs").Group("person_id")`,
			value: func(db *gorm.DB) any {
				return db.Model(&membership{}).Select("person_id, count(*) AS clubs").Group("person_id")
			},
		}),
	}).Draw(t, "joined")
}

// tally is a subquery of one number.
func tally() arg {
	return arg{
		source: `db.Model(&pet{}).Select("count(*)")`,
		value:  func(db *gorm.DB) any { return db.Model(&pet{}).Select("count(*)") },
	}
}

// drawInline draws a finisher that is given conditions, or a struct that has values already.
func (s subject) drawInline(t *rapid.T) step {
	name, value := s.drawColumn(t, false)
	condition, keys := name+" = ?", s.drawList(t)
	example := rapid.SampledFrom(s.examples).Draw(t, "example")
	find := func(method string, run func(db *gorm.DB, v any, conditions ...any) *gorm.DB) finisher {
		return finisher{
			declare: "one := new(" + s.name + ")",
			source:  fmt.Sprintf(".Order(%q).%s(one, %q, %s)", s.qualified(""), method, condition, value.source),
			run: func(db, fresh *gorm.DB) found {
				v := s.one()
				return of(run(db.Order(s.qualified("")), v, condition, value.value(fresh)), v)
			},
		}
	}
	f := rapid.SampledFrom([]finisher{
		find("First", func(db *gorm.DB, v any, conditions ...any) *gorm.DB { return db.First(v, conditions...) }),
		find("Last", func(db *gorm.DB, v any, conditions ...any) *gorm.DB { return db.Last(v, conditions...) }),
		find("Take", func(db *gorm.DB, v any, conditions ...any) *gorm.DB { return db.Take(v, conditions...) }),
		{
			declare: fmt.Sprintf("many := new(%s)", fmt.Sprintf("%T", s.many())[1:]), source: fmt.Sprintf(".Find(many, %s)", keys.source),
			run: func(db, fresh *gorm.DB) found {
				v := s.many()
				return of(db.Find(v, keys.value(fresh)), v)
			},
		},
		{
			declare: "one := " + example.source, source: fmt.Sprintf(".Order(%q).First(one) // or its address", s.qualified("")),
			run: func(db, _ *gorm.DB) found {
				v := addressed(example.value(nil))
				return of(db.Order(s.qualified("")).First(v), v)
			},
		},
		{
			declare: "var some crowd", source: ".Find(&some)",
			run: func(db, _ *gorm.DB) found {
				v := new(crowd)
				return of(db.Find(v), v)
			},
		},
	}).Draw(t, "finisher")
	f.reads, f.ordered = true, true
	return step{calls: []call{on("Order", lit(s.qualified("")))}, finish: f}
}

// addressed returns a struct that may be changed.
func addressed(v any) any {
	if reflect.TypeOf(v).Kind() == reflect.Pointer {
		return v
	}
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return p.Interface()
}
