package differential_test

import (
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"pgregory.net/rapid"
)

// drawWrite draws a step that may change something.
func drawWrite(t *rapid.T) step {
	switch rapid.IntRange(0, 7).Draw(t, "write") {
	case 0:
		return drawCreate(t)
	case 1:
		return drawUpdate(t)
	case 2:
		return drawDelete(t)
	case 3:
		return drawAssociation(t)
	case 4:
		return drawExec(t)
	case 5:
		return drawChange(t)
	case 6:
		return drawGenericWrite(t)
	default:
		return drawSave(t)
	}
}

// writing finishes a chain that writes a value.
func writing(method, source string, fresh func() any, run func(db *gorm.DB, v any) *gorm.DB) finisher {
	return finisher{
		declare: "v := " + source, source: "." + method + "(v)", ordered: true,
		run: func(db, _ *gorm.DB) found {
			v := fresh()
			return of(run(db, v), v)
		},
	}
}

func drawCreate(t *rapid.T) step {
	create := func(db *gorm.DB, v any) *gorm.DB { return db.Create(v) }
	f := rapid.SampledFrom([]finisher{
		writing("Create", `&person{Name: "new"}`, func() any { return &person{Name: "new"} }, create),
		writing("Create", `&[]pet{{Name: "a", Kind: "cat"}, {Name: "b", Kind: "owl"}, {ID: 50, Kind: "dog"}}`, func() any {
			return &[]pet{{Name: "a", Kind: "cat"}, {Name: "b", Kind: "owl"}, {ID: 50, Kind: "dog"}}
		}, create),
		writing("Create", `&person{ID: 1, Name: "taken"}`, func() any { return &person{ID: 1, Name: "taken"} }, create),
		writing("Create", `&person{Name: "unwanted"}`, func() any { return &person{Name: "unwanted"} }, create),
		writing("Create", `&pet{Kind: "fish"}`, func() any { return &pet{Kind: "fish"} }, create),
		writing("Create", "family()", func() any { return family() }, create),
		writing("Create", `&club{Country: "it", No: 3, Title: "tre"}`, func() any { return &club{Country: "it", No: 3, Title: "tre"} }, create),
		writing("Create", `&kind{Small: 9, Number: "1.50", Doc: document("{}"), Sealed: sealed{text: "s"}, Packed: map[string]int{"a": 1}}`, func() any {
			return &kind{Small: 9, Number: "1.50", Doc: document("{}"), Sealed: sealed{text: "s"}, Packed: map[string]int{"a": 1}}
		}, create),
		writing("Create", `&adult{Name: "x"}`, func() any { return &adult{Name: "x"} }, create),
		writing("Create", `&membership{PersonID: 3, ClubCountry: "fr", ClubNo: 1}`, func() any {
			return &membership{PersonID: 3, ClubCountry: "fr", ClubNo: 1}
		}, create),
		writing("CreateInBatches", `&[]pet{{Name: "a", Kind: "cat"}, {Name: "b", Kind: "cat"}, {Name: "c", Kind: "fish"}}`, func() any {
			return &[]pet{{Name: "a", Kind: "cat"}, {Name: "b", Kind: "cat"}, {Name: "c", Kind: "fish"}}
		}, func(db *gorm.DB, v any) *gorm.DB { return db.CreateInBatches(v, 2) }),
		writing("Model(&pet{}).Create", `map[string]any{"name": "map", "kind": "dog"}`, func() any {
			return map[string]any{"name": "map", "kind": "dog"}
		}, func(db *gorm.DB, v any) *gorm.DB { return db.Model(&pet{}).Create(v) }),
		writing("Create", `&rarity{ID: 9, Until: moment{text: "infinity"}, Cipher: "c", Tree: 1.0, Work: &address{}, Once: "1", Hidden: "h"}`, func() any {
			return &rarity{ID: 9, Until: moment{text: "infinity"}, Cipher: "c", Tree: 1.0, Work: &address{}, Once: "1", Hidden: "h"}
		}, create),
	}).Draw(t, "created")
	s := step{finish: f}
	if rapid.IntRange(0, 2).Draw(t, "upsert") == 2 {
		s.calls = append(s.calls, drawConflict(t))
	}
	if rapid.IntRange(0, 3).Draw(t, "omit") == 3 {
		s.calls = append(s.calls, on("Omit", lit(clause.Associations)))
	}
	return s
}

