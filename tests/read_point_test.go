package tests_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

type member struct {
	ID      int
	Name    string
	Age     int
	Deleted gorm.DeletedAt
}

func (w *world) members(n int) *handle {
	w.t.Helper()
	h := w.migrate(&member{})
	rows := make([]member, n)
	for i := range rows {
		rows[i] = member{Name: fmt.Sprintf("m%d", i+1), Age: 20 + i}
	}
	require.NoError(w.t, h.Create(&rows).Error)
	return h
}

func nameOf(t testing.TB, db *gorm.DB, id int) string {
	t.Helper()
	var m member
	require.NoError(t, db.First(&m, id).Error)
	return m.Name
}

// All spellings of a lookup by primary key share the entry of the row.
func TestPointLookupsShareOneEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 2).Error) })
	two := 2
	for name, read := range map[string]func(*gorm.DB, *member) error{
		"First":         func(db *gorm.DB, m *member) error { return db.First(m, 2).Error },
		"First string":  func(db *gorm.DB, m *member) error { return db.First(m, "2").Error },
		"First cond":    func(db *gorm.DB, m *member) error { return db.First(m, "id = ?", 2).Error },
		"Last":          func(db *gorm.DB, m *member) error { return db.Last(m, 2).Error },
		"Take":          func(db *gorm.DB, m *member) error { return db.Take(m, 2).Error },
		"Find":          func(db *gorm.DB, m *member) error { return db.Find(m, 2).Error },
		"Find slice":    func(db *gorm.DB, m *member) error { return db.Find(m, []int{2}).Error },
		"Where":         func(db *gorm.DB, m *member) error { return db.Where("id = ?", 2).First(m).Error },
		"Where uint8":   func(db *gorm.DB, m *member) error { return db.Where("id = ?", uint8(2)).First(m).Error },
		"Where pointer": func(db *gorm.DB, m *member) error { return db.Where("id = ?", &two).First(m).Error },
		"Where table":   func(db *gorm.DB, m *member) error { return db.Where("members.id = ?", 2).First(m).Error },
		"Where IN":      func(db *gorm.DB, m *member) error { return db.Where("id IN ?", []int{2}).First(m).Error },
		"Where struct":  func(db *gorm.DB, m *member) error { return db.Where(&member{ID: 2}).First(m).Error },
		"Where map":     func(db *gorm.DB, m *member) error { return db.Where(map[string]any{"id": 2}).First(m).Error },
		"Where column":  func(db *gorm.DB, m *member) error { return db.Where("id", 2).First(m).Error },
		"model's key":   func(db *gorm.DB, m *member) error { m.ID = 2; return db.First(m).Error },
		"ordered":       func(db *gorm.DB, m *member) error { return db.Order("name desc").First(m, 2).Error },
		"generics": func(db *gorm.DB, m *member) (err error) {
			*m, err = gorm.G[member](db).Where("id = ?", 2).First(t.Context())
			return err
		},
	} {
		var m member
		e := h.log.read(t, func() {
			require.Empty(t, h.sql.during(func() { require.NoError(t, read(h.DB, &m), name) }), name)
		})
		require.Equal(t, "m2", m.Name, name)
		require.Equal(t, metrics.Hit, e.Outcome, name)
		require.Equal(t, metrics.Row, e.Kind, name)
		require.Contains(t, e.Key, "members:2", name)
	}
}

// What is not a lookup of the row as it is must not be answered by the row's entry.
func TestQueriesThatOnlyLookLikePointLookupsAreNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(3)
	require.NoError(t, plain.Delete(&member{}, 3).Error)
	h := w.cached()
	for id := 1; id <= 3; id++ {
		h.warm(t, func(db *gorm.DB) { db.Find(&member{}, id) })
		h.warm(t, func(db *gorm.DB) { db.Unscoped().Find(&member{}, id) })
	}
	for name, read := range map[string]func(*gorm.DB) any{
		"other condition": func(db *gorm.DB) any { var m []member; db.Where("age > ?", 20).Find(&m, []int{1, 2}); return m },
		"or":              func(db *gorm.DB) any { var m []member; db.Where("id = ?", 1).Or("age = ?", 21).Find(&m); return m },
		"not":             func(db *gorm.DB) any { var m []member; db.Not("id = ?", 1).Find(&m); return m },
		"limit":           func(db *gorm.DB) any { var m []member; db.Order("id desc").Limit(1).Find(&m, []int{1, 2}); return m },
		"offset":          func(db *gorm.DB) any { var m []member; db.Order("id").Offset(1).Find(&m, []int{1, 2}); return m },
		"select":          func(db *gorm.DB) any { var m member; db.Select("id", "age").First(&m, 1); return m },
		"omit":            func(db *gorm.DB) any { var m member; db.Omit("name").First(&m, 1); return m },
		"count":           func(db *gorm.DB) any { var n int64; db.Model(&member{}).Where("id = ?", 1).Count(&n); return n },
		"unscoped":        func(db *gorm.DB) any { var m []member; db.Unscoped().Find(&m, []int{1, 3}); return m },
		"deleted":         func(db *gorm.DB) any { var m []member; db.Find(&m, []int{1, 3}); return m },
		"distinct":        func(db *gorm.DB) any { var m []member; db.Distinct("age").Find(&m, []int{1, 2}); return m },
		"group": func(db *gorm.DB) any {
			var m []member
			db.Select("age").Group("age").Order("age").Find(&m, []int{1, 2})
			return m
		},
		"descending": func(db *gorm.DB) any { var m []member; db.Order("id desc").Find(&m, []int{1, 2}); return m },
		"by name":    func(db *gorm.DB) any { var m []member; db.Order("name desc").Find(&m, []int{1, 2}); return m },
		"alias": func(db *gorm.DB) any {
			var m []member
			db.Table("members AS x").Where("x.id = ?", 1).Find(&m)
			return m
		},
		"model's key does not limit": func(db *gorm.DB) any {
			var m member
			db.Model(&member{ID: 2}).Order("members.id").First(&m)
			return m
		},
	} {
		want := read(plain.DB)
		for range 3 {
			require.Equal(t, want, read(h.DB), name)
		}
	}
}

