package differential_test

import (
	"database/sql"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"pgregory.net/rapid"
)

// A subject is a model that programs are about.
type subject struct {
	name, table string
	key         string
	one, many   func() any
	columns     []column
	// joins are associations to one row, preloads all of them.
	joins, preloads []string
	// examples are structs to look for.
	examples []arg
	readOnly bool
}

// A column has values to look for.
type column struct {
	name   string
	values []any
}

func subjects() []subject {
	return []subject{
		{
			name: "person", table: "people", key: "id",
			one: func() any { return new(person) }, many: func() any { return new([]person) },
			columns: []column{
				{"id", []any{1, 2, 3, 4, 9, "2", int64(5), uint8(1)}},
				{"name", []any{"ada", "Ada", "", "naïve 🦉", "nobody"}},
				{"age", []any{17, 36, nil, sql.NullInt64{}, 0, "36"}},
				{"email", []any{"ada@x", "", nil}},
				{"home_city", []any{"Rome", ""}},
				{"company_code", []any{"acme", "ACME", "Bolt", nil}},
				{"boss_id", []any{1, nil, 3}},
				{"created_at", []any{time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}},
			},
			joins: []string{"Company", "Boss", "Passport", "Boss.Company"},
			preloads: []string{
				"Company", "Pets", "Clubs", "Team", "Boss", "Passport", "Notes", "Team.Pets", "Company.People", "Boss.Company", clause.Associations,
			},
			examples: []arg{
				expr(`person{Name: "ada"}`, func() any { return person{Name: "ada"} }),
				expr(`&person{ID: 2}`, func() any { return &person{ID: 2} }),
				expr(`person{Name: "new", Home: address{City: "Rome"}}`, func() any { return person{Name: "new", Home: address{City: "Rome"}} }),
			},
		},
		{
			name: "pet", table: "pets", key: "id",
			one: func() any { return new(pet) }, many: func() any { return new([]pet) },
			columns: []column{
				{"id", []any{1, 2, 5, 9, int64(3)}},
				{"kind", []any{"cat", species("dog"), nil}},
				{"owner_id", []any{1, 2, nil}},
				{"name", []any{"tom", "rex", ""}},
				{"weight", []any{4.5, 0, nil, "NaN"}},
			},
			joins: []string{"Owner", "Owner.Company"}, preloads: []string{"Owner", "Notes", "Owner.Pets", "Owner.Clubs"},
			examples: []arg{expr(`pet{Kind: "cat"}`, func() any { return pet{Kind: "cat"} })},
		},
		{
			name: "company", table: "companies", key: "code",
			one: func() any { return new(company) }, many: func() any { return new([]*company) },
			columns:  []column{{"code", []any{"acme", "ACME", "Bolt", "zß", "nil"}}, {"title", []any{"Acme", ""}}},
			preloads: []string{"People", "People.Pets", "People.Boss"},
			examples: []arg{expr(`company{Code: "acme"}`, func() any { return company{Code: "acme"} })},
		},
		{
			name: "club", table: "clubs", key: "country, no",
			one: func() any { return new(club) }, many: func() any { return new([]club) },
			columns:  []column{{"country", []any{"de", "DE", "fr"}}, {"no", []any{1, 2, "1"}}, {"title", []any{"one"}}},
			preloads: []string{"People", "People.Passport"},
			examples: []arg{expr(`club{Country: "de", No: 1}`, func() any { return club{Country: "de", No: 1} })},
		},
		{
			name: "kind", table: "kinds", key: "id",
			one: func() any { return new(kind) }, many: func() any { return new([]kind) },
			columns: []column{
				{"id", []any{1, 2, 3, 4}},
				{"small", []any{1, int16(-32768)}},
				{"number", []any{"0.1", "NaN", 0.1}},
				{"text", []any{"text", "NULL"}},
				{"padded", []any{"ab", code("ab   ")}},
				{"bytes", []any{[]byte{0, 255}, []byte{}}},
				{"doc", []any{document(`{"a":[true],"b":1}`)}},
				{"unique", []any{"A0EEBC99-9c0b4ef8bb6d6bb9bd380a11", identifier{}}},
				{"mood", []any{"cat", species("owl")}},
				{"level", []any{level(3), 0}},
				{"sealed", []any{sealed{text: "secret"}}},
				{"flag", []any{true, false}},
				{"zoned", []any{time.Date(2024, 2, 29, 7, 19, 56, 789e6, time.UTC)}},
				{"wait", []any{time.Duration(1500), 0}},
				{"maybe", []any{sql.Null[string]{V: "maybe", Valid: true}, nil}},
				{"twice", []any{2}},
			},
			examples: []arg{expr(`kind{Small: 7}`, func() any { return kind{Small: 7} })},
		},
		{
			name: "rarity", table: "rarities", key: "id",
			one: func() any { return new(rarity) }, many: func() any { return new([]*rarity) },
			columns: []column{
				{"id", []any{1, 2, 3, uint64(1)}},
				{"tiny", []any{-128, int8(1)}},
				{"big", []any{uint64(9223372036854775807), 1}},
				{"since", []any{"infinity", moment{text: "infinity"}, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)}},
				{"until", []any{moment{text: "-infinity"}, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)}},
				{"sums", []any{"{1.10,NaN}", nil}},
				{"moods", []any{"{cat,owl}"}},
				{"stay", []any{"empty"}},
				{"couple", []any{"(1,\"a b\")"}},
				{"positive", []any{7, -1}},
				{"cipher", []any{cipher("secret"), "secret"}},
				{"seen", []any{sql.NullTime{}, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}},
				{"exact", []any{sql.NullFloat64{Float64: 1.5, Valid: true}, "NaN"}},
				{"work_city", []any{"Rome", nil}},
				{"once", []any{"once", ""}},
				{"given", []any{"x", "given"}},
			},
			examples: []arg{
				expr(`rarity{ID: 7, Tiny: 1, Work: &address{City: "Bari"}}`, func() any {
					return rarity{ID: 7, Tiny: 1, Work: &address{City: "Bari"}}
				}),
			},
		},
		{
			name: "note", table: "notes", key: "id",
			one: func() any { return new(note) }, many: func() any { return new([]note) },
			columns:  []column{{"id", []any{1, 2, 4}}, {"subject_id", []any{1, 2}}, {"subject_type", []any{"people", "pets", ""}}, {"text", []any{"hi", ""}}},
			examples: []arg{expr(`note{SubjectType: "pets"}`, func() any { return note{SubjectType: "pets"} })},
		},
		{
			name: "membership", table: "memberships", key: "person_id, club_country, club_no",
			one: func() any { return new(membership) }, many: func() any { return new([]membership) },
			columns:  []column{{"person_id", []any{1, 2, 3}}, {"club_country", []any{"de", "DE"}}, {"club_no", []any{1}}, {"since", []any{"always", ""}}},
			examples: []arg{expr(`membership{PersonID: 1}`, func() any { return membership{PersonID: 1} })},
		},
		{
			name: "adult", table: "adults", key: "id", readOnly: true,
			one: func() any { return new(adult) }, many: func() any { return new([]adult) },
			columns:  []column{{"id", []any{1, 2}}, {"name", []any{"ada"}}, {"pets", []any{2, 0}}},
			examples: []arg{expr(`adult{Name: "ada"}`, func() any { return adult{Name: "ada"} })},
		},
	}
}