func drawConflict(t *rapid.T) call {
	return rapid.SampledFrom([]call{
		on("Clauses", expr("clause.OnConflict{DoNothing: true}", func() any { return clause.OnConflict{DoNothing: true} })),
		on("Clauses", expr("clause.OnConflict{UpdateAll: true}", func() any { return clause.OnConflict{UpdateAll: true} })),
		on("Clauses", expr(`clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{"name": "kept"})}`, func() any {
			return clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{"name": "kept"})}
		})),
		on("Clauses", expr("clause.Returning{}", func() any { return clause.Returning{} })),
	}).Draw(t, "clause")
}

// family is a person with all associations.
func family() *person {
	mail := "family@x"
	return &person{
		Name: "family", Email: &mail, Home: address{City: "Bonn"}, Prefs: map[string]any{"n": 1.0}, Company: &company{Code: "new", Title: "New"},
		Boss: &person{Name: "boss"}, Team: []person{{Name: "junior"}}, Pets: []pet{{Kind: "cat", Name: "kit"}}, Passport: &passport{Number: "P9"},
		Clubs: []club{{Country: "de", No: 1}, {Country: "es", No: 1}}, Notes: []note{{Text: "n"}},
	}
}

func drawSave(t *rapid.T) step {
	save := func(db *gorm.DB, v any) *gorm.DB { return db.Save(v) }
	return step{finish: rapid.SampledFrom([]finisher{
		writing("Save", `&person{ID: 2, Name: "saved"}`, func() any { return &person{ID: 2, Name: "saved"} }, save),
		writing("Save", `&pet{ID: 77, Kind: "dog"}`, func() any { return &pet{ID: 77, Kind: "dog"} }, save),
		writing("Save", `&club{Country: "de", No: 1, Title: "eins"}`, func() any { return &club{Country: "de", No: 1, Title: "eins"} }, save),
		writing("Save", `&rarity{ID: 1, Once: "again", Hidden: "again", Given: "g"}`, func() any {
			return &rarity{ID: 1, Once: "again", Hidden: "again", Given: "g"}
		}, save),
		writing("Save", `&[]company{{Code: "acme", Title: "A"}, {Code: "new"}}`, func() any {
			return &[]company{{Code: "acme", Title: "A"}, {Code: "new"}}
		}, save),
	}).Draw(t, "saved")}
}

// drawUpdate draws an update of what a chain finds.
func drawUpdate(t *rapid.T) step {
	s := drawSubject(t)
	name, value := s.drawColumn(t, false)
	calls := []call{on("Model", s.empty())}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		calls = append(calls, on("Where", s.drawCondition(t, false)...))
	}
	methods := map[string]func(db *gorm.DB, v any) *gorm.DB{
		"Update":        func(db *gorm.DB, v any) *gorm.DB { return db.Update(name, v) },
		"UpdateColumn":  func(db *gorm.DB, v any) *gorm.DB { return db.UpdateColumn(name, v) },
		"Updates":       func(db *gorm.DB, v any) *gorm.DB { return db.Updates(map[string]any{name: v}) },
		"UpdateColumns": func(db *gorm.DB, v any) *gorm.DB { return db.UpdateColumns(map[string]any{name: v}) },
	}
	method := rapid.SampledFrom([]string{"Update", "UpdateColumn", "Updates", "UpdateColumns"}).Draw(t, "method")
	source := fmt.Sprintf(".%s(%q, %s)", method, name, value.source)
	if method[len(method)-1] == 's' {
		source = fmt.Sprintf(".%s(map[string]any{%q: %s})", method, name, value.source)
	}
	return step{calls: calls, finish: finisher{
		source: source, ordered: true,
		run: func(db, fresh *gorm.DB) found { return of(methods[method](db, value.value(fresh)), nil) },
	}}
}

