package differential_test

import (
	"database/sql"
	"fmt"
	"strings"

	"gorm.io/gorm"
	"pgregory.net/rapid"
)

// drawRead draws a step that changes nothing.
func drawRead(t *rapid.T) step {
	s := drawSubject(t)
	switch rapid.IntRange(0, 11).Draw(t, "read") {
	case 0:
		return drawRaw(t)
	case 1:
		return s.drawTally(t)
	case 2:
		return drawGenerics(t)
	case 3:
		return drawTable(t)
	case 4:
		return s.drawInline(t)
	default:
		return s.drawChain(t)
	}
}

// drawChain draws a chain on a model.
func (s subject) drawChain(t *rapid.T) step {
	finish, model := s.drawFinisher(t)
	var calls []call
	if model {
		calls = append(calls, on("Model", s.empty()))
	}
	joined := false
	if len(s.joins) > 0 && rapid.IntRange(0, 3).Draw(t, "joins") == 3 {
		joined = true
		calls = append(calls, s.drawJoin(t))
	}
	for range rapid.IntRange(0, 3).Draw(t, "conditions") {
		method := rapid.SampledFrom([]string{"Where", "Where", "Where", "Or", "Not"}).Draw(t, "method")
		calls = append(calls, on(method, s.drawCondition(t, joined)...))
	}
	calls = append(calls, s.drawShape(t, joined)...)
	return step{calls: append(calls, s.drawOrder(t, &finish)...), finish: finish}
}

// drawShape draws what is selected, and what is loaded besides.
func (s subject) drawShape(t *rapid.T, joined bool) (calls []call) {
	if rapid.IntRange(0, 4).Draw(t, "select") == 4 && !joined {
		name, _ := s.drawColumn(t, false)
		calls = append(calls, rapid.SampledFrom([]call{
			on("Select", lit(s.key), lit(name)), on("Select", lit([]string{s.columns[0].name, name})), on("Omit", lit(name)),
			on("Select", lit(s.table+".*")), on("Select", lit(s.key+", count(*) OVER () AS total")), on("Distinct"),
			on("Distinct", lit(name)), on("Select", lit(s.key+", (?) AS total"), tally()),
		}).Draw(t, "selection"))
	}
	for range rapid.IntRange(0, 2).Draw(t, "preloads") {
		if len(s.preloads) > 0 && rapid.Bool().Draw(t, "preload") {
			calls = append(calls, s.drawPreload(t))
		}
	}
	switch rapid.IntRange(0, 8).Draw(t, "session") {
	case 6:
		calls = append(calls, on("Unscoped"))
	case 7:
		calls = append(calls, on("Session", expr("&gorm.Session{PrepareStmt: true, QueryFields: true}", func() any {
			return &gorm.Session{PrepareStmt: true, QueryFields: true}
		})))
	case 8:
		calls = append(calls, on("Scopes", expr(`func(db *gorm.DB) *gorm.DB { return db.Where("1 = 1") }`, func() any {
			return func(db *gorm.DB) *gorm.DB { return db.Where("1 = 1") }
		})))
	}
	return calls
}

func (s subject) drawPreload(t *rapid.T) call {
	name := lit(rapid.SampledFrom(s.preloads).Draw(t, "association"))
	switch rapid.IntRange(0, 4).Draw(t, "how") {
	case 3:
		return on("Preload", name, lit("1 = ?"), lit(1))
	case 4:
		return on("Preload", name, expr("func(db *gorm.DB) *gorm.DB { return db.Unscoped() }", func() any {
			return func(db *gorm.DB) *gorm.DB { return db.Unscoped() }
		}))
	default:
		return on("Preload", name)
	}
}

// drawOrder draws an order. What only one row, or the first ones, are taken from needs one.
func (s subject) drawOrder(t *rapid.T, f *finisher) (calls []call) {
	limited := rapid.IntRange(0, 3).Draw(t, "limit")
	if !f.ordered && (limited == 3 || rapid.Bool().Draw(t, "order")) {
		f.ordered = true
		calls = append(calls, on("Order", lit(s.qualified(rapid.SampledFrom([]string{"", " DESC"}).Draw(t, "direction")))))
	}
	if limited == 3 {
		calls = append(calls, on("Limit", lit(rapid.IntRange(0, 3).Draw(t, "rows"))))
		if rapid.Bool().Draw(t, "offset") {
			calls = append(calls, on("Offset", lit(rapid.IntRange(0, 2).Draw(t, "skipped"))))
		}
	}
	return calls
}

// qualified returns the order by the primary key.
func (s subject) qualified(direction string) string {
	columns := strings.Split(s.key, ", ")
	for i, c := range columns {
		columns[i] = s.table + "." + c + direction
	}
	return strings.Join(columns, ", ")
}

