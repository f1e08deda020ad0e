package plugins_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/datatypes"
	"gorm.io/gorm"
)

type traits struct {
	Color string
	Size  map[string]int
	Notes []any
}

// document has a column of each type.
type document struct {
	ID       int `gorm:"primaryKey;autoIncrement:false"`
	Raw      datatypes.JSON
	Optional *datatypes.JSON
	Traits   datatypes.JSONType[traits]
	Tags     datatypes.JSONSlice[string]
	Numbers  datatypes.JSONSlice[float64]
	Map      datatypes.JSONMap
	Day      datatypes.Date
	At       datatypes.Time
	UUID     datatypes.UUID
	Bin      datatypes.BinUUID
	Link     datatypes.URL
	Maybe    datatypes.Null[string]
	Number   datatypes.Null[int64]
}

func documents() []document {
	id := datatypes.UUID{0xde, 0xad, 0xbe, 0xef, 1, 2, 0x40, 3, 0x80, 4, 5, 6, 7, 8, 9, 10}
	link := datatypes.URL(url.URL{Scheme: "https", Host: "example.com", Path: "/a b", RawQuery: "q=1"})
	optional := datatypes.JSON(`[1, null, {"a": "b"}]`)
	return []document{
		{
			ID: 1, Raw: datatypes.JSON(`{"name": "one", "age": 20, "orgs": {"orga": "x"}, "tags": ["t1", "t2"], "big": 12345678901234567890}`),
			Optional: &optional,
			Traits:   datatypes.NewJSONType(traits{Color: "red", Size: map[string]int{"w": 1, "h": 2}, Notes: []any{"n", 1.5, nil}}),
			Tags:     datatypes.NewJSONSlice([]string{"a", "b"}), Numbers: datatypes.NewJSONSlice([]float64{0.1, 1e21}),
			Map: datatypes.JSONMap{"k": "v", "n": 1.5, "deep": map[string]any{"x": []any{true, nil}}},
			Day: datatypes.Date(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)), At: datatypes.NewTime(23, 59, 58, 0),
			UUID: id, Bin: datatypes.BinUUID(id), Link: link,
			Maybe: datatypes.NewNull("yes"), Number: datatypes.NewNull(int64(1) << 60),
		},
		{
			ID: 2, Raw: datatypes.JSON(`{"name": "two", "age": 30, "tags": []}`), Traits: datatypes.NewJSONType(traits{}),
			Tags: datatypes.NewJSONSlice([]string{}), Map: datatypes.JSONMap{}, Day: datatypes.Date(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)),
		},
		{ID: 3, Raw: datatypes.JSON(`"text"`)},
	}
}

// exactly prints a value with all its types, so that two that print the same are the same.
func exactly(tx *gorm.DB, v any) any {
	return fmt.Sprintf("%d %v %T %#v", tx.RowsAffected, tx.Error, v, v)
}

// documentReads are reads of rows, of each column, and by each expression.
func documentReads() map[string]func(*gorm.DB) any {
	reads := map[string]func(*gorm.DB) any{
		"list": func(db *gorm.DB) any {
			var d []document
			tx := db.Order("id").Find(&d)
			return []any{exactly(tx, nil), d}
		},
		"rows": func(db *gorm.DB) any {
			var d []document
			tx := db.Order("id").Find(&d, []int{1, 3, 9})
			return []any{exactly(tx, nil), d}
		},
		"row": func(db *gorm.DB) any { var d document; tx := db.First(&d, 1); return []any{exactly(tx, nil), d} },
		"map": func(db *gorm.DB) any {
			m := map[string]any{}
			tx := db.Model(&document{}).Where("id = 1").Take(&m)
			return []any{exactly(tx, nil), m}
		},
		"by UUID": func(db *gorm.DB) any {
			var d []document
			return []any{db.Where("uuid = ?", documents()[0].UUID).Find(&d).Error, d}
		},
		"by date": func(db *gorm.DB) any {
			var d []document
			return []any{db.Where("day = ?", documents()[0].Day).Find(&d).Error, d}
		},
		"by time": func(db *gorm.DB) any {
			var d []document
			return []any{db.Where("at = ?", documents()[0].At).Find(&d).Error, d}
		},
		"plucked": func(db *gorm.DB) any {
			var raw []datatypes.JSON
			var maps []datatypes.JSONMap
			var tags []datatypes.JSONSlice[string]
			return []any{
				db.Model(&document{}).Order("id").Pluck("raw", &raw).Error, raw,
				db.Model(&document{}).Where("id < 3").Order("id").Pluck("map", &maps).Error, maps,
				db.Model(&document{}).Where("id < 3").Order("id").Pluck("tags", &tags).Error, tags,
			}
		},
	}
	for name, expr := range map[string]any{
		"has key":         datatypes.JSONQuery("raw").HasKey("name"),
		"has deep key":    datatypes.JSONQuery("raw").HasKey("orgs", "orga"),
		"equals":          datatypes.JSONQuery("raw").Equals("one", "name"),
		"equals number":   datatypes.JSONQuery("raw").Equals(30, "age"),
		"equals deep":     datatypes.JSONQuery("raw").Equals("x", "orgs", "orga"),
		"likes":           datatypes.JSONQuery("raw").Likes("t%", "name"),
		"array contains":  datatypes.JSONArrayQuery("tags").Contains("b"),
		"equals in a map": datatypes.JSONQuery("map").Equals("v", "k"),
	} {
		reads[name] = func(db *gorm.DB) any {
			var d []document
			tx := db.Where(expr).Order("id").Find(&d)
			var n int64
			return []any{exactly(tx, nil), d, db.Model(&document{}).Where(expr).Count(&n).Error, n}
		}
	}
	return reads
}