// drawChange draws an update or an upsert of another form.
func drawChange(t *rapid.T) step {
	return rapid.SampledFrom([]step{
		{calls: []call{on("Model", expr("&person{ID: 1}", func() any { return &person{ID: 1} }))}, finish: finisher{
			source: `.Updates(person{Name: "by struct", Home: address{City: "Bern"}})`, ordered: true,
			run: func(db, _ *gorm.DB) found {
				return of(db.Updates(person{Name: "by struct", Home: address{City: "Bern"}}), nil)
			},
		}},
		{calls: []call{on("Model", expr("&pet{}", func() any { return &pet{} })), on("Where", lit("id < ?"), lit(4))}, finish: finisher{
			source: `.Update("weight", gorm.Expr("weight + ?", 1))`, ordered: true,
			run: func(db, _ *gorm.DB) found { return of(db.Update("weight", gorm.Expr("weight + ?", 1)), nil) },
		}},
		{calls: []call{
			on("Model", expr("&returned", func() any { return &[]person{} })),
			on("Clauses", expr("clause.Returning{}", func() any { return clause.Returning{} })), on("Where", lit("id = ?"), lit(2)),
		}, finish: finisher{
			declare: "var returned []person", source: `.Update("name", "returned")`,
			run: func(db, _ *gorm.DB) found {
				r := db.Update("name", "returned")
				return of(r, r.Statement.Model)
			},
		}},
		{finish: finisher{
			declare: "one := new(person)", source: `.Where(person{Name: "ada"}).Assign(person{Name: "Ada", Home: address{City: "Bari"}}).FirstOrCreate(one)`,
			ordered: true,
			run: func(db, _ *gorm.DB) found {
				v := new(person)
				return of(db.Where(person{Name: "ada"}).Assign(person{Name: "Ada", Home: address{City: "Bari"}}).FirstOrCreate(v), v)
			},
		}},
		{finish: finisher{
			declare: "one := new(company)", source: `.Where(company{Code: "made"}).Attrs(company{Title: "Made"}).FirstOrCreate(one)`, ordered: true,
			run: func(db, _ *gorm.DB) found {
				v := new(company)
				return of(db.Where(company{Code: "made"}).Attrs(company{Title: "Made"}).FirstOrCreate(v), v)
			},
		}},
		{calls: []call{on("Model", expr("&pet{ID: 1}", func() any { return &pet{ID: 1} })), on("Select", lit("name"), lit("weight"))}, finish: finisher{
			source: `.Updates(pet{Name: "selected"})`, ordered: true,
			run: func(db, _ *gorm.DB) found { return of(db.Updates(pet{Name: "selected"}), nil) },
		}},
	}).Draw(t, "change")
}

func drawDelete(t *rapid.T) step {
	s := drawSubject(t)
	var calls []call
	if rapid.IntRange(0, 2).Draw(t, "unscoped") == 2 {
		calls = append(calls, on("Unscoped"))
	}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		calls = append(calls, on("Where", s.drawCondition(t, false)...))
	}
	example := rapid.SampledFrom(append(s.examples, s.empty())).Draw(t, "deleted")
	return step{calls: calls, finish: finisher{
		source: fmt.Sprintf(".Delete(%s)", example.source), ordered: true,
		run: func(db, fresh *gorm.DB) found { return of(db.Delete(example.value(fresh)), nil) },
	}}
}

// drawAssociation draws an operation on an association of a row that is there, most often.
func drawAssociation(t *rapid.T) step {
	id := rapid.SampledFrom([]uint{1, 2, 3, 9}).Draw(t, "of")
	name := rapid.SampledFrom([]string{"Pets", "Clubs", "Team", "Notes", "Company", "Passport"}).Draw(t, "association")
	others := map[string][]any{
		"Pets": {&pet{ID: 3, Kind: "owl"}, &pet{Kind: "cat", Name: "fresh"}}, "Clubs": {&club{Country: "de", No: 2}, &club{Country: "at", No: 1}},
		"Team": {&person{ID: 5, Name: "naïve 🦉"}, &person{Name: "hired"}}, "Notes": {&note{ID: 2}, &note{Text: "fresh"}},
		"Company": {&company{Code: "Bolt"}}, "Passport": {&passport{Number: "P7"}},
	}
	method := rapid.SampledFrom([]string{"Append", "Replace", "Delete", "Clear", "Count", "Find", "Unscoped().Clear"}).Draw(t, "method")
	run := func(a *gorm.Association, others []any) (v any, err error) {
		switch method {
		case "Append":
			return nil, a.Append(others...)
		case "Replace":
			return nil, a.Replace(others...)
		case "Delete":
			return nil, a.Delete(others...)
		case "Clear":
			return nil, a.Clear()
		case "Unscoped().Clear":
			return nil, a.Unscoped().Clear()
		case "Count":
			return a.Count(), a.Error
		default:
			v := map[string]any{
				"Pets": &[]pet{}, "Clubs": &[]club{}, "Team": &[]person{}, "Notes": &[]note{}, "Company": &[]company{}, "Passport": &[]passport{},
			}[name]
			return v, a.Find(v)
		}
	}
	return step{
		calls: []call{on("Model", expr(fmt.Sprintf("&person{ID: %d}", id), func() any { return &person{ID: id} }))},
		finish: finisher{
			source: fmt.Sprintf(".Association(%q).%s(…)", name, method),
			run: func(db, _ *gorm.DB) found {
				copied := make([]any, len(others[name]))
				for i, v := range others[name] {
					copied[i] = clone(v)
				}
				v, err := run(db.Association(name), copied)
				return found{value: v, err: err}
			},
		},
	}
}