func TestLookupOfManyAsksOnlyForTheMissing(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]option{
		"extended protocol": nil,
		"prepared":          {withGORM(func(c *gorm.Config) { c.PrepareStmt = true })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(50)
			h := w.cached(options...)
			ids := make([]int, 50)
			for i := range ids {
				ids[i] = i + 1
			}
			h.warm(t, func(db *gorm.DB) { db.Find(&[]member{}, ids[:47]) })
			var ms []member
			sent := h.sql.during(func() { require.NoError(t, h.Where("age > ?", 0).Find(&[]member{}, ids).Error) })
			require.Len(t, sent, 1) // another condition: none of them is cached
			require.Contains(t, sent[0], "$50")
			sent = h.sql.during(func() { require.NoError(t, h.Find(&ms, ids).Error) })
			require.Len(t, sent, 1)
			require.Contains(t, sent[0], "IN ($1,$2,$3)")
			require.NotContains(t, sent[0], "$4")
			require.Len(t, ms, 50)
			for i, m := range ms {
				require.Equal(t, i+1, m.ID)
				require.Equal(t, fmt.Sprintf("m%d", i+1), m.Name)
			}
			require.Empty(t, h.sql.during(func() { require.NoError(t, h.Find(&ms, ids).Error) }))
		})
	}
}

func TestLookupOfManyWithOtherConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(10)
	h := w.cached()
	find := func(db *gorm.DB, ids []int) []member {
		var ms []member
		require.NoError(t, db.Where("age >= ?", 22).Where("id IN ?", ids).Where("name <> ?", "m5").Order("id").Find(&ms).Error)
		return ms
	}
	for _, ids := range [][]int{{1, 2, 3, 4}, {3, 4, 5, 6}, {1, 2, 3, 4, 5, 6, 7, 7, 7, 99}, {99}} {
		require.Equal(t, find(plain.DB, ids), find(h.DB, ids))
		h.warm(t, func(db *gorm.DB) { require.Equal(t, find(plain.DB, ids), find(db, ids)) })
	}
}

// A lookup restricts rows by other arguments, too: another argument is another answer.
func TestLookupsWhoseOtherArgumentsDiffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(4)
	h := w.cached()
	for name, read := range map[string]func(db *gorm.DB, age int) *gorm.DB{
		"simple": func(db *gorm.DB, age int) *gorm.DB { return db.Where("id = ? AND age = ?", 2, age) },
		"not":    func(db *gorm.DB, age int) *gorm.DB { return db.Where("age <> ?", age).Where("id = ?", 2) },
		"rows": func(db *gorm.DB, age int) *gorm.DB {
			return db.Where("id IN ?", []int{1, 2, 3, 4}).Where("age > ?", age)
		},
		"or":       func(db *gorm.DB, age int) *gorm.DB { return db.Where("id = ? AND (age = ? OR name = ?)", 2, age, "x") },
		"between":  func(db *gorm.DB, age int) *gorm.DB { return db.Where("id = ? AND age BETWEEN ? AND ?", 2, 20, age) },
		"unscoped": func(db *gorm.DB, age int) *gorm.DB { return db.Unscoped().Where("id = ? AND age < ?", 2, age) },
	} {
		for _, age := range []int{20, 21, 22, 99} {
			agreesFromCache(t, plain, h, fmt.Sprint(name, age), func(db *gorm.DB) any {
				var found []member
				require.NoError(t, read(db, age).Order("id").Find(&found).Error)
				return found
			})
		}
	}
}

func TestRowThatIsNotThereIsCachedToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h, other := w.cached(), w.cached()
	absent := func(db *gorm.DB) { require.ErrorIs(t, db.First(&member{}, 2).Error, gorm.ErrRecordNotFound) }
	h.warm(t, absent)
	require.Empty(t, h.sql.during(func() { absent(h.DB) }))
	require.NoError(t, other.Create(&member{Name: "new"}).Error)
	var m member
	require.NoError(t, h.First(&m, 2).Error)
	require.Equal(t, "new", m.Name)
}