// drawFinisher draws the end of a chain. model is set if the chain has to name the model.
func (s subject) drawFinisher(t *rapid.T) (f finisher, model bool) {
	order := func(db *gorm.DB) *gorm.DB { return db.Order(s.qualified("")) }
	ordered := fmt.Sprintf(".Order(%q)", s.qualified(""))
	// First and Last order by the first column of a key only.
	single, before := func(db *gorm.DB) *gorm.DB { return db }, ""
	if strings.Contains(s.key, ",") {
		single, before = order, ordered
	}
	all := []struct {
		f     finisher
		model bool
	}{
		{f: s.into("many", s.many, "", findAll, "Find")},
		{f: s.into("one", s.one, before, func(db *gorm.DB, v any) *gorm.DB { return single(db).First(v) }, "First", true)},
		{f: s.into("one", s.one, before, func(db *gorm.DB, v any) *gorm.DB { return single(db).Last(v) }, "Last", true)},
		{f: s.into("one", s.one, ordered, func(db *gorm.DB, v any) *gorm.DB { return order(db).Take(v) }, "Take", true)},
		{f: s.into("one", s.one, ordered, func(db *gorm.DB, v any) *gorm.DB { return order(db).Find(v) }, "Find", true)},
		{f: s.into("rows", func() any { return new([]map[string]any) }, "", findAll, "Find"), model: true},
		{f: s.into("row", func() any { return &map[string]any{} }, ordered, func(db *gorm.DB, v any) *gorm.DB { return order(db).Take(v) }, "Take", true), model: true},
		{f: s.into("n", func() any { return new(int64) }, "", func(db *gorm.DB, v any) *gorm.DB { n, _ := v.(*int64); return db.Count(n) }, "Count", true), model: true},
		{f: s.drawPluck(t), model: true},
		{f: s.into("some", func() any { return new([]dto) }, "", func(db *gorm.DB, v any) *gorm.DB { return db.Scan(v) }, "Scan"), model: true},
		{f: s.into("some", func() any { return new(dto) }, ordered, func(db *gorm.DB, v any) *gorm.DB { return order(db).Scan(v) }, "Scan", true), model: true},
		{f: s.into("some", func() any { return new([]dto) }, "", findAll, "Find"), model: true},
		{f: s.into("labels", func() any { return new([]label) }, "", findAll, "Find"), model: true},
		{f: s.row(), model: true},
		{f: s.batches()},
		{f: s.cursor(), model: true},
		{f: s.firstOrInit(), model: false},
	}
	picked := rapid.SampledFrom(all).Draw(t, "finisher")
	picked.f.reads = true
	return picked.f, picked.model
}

func findAll(db *gorm.DB, v any) *gorm.DB { return db.Find(v) }

// dto is what no table looks like.
type dto struct {
	ID    *uint
	Name  *string
	Age   *int
	Title sql.NullString
	Total int
	Text  []byte
}

// into finishes a chain that fills a variable.
func (s subject) into(
	name string, fresh func() any, before string, run func(db *gorm.DB, v any) *gorm.DB, method string, ordered ...bool,
) finisher {
	return finisher{
		declare: fmt.Sprintf("%s := new(%s)", name, fmt.Sprintf("%T", fresh())[1:]), source: fmt.Sprintf("%s.%s(%s)", before, method, name),
		run: func(db, _ *gorm.DB) found {
			v := fresh()
			return of(run(db, v), v)
		},
		ordered: len(ordered) > 0,
	}
}

func (s subject) drawPluck(t *rapid.T) finisher {
	name, _ := s.drawColumn(t, false)
	into := rapid.SampledFrom([]func() any{
		func() any { return new([]any) }, func() any { return new([]string) }, func() any { return new([]*string) },
		func() any { return new([]sql.NullString) }, func() any { return new([]int) },
	}).Draw(t, "values")
	f := s.into("values", into, "", func(db *gorm.DB, v any) *gorm.DB { return db.Pluck(s.table+"."+name, v) }, "")
	f.source = fmt.Sprintf(".Pluck(%q, values)", s.table+"."+name)
	return f
}

// batches finds rows two by two.
func (s subject) batches() finisher {
	return finisher{
		declare: fmt.Sprintf("many := new(%s)", fmt.Sprintf("%T", s.many())[1:]), source: ".FindInBatches(many, 2, each)", ordered: true,
		run: func(db, _ *gorm.DB) found {
			var seen []string
			v := s.many()
			result := db.FindInBatches(v, 2, func(tx *gorm.DB, batch int) error {
				seen = append(seen, fmt.Sprintf("%d %d %s", batch, tx.RowsAffected, observation{found: found{value: v}}.value()))
				if batch > 5 {
					return errUndone // an OR makes the same rows come again and again
				}
				return nil
			})
			return of(result, seen)
		},
	}
}