// drawExec draws a statement that is written by hand.
func drawExec(t *rapid.T) step {
	text := rapid.SampledFrom([]string{
		"UPDATE people SET name = 'raw' WHERE id = ?", "UPDATE people SET age = age + 1 WHERE id <> ?", "DELETE FROM pets WHERE id = ?",
		"DELETE FROM people WHERE id > ?", "INSERT INTO pets (id, kind, name) VALUES (60 + ?, 'owl', 'raw')",
		"INSERT INTO pets (id, kind) VALUES (?, 'owl') ON CONFLICT (id) DO UPDATE SET name = 'upserted'",
		"WITH moved AS (UPDATE pets SET owner_id = 3 WHERE owner_id = ? RETURNING id) DELETE FROM notes WHERE id IN (SELECT id FROM moved)",
		"UPDATE adults SET name = 'through the view' WHERE id = ?", "TRUNCATE pets, notes -- ?", "UPDATE people SET id = id + 200 WHERE id = ?",
		"MERGE INTO pets USING people ON pets.owner_id = people.id AND people.id = ? WHEN MATCHED THEN UPDATE SET name = 'merged'",
		"UPDATE pets SET name = 'cursed' WHERE id = ?", "UPDATE rarities SET since = 'infinity', tree = '7' WHERE id = ?",
		"UPDATE people SET prefs = '[]' WHERE id = ?", "UPDATE kinds SET day = 'infinity' WHERE id = ?", // neither can be read
		"SAVEPOINT a; UPDATE people SET name = 'two' WHERE id = 2; RELEASE a -- ?",
	}).Draw(t, "text")
	n := rapid.IntRange(1, 3).Draw(t, "argument")
	if rapid.IntRange(0, 3).Draw(t, "returning") == 3 {
		text = rapid.SampledFrom([]string{
			"UPDATE people SET name = 'returning' WHERE id = ? RETURNING id, name", "DELETE FROM pets WHERE id = ? RETURNING *",
			"INSERT INTO notes (text) VALUES (?) RETURNING id",
		}).Draw(t, "returned")
		return step{calls: []call{on("Raw", lit(text), lit(n))}, finish: finisher{
			declare: "rows := new([]map[string]any)", source: ".Scan(rows)",
			run: func(db, _ *gorm.DB) found { v := new([]map[string]any); return of(db.Scan(v), v) },
		}}
	}
	return exec(text, n)
}

func exec(text string, n int) step {
	return step{finish: finisher{
		source: fmt.Sprintf(".Exec(%q, %d)", text, n), ordered: true,
		run: func(db, _ *gorm.DB) found { return of(db.Exec(text, n), nil) },
	}}
}

// drawTransaction draws several steps that are committed or rolled back together.
func drawTransaction(t *rapid.T, depth int) step {
	nested := make([]step, rapid.IntRange(1, 3).Draw(t, "steps"))
	for i := range nested {
		nested[i] = drawStep(t, depth+1)
	}
	return step{nested: nested, fails: rapid.IntRange(0, 2).Draw(t, "fails") == 2}
}

const maxNesting = 2

func drawStep(t *rapid.T, depth int) step {
	switch n := rapid.IntRange(0, 9).Draw(t, "step"); {
	case n < 5:
		return drawRead(t)
	case n < 9 || depth >= maxNesting:
		return drawWrite(t)
	default:
		return drawTransaction(t, depth)
	}
}

// drawProgram draws a program.
func drawProgram(t *rapid.T) program {
	return program{
		set:   rapid.SampledFrom(settings()).Draw(t, "setting"),
		steps: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step { return drawStep(t, 0) }), 1, 8).Draw(t, "steps"),
	}
}

// settings are few, as each has connections of its own.
func settings() []setting {
	return []setting{
		{},
		{Simple: true},
		{Prepare: true},
		{Skip: true, Fields: true},
		{Simple: true, Skip: true, Translate: true, Batch: 2},
		{Prepare: true, Skip: true, Fields: true, Translate: true, Batch: 2, Zone: "Asia/Kathmandu"},
	}
}