type seat struct {
	Hall string `gorm:"primaryKey"`
	No   int    `gorm:"primaryKey"`
	Name string
}

// A row of unknown key makes what is known of absent rows old: a lookup of several rows, one of them absent, is cached
// again afterwards.
func TestLookupOfAbsentRowsIsCachedAgainAfterARowOfUnknownKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	h := w.cached()
	lookup := func(db *gorm.DB) []member {
		var found []member
		require.NoError(t, db.Order("id").Find(&found, []int{1, 2, 3}).Error)
		return found
	}
	h.warm(t, func(db *gorm.DB) { require.Len(t, lookup(db), 2) })
	require.NoError(t, h.Exec("INSERT INTO members (name) VALUES ('m3')").Error)
	require.Len(t, lookup(h.DB), 3)
	h.warm(t, func(db *gorm.DB) { require.Len(t, lookup(db), 3) })
}

func TestCompositeKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&seat{})
	require.NoError(t, plain.Create(&[]seat{{"a", 1, "x"}, {"a", 2, "y"}, {"b", 1, "z"}, {"a:1", 1, "w"}}).Error)
	h := w.cached()
	for name, read := range map[string]func(*gorm.DB) any{
		"where":  func(db *gorm.DB) any { var s seat; db.Where("hall = ? AND no = ?", "a", 2).First(&s); return s },
		"struct": func(db *gorm.DB) any { var s seat; db.Where(&seat{Hall: "b", No: 1}).First(&s); return s },
		"tuples": func(db *gorm.DB) any {
			var s []seat
			db.Where("(hall, no) IN ?", [][]any{{"a", 1}, {"b", 1}, {"c", 9}}).Find(&s)
			return s
		},
		"in": func(db *gorm.DB) any {
			var s []seat
			db.Where("hall = ? AND no IN ?", "a", []int{1, 2}).Find(&s)
			return s
		},
		"colon": func(db *gorm.DB) any { var s seat; db.Where("hall = ? AND no = ?", "a:1", 1).First(&s); return s },
	} {
		want := read(plain.DB)
		h.warm(t, func(db *gorm.DB) { require.Equal(t, want, read(db), name) })
		e := h.log.read(t, func() { require.Equal(t, want, read(h.DB), name) })
		require.Equal(t, metrics.Row, e.Kind, name)
	}
	require.NoError(t, w.cached().Model(&seat{Hall: "a", No: 2}).Update("name", "changed").Error)
	var s seat
	require.NoError(t, h.Where("hall = ? AND no = ?", "a", 2).First(&s).Error)
	require.Equal(t, "changed", s.Name)
}

// Of several rows with composite keys, too, only those that are missing are asked for where the text can say so; and
// where it cannot, what was missing is there the next time.
func TestLookupOfManyCompositeKeys(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		query string
		args  []any
		sent  string
	}{
		"one list":  {"hall = ? AND no IN ?", []any{"a", []int{1, 2, 3}}, "no IN ($2,$3)"},
		"tuples":    {"(hall, no) IN ?", []any{[][]any{{"a", 1}, {"a", 2}, {"a", 3}}}, "IN (($1,$2),($3,$4))"},
		"two lists": {"hall IN ? AND no IN ?", []any{[]string{"a", "b"}, []int{1, 2}}, "no IN ($3,$4)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.migrate(&seat{})
			require.NoError(t, plain.Create(&[]seat{{"a", 1, "x"}, {"a", 2, "y"}, {"a", 3, "z"}, {"b", 1, "w"}}).Error)
			h := w.cached()
			h.warm(t, func(db *gorm.DB) { db.Where("hall = ? AND no = ?", "a", 2).Find(&[]seat{}) })
			find := func(db *gorm.DB) (s []seat) {
				require.NoError(t, db.Where(test.query, test.args...).Find(&s).Error)
				return s
			}
			sent := h.sql.during(func() { require.ElementsMatch(t, find(plain.DB), find(h.DB)) })
			require.Len(t, sent, 1)
			require.Contains(t, sent[0], test.sent)
			h.warm(t, func(db *gorm.DB) { require.ElementsMatch(t, find(plain.DB), find(db)) })
		})
	}
}

type document struct {
	ID   string `gorm:"primaryKey;type:uuid;default:gen_random_uuid()"`
	Text string
}

func TestUUIDKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&document{})
	d := document{Text: "old"}
	require.NoError(t, plain.Create(&d).Error)
	h, other := w.cached(), w.cached()
	read := func(db *gorm.DB) { require.NoError(t, db.First(&document{}, "id = ?", d.ID).Error) }
	h.warm(t, read)
	// Another spelling of the same key.
	require.NoError(t, other.Model(&document{}).Where("id = ?", "{"+strings.ToUpper(d.ID)+"}").Update("text", "new").Error)
	var got document
	require.NoError(t, h.First(&got, "id = ?", d.ID).Error)
	require.Equal(t, "new", got.Text)
}