// cursor takes rows one by one.
func (s subject) cursor() finisher {
	return finisher{
		source: ".Rows() // scanned one by one", reads: true,
		run: func(db, fresh *gorm.DB) found {
			cursor, err := db.Rows()
			if err != nil {
				return found{err: err}
			}
			defer func() { _ = cursor.Close() }()
			var all []map[string]any
			for cursor.Next() {
				row := map[string]any{}
				if err := fresh.ScanRows(cursor, &row); err != nil {
					return found{value: all, err: err}
				}
				all = append(all, row)
			}
			return found{value: all, err: cursor.Err()}
		},
	}
}

// row takes a column of the first row.
func (s subject) row() finisher {
	name := s.table + "." + s.columns[0].name
	return finisher{
		source: fmt.Sprintf(".Select(%q).Order(%q).Row() // scanned", name, s.qualified("")), ordered: true,
		run: func(db, _ *gorm.DB) found {
			var v any
			err := db.Select(name).Order(s.qualified("")).Row().Scan(&v)
			return found{value: v, err: err}
		},
	}
}

func (s subject) firstOrInit() finisher {
	example := s.examples[len(s.examples)-1]
	return finisher{
		declare: fmt.Sprintf("one := new(%s)", s.name),
		source:  fmt.Sprintf(".Where(%s).Attrs(%s).Order(%q).FirstOrInit(one)", example.source, example.source, s.qualified("")),
		ordered: true,
		run: func(db, _ *gorm.DB) found {
			v := s.one()
			return of(db.Where(example.value(nil)).Attrs(example.value(nil)).Order(s.qualified("")).FirstOrInit(v), v)
		},
	}
}

// drawTally draws a query with groups.
func (s subject) drawTally(t *rapid.T) step {
	c := rapid.SampledFrom(s.columns).Draw(t, "column").name
	calls := []call{
		on("Model", s.empty()), on("Select", lit(c+" AS name, count(*) AS total, max("+c+"::text) AS text")), on("Group", lit(c)),
	}
	if rapid.Bool().Draw(t, "having") {
		calls = append(calls, on("Having", lit("count(*) > ?"), lit(rapid.IntRange(0, 2).Draw(t, "least"))))
	}
	f := s.into("some", func() any { return new([]dto) }, "", func(db *gorm.DB, v any) *gorm.DB { return db.Scan(v) }, "Scan")
	f.reads = true
	return step{calls: calls, finish: f}
}

// drawRaw draws a query that is written by hand.
func drawRaw(t *rapid.T) step {
	text := rapid.SampledFrom([]string{
		"SELECT * FROM people WHERE id = ?", "SELECT p.name, o.name AS owner FROM pets p LEFT JOIN people o ON o.id = p.owner_id WHERE p.id > ?",
		"WITH RECURSIVE t AS (SELECT id, boss_id FROM people WHERE id = ? UNION SELECT p.id, p.boss_id FROM people p JOIN t ON p.boss_id = t.id) SELECT * FROM t",
		"SELECT id, rank() OVER (PARTITION BY owner_id ORDER BY id) AS total FROM pets WHERE id <> ?",
		"SELECT name FROM people WHERE id = ? UNION ALL SELECT name FROM pets", "SELECT * FROM adults WHERE id > ?",
		"SELECT * FROM kinds WHERE id = ?", "SELECT prefs->'a' AS a, prefs->>'b' AS b FROM people WHERE id >= ?",
		"SELECT jsonb_array_elements(prefs->'a') AS e FROM people WHERE id = ?", "SELECT a.*, b.* FROM people a, pets b WHERE a.id = b.owner_id AND a.id = ?",
		"SELECT count(*), sum(age), avg(age), min(created_at) FROM people WHERE id > ?", "SELECT words[1], counts, unnest(counts) FROM kinds WHERE id = ?",
		"SELECT id, upper(name), now() > created_at AS past FROM people WHERE id > ?", "SELECT * FROM clubs WHERE (country, no) IN (('de', ?))",
		"SELECT broken FROM people WHERE id = ?", "SELECT 1/(id-?) FROM people WHERE id = 2", "SELECT * FROM missing WHERE id = ?",
		"SELECT * FROM people WHERE id = ? FOR UPDATE", "SELECT DISTINCT ON (owner_id) owner_id, name FROM pets WHERE id > ? ORDER BY owner_id, id",
		"VALUES (?::int), (2)", "SELECT (SELECT count(*) FROM notes), id FROM people WHERE id = ?",
	}).Draw(t, "text")
	into := rapid.SampledFrom([]func() any{
		func() any { return new([]map[string]any) }, func() any { return new([]dto) }, func() any { return new([]person) },
		func() any { return new([]pet) },
	}).Draw(t, "into")
	return raw(text, rapid.IntRange(1, 3).Draw(t, "argument"), into)
}

func raw(text string, n int, into func() any) step {
	f := subject{}.into("some", into, "", func(db *gorm.DB, v any) *gorm.DB { return db.Scan(v) }, "Scan")
	f.reads = true
	return step{calls: []call{on("Raw", lit(text), lit(n))}, finish: f}
}