func drawSubject(t *rapid.T) subject { return rapid.SampledFrom(subjects()).Draw(t, "subject") }

// GoString keeps what rapid prints short.
func (s subject) GoString() string { return s.name }

func (s subject) empty() arg { return expr("&"+s.name+"{}", s.one) }

// drawColumn draws a column, as it is written in a chain with joins or without, and a value.
func (s subject) drawColumn(t *rapid.T, joined bool) (name string, value arg) {
	c := rapid.SampledFrom(s.columns).Draw(t, "column")
	v := lit(rapid.SampledFrom(c.values).Draw(t, "value"))
	if joined {
		return s.table + "." + c.name, v
	}
	return c.name, v
}

// drawCondition draws the arguments of Where, Or and Not.
func (s subject) drawCondition(t *rapid.T, joined bool) []arg {
	name, value := s.drawColumn(t, joined)
	switch rapid.IntRange(0, 12).Draw(t, "condition") {
	case 0, 1, 2:
		return append(lits(name+" = ?"), value)
	case 3:
		return append(lits(name+" IN ?"), s.drawList(t))
	case 4:
		return append(lits(name+" <> ?"), value)
	case 5:
		return lits(name + " IS NULL")
	case 6:
		v := value
		return []arg{{
			source: fmt.Sprintf("map[string]any{%q: %s}", name, v.source),
			value:  func(db *gorm.DB) any { return map[string]any{name: v.value(db)} },
		}}
	case 7:
		return []arg{rapid.SampledFrom(s.examples).Draw(t, "example")}
	case 8:
		v := value
		return []arg{{
			source: fmt.Sprintf("clause.Eq{Column: %q, Value: %s}", name, v.source),
			value:  func(db *gorm.DB) any { return clause.Eq{Column: name, Value: v.value(db)} },
		}}
	case 9:
		return []arg{s.drawGroup(t, joined)}
	case 10:
		return append(lits(name+" = @v OR "+name+" > @v"), arg{
			source: `sql.Named("v", ` + value.source + ")",
			value:  func(db *gorm.DB) any { return sql.Named("v", value.value(db)) },
		})
	case 11:
		return append(lits(s.table+"."+s.columns[0].name+" IN (?)"), s.subquery(t))
	default:
		return lits(s.table + "." + s.columns[0].name + " IS NOT NULL")
	}
}