func newDocuments(t *testing.T) (plain *handle, cached []*handle) {
	t.Helper()
	w := newWorld(t)
	plain = w.plain()
	require.NoError(t, plain.AutoMigrate(&document{}))
	rows := documents()
	require.NoError(t, plain.Create(&rows).Error)
	return plain, []*handle{w.cached(rediscacheFirst), w.cached(rediscacheFirst)}
}

// Values of each type come back from Redis as they come from the database: the same Go types, the same values.
func TestDatatypesAreTheSame(t *testing.T) {
	t.Parallel()
	plain, cached := newDocuments(t)
	found := 0
	for name, read := range documentReads() { //nolint:paralleltest // they share handles, which count what they send
		t.Run(name, func(t *testing.T) {
			agrees(t, plain, cached[0], read)
			found++
		})
	}
	require.Equal(t, len(documentReads()), found)
	// The expressions find what they should: else they would be compared with nothing.
	var d []document
	require.NoError(t, cached[0].Where(datatypes.JSONQuery("raw").Equals("x", "orgs", "orga")).Find(&d).Error)
	require.Len(t, d, 1)
	require.Equal(t, "red", d[0].Traits.Data().Color)
	require.Equal(t, documents()[0].UUID, d[0].UUID)
}

// What is written inside a document is seen at once, by all.
func TestWritesInsideDocumentsAreSeen(t *testing.T) {
	t.Parallel()
	plain, cached := newDocuments(t)
	reads := documentReads()
	readAll := func(db *gorm.DB) any {
		all := map[string]any{}
		for name, read := range reads {
			all[name] = read(db)
		}
		return all
	}
	h := cached[0]
	for name, write := range map[string]func() error{ //nolint:paralleltest // one after the other
		"JSONSet": func() error {
			return h.Model(&document{}).Where("id = ?", 1).UpdateColumn("raw", datatypes.JSONSet("raw").Set("{age}", 21)).Error
		},
		"JSONSet of a row": func() error {
			return h.Model(&document{ID: 1}).UpdateColumn("raw", datatypes.JSONSet("raw").Set("{orgs, orga}", "y")).Error
		},
		"JSONSet with a condition of JSON": func() error {
			return h.Model(&document{}).Where(datatypes.JSONQuery("raw").Equals("two", "name")).
				Update("raw", datatypes.JSONSet("raw").Set("{name}", "zwei").Set("{age}", 31)).Error
		},
		"save": func() error {
			d := documents()[0]
			d.Traits, d.Tags, d.UUID = datatypes.NewJSONType(traits{Color: "blue"}), datatypes.NewJSONSlice([]string{"c"}), datatypes.NewUUIDv4()
			return h.Save(&d).Error
		},
		"updates": func() error {
			return h.Model(&document{ID: 2}).Updates(document{
				Map: datatypes.JSONMap{"new": true}, At: datatypes.NewTime(1, 2, 3, 0), Maybe: datatypes.NewNull("now set"),
			}).Error
		},
		"update of a map": func() error {
			return h.Model(&document{ID: 3}).Updates(map[string]any{"raw": datatypes.JSON(`{"name": "three"}`), "number": 7}).Error
		},
		"create": func() error { d := documents()[0]; d.ID = 4; return h.Create(&d).Error },
		"delete by JSON": func() error {
			return h.Where(datatypes.JSONQuery("raw").HasKey("tags")).Where("id = 4 OR id = 2").Delete(&document{}).Error
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, h.Where("true").Delete(&document{}).Error)
			rows := documents()
			require.NoError(t, h.Create(&rows).Error)
			changes(t, plain, cached, readAll, write)
		})
	}
}