// drawList draws a few values of the key.
func (s subject) drawList(t *rapid.T) arg {
	if _, text := s.columns[0].values[0].(string); !text {
		return lit(rapid.SliceOfN(rapid.IntRange(1, 6), 0, 4).Draw(t, "keys"))
	}
	return lit(rapid.SliceOfN(rapid.SampledFrom([]string{"acme", "Bolt", "de", "none"}), 0, 3).Draw(t, "keys"))
}

// drawGroup draws conditions in parentheses.
func (s subject) drawGroup(t *rapid.T, joined bool) arg {
	a, v := s.drawColumn(t, joined)
	b, w := s.drawColumn(t, joined)
	return arg{
		source: fmt.Sprintf("db.Where(%q, %s).Or(%q, %s)", a+" = ?", v.source, b+" = ?", w.source),
		value: func(db *gorm.DB) any {
			return db.Where(a+" = ?", v.value(db)).Or(b+" = ?", w.value(db))
		},
	}
}

// subquery draws a query of the key's column in another table.
func (s subject) subquery(t *rapid.T) arg {
	from := map[string]string{
		"people": "SELECT owner_id FROM pets WHERE kind = 'cat'", "pets": "SELECT id FROM pets WHERE owner_id IN (SELECT id FROM people)",
		"companies": "SELECT company_code FROM people WHERE age > 18", "clubs": "SELECT club_country FROM memberships",
		"kinds": "SELECT id FROM kinds WHERE small > 0", "adults": "SELECT boss_id FROM people",
		"rarities": "SELECT id FROM rarities WHERE tiny > 0", "notes": "SELECT id FROM pets", "memberships": "SELECT id FROM people",
	}[s.table]
	if rapid.Bool().Draw(t, "by chain") && s.table == "people" {
		return arg{
			source: `db.Model(&pet{}).Select("owner_id").Where("kind = ?", "cat")`,
			value:  func(db *gorm.DB) any { return db.Model(&pet{}).Select("owner_id").Where("kind = ?", "cat") },
		}
	}
	return arg{
		source: fmt.Sprintf("gorm.Expr(%q)", from),
		value:  func(*gorm.DB) any { return gorm.Expr(from) },
	}
}
