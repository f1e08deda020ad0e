package tests_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// gadgets has a row of ordinary values, one of NULLs, two of values that do not fit the model, and one that was deleted.
const gadgets = `
CREATE TABLE gadgets (id bigint PRIMARY KEY, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, small bigint,
  number bigint, tiny bigint, positive bigint, "real" float8, exact numeric, single float4, flag bool, name text, kind text,
  level text, text_ptr text, number_ptr bigint, time_ptr timestamptz, float_ptr numeric, made timestamptz, raw bytea, maybe text,
  hidden text, part text);
INSERT INTO gadgets VALUES (1, '2024-01-01', '2024-01-02', NULL, -128, -9, 255, 18, 1.5, 2.25, 3.5, true, 'one', 'k', 'high', 'p', 7,
  '2024-01-03', 8.125, '2024-01-04', '\x00ff', 'm', 'h', 'part');
INSERT INTO gadgets (id) VALUES (2);
INSERT INTO gadgets VALUES (3, '2024-01-01', '2024-01-02', NULL, 300, 1, 1, 1, 1, 1, 1, true, 'three', 'k', 'low', 'p', 7,
  '2024-01-03', 8.125, '2024-01-04', '\x01', 'm', 'h', 'part');
INSERT INTO gadgets VALUES (4, '2024-01-01', '2024-01-02', NULL, 1, 1, 1, -1, 1, 'NaN', 1, false, 'four', 'k', 'low', 'p', 7,
  '2024-01-03', 8.125, '2024-01-04', '\x01', 'm', 'h', 'part');
INSERT INTO gadgets VALUES (5, '2024-01-01', '2024-01-02', '2024-02-01', 1, 1, 1, 1, 1, 1, 1, false, 'five', 'k', 'low', 'p', 7,
  '2024-01-03', 8.125, '2024-01-04', '\x01', 'm', 'h', 'part');
`

type gadgetKind string

// gadgetLevel scans itself.
type gadgetLevel int //nolint:recvcheck // as types of the kind are

func (l *gadgetLevel) Scan(v any) error {
	*l = 0
	if v == "high" {
		*l = 9
	}
	return nil
}

func (l gadgetLevel) Value() (driver.Value, error) { return strconv.Itoa(int(l)), nil }

// Models of one table: fields that are assigned, fields that are converted, and fields that do it themselves.
type (
	assignedGadget struct {
		gorm.Model
		Small     int8
		Number    int
		Tiny      uint8
		Positive  uint
		Real      float64
		Exact     float64
		Flag      bool
		Name      string
		Kind      gadgetKind
		TextPtr   *string
		NumberPtr *int64
		TimePtr   *time.Time
		FloatPtr  *float64
		Made      time.Time
		Hidden    string `gorm:"->:false;<-"` // not readable
	}
	convertedGadget struct {
		ID     int64
		Single float32
		Raw    []byte
		Number string
		Name   string
	}
	ownGadget struct {
		ID    int64
		Level gadgetLevel
		Maybe sql.NullString
		Name  string `gorm:"serializer:json"`
	}
	gadgetPart     struct{ Part, Name string }
	embeddedGadget struct {
		ID         int64
		gadgetPart `gorm:"embedded"`
		*NamedPart `gorm:"embedded"`
	}
	NamedPart    struct{ Kind string }
	hookedGadget struct { //nolint:recvcheck // as models are
		ID   int64
		Name string
		Seen int `gorm:"-"`
	}
)

func (assignedGadget) TableName() string  { return "gadgets" }
func (convertedGadget) TableName() string { return "gadgets" }
func (ownGadget) TableName() string       { return "gadgets" }
func (embeddedGadget) TableName() string  { return "gadgets" }
func (hookedGadget) TableName() string    { return "gadgets" }

func (g *hookedGadget) AfterFind(*gorm.DB) error {
	g.Seen++
	if g.ID == 2 {
		return errors.New("not this one")
	}
	return nil
}

// destinations are what GORM is asked to fill with rows of a model.
func destinations[T any](prefill func(*T)) map[string]func(db *gorm.DB) (any, *gorm.DB) {
	return map[string]func(db *gorm.DB) (any, *gorm.DB){
		"a model": func(db *gorm.DB) (any, *gorm.DB) { var v T; tx := db.First(&v); return v, tx },
		"a model with values": func(db *gorm.DB) (any, *gorm.DB) {
			var v T
			prefill(&v)
			tx := db.Take(&v)
			return v, tx
		},
		"a new model":     func(db *gorm.DB) (any, *gorm.DB) { v := new(T); tx := db.Last(v); return v, tx },
		"a nil pointer":   func(db *gorm.DB) (any, *gorm.DB) { var v *T; tx := db.Take(&v); return v, tx },
		"a slice":         func(db *gorm.DB) (any, *gorm.DB) { var v []T; tx := db.Order("id").Find(&v); return v, tx },
		"a pointer slice": func(db *gorm.DB) (any, *gorm.DB) { var v []*T; tx := db.Order("id").Find(&v); return v, tx },
		"a slice with room": func(db *gorm.DB) (any, *gorm.DB) {
			v := make([]T, 3, 8)
			for i := range v {
				prefill(&v[i])
			}
			tx := db.Order("id").Find(&v)
			return v, tx
		},
		"a pointer slice with little room": func(db *gorm.DB) (any, *gorm.DB) {
			v := make([]*T, 1)
			tx := db.Order("id").Find(&v)
			return v, tx
		},
		"an array": func(db *gorm.DB) (any, *gorm.DB) { var v [3]T; tx := db.Order("id").Find(&v); return v, tx },
		"batches": func(db *gorm.DB) (any, *gorm.DB) {
			var v, all []T
			tx := db.FindInBatches(&v, 2, func(*gorm.DB, int) error { all = append(all, v...); return nil })
			return all, tx
		},
		"a generic model": func(db *gorm.DB) (any, *gorm.DB) {
			v, err := gorm.G[T](db).First(context.Background())
			return v, &gorm.DB{Error: err}
		},
	}
}

// questions are the queries whose rows are put into each destination.
func questions() map[string]func(*gorm.DB) *gorm.DB {
	where := func(condition string, args ...any) func(*gorm.DB) *gorm.DB {
		return func(db *gorm.DB) *gorm.DB { return db.Where(condition, args...) }
	}
	return map[string]func(*gorm.DB) *gorm.DB{
		"ordinary":      where("id = ?", 1),
		"NULLs":         where("id = ?", 2),
		"too great":     where("id = ?", 3),
		"negative":      where("id = ?", 4),
		"deleted":       where("id = ?", 5),
		"none":          where("id = ?", 99),
		"several":       where("id IN ?", []int{1, 2}),
		"all":           where("id < ?", 100),
		"some columns":  func(db *gorm.DB) *gorm.DB { return db.Select("id", "name").Where("id = ?", 1) },
		"one column":    func(db *gorm.DB) *gorm.DB { return db.Select("id").Where("id = ?", 1) },
		"more columns":  func(db *gorm.DB) *gorm.DB { return db.Select("*, 1 AS extra, 2 AS a__b").Where("id < ?", 3) },
		"twice":         func(db *gorm.DB) *gorm.DB { return db.Select("id, name, 'again' AS name").Where("id = ?", 1) },
		"by field name": func(db *gorm.DB) *gorm.DB { return db.Select(`id AS "ID", name AS "Name"`).Where("id = ?", 1) },
		"mapped": func(db *gorm.DB) *gorm.DB {
			return db.Select("id, kind").MapColumns(map[string]string{"kind": "name"}).Where("id = ?", 1)
		},
	}
}

func gadgetCases[T any](t *testing.T, plain, cached *handle, prefill func(*T)) {
	t.Helper()
	for question, ask := range questions() {
		for destination, into := range destinations(prefill) {
			name := fmt.Sprintf("%T, %s, %s", *new(T), question, destination)
			read := func(db *gorm.DB) string {
				v, tx := into(ask(db.Unscoped()).Session(&gorm.Session{}))
				if tx.Error != nil { // GORM then leaves in a model what was in its pool
					return fmt.Sprintf("%d %v", tx.RowsAffected, tx.Error)
				}
				if v := reflect.ValueOf(v); v.Kind() == reflect.Slice && v.IsNil() {
					return fmt.Sprintf("nil %+v %d %v", v, tx.RowsAffected, tx.Error)
				}
				return fmt.Sprintf("%s %d %v", inFull(v), tx.RowsAffected, tx.Error)
			}
			want := read(plain.DB)
			for range 3 { // from the database, and from Redis
				require.Equal(t, want, read(cached.DB), name)
			}
		}
	}
	require.NotZero(t, cached.outcomes()[metrics.Hit])
}

// inFull prints what pointers point to.
func inFull(v any) string {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Pointer:
		if r.IsNil() {
			return "nil"
		}
		return "&" + inFull(r.Elem().Interface())
	case reflect.Slice, reflect.Array:
		if r.Type().Elem().Kind() == reflect.Uint8 {
			return fmt.Sprintf("%#v", v)
		}
		var parts []string
		for i := range r.Len() {
			parts = append(parts, inFull(r.Index(i).Interface()))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Struct:
		if at, ok := v.(time.Time); ok {
			return at.String()
		}
		var parts []string
		for i := range r.NumField() {
			if r.Type().Field(i).IsExported() {
				parts = append(parts, r.Type().Field(i).Name+": "+inFull(r.Field(i).Interface()))
			}
		}
		return r.Type().Name() + "{" + strings.Join(parts, ", ") + "}"
	default:
		return fmt.Sprintf("%#v", v)
	}
}

// Whoever fills the destination, GORM or the plugin itself, it holds the same values, in the same places, after the same errors.
func TestModelsAreFilledAsGORMDoesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate()
	for _, text := range splitStatements(gadgets) {
		require.NoError(t, plain.Exec(text).Error, text)
	}
	text, number, at := "before", int64(5), time.Unix(1, 0)
	t.Run("assigned", func(t *testing.T) {
		t.Parallel()
		gadgetCases(t, plain, w.cached(), func(g *assignedGadget) {
			*g = assignedGadget{
				Model: gorm.Model{CreatedAt: at, DeletedAt: gorm.DeletedAt{Time: at, Valid: true}}, Small: 5, Number: 5, Tiny: 5,
				Positive: 5, Real: 5, Exact: 5, Flag: true, Name: text, Kind: "before", TextPtr: &text, NumberPtr: &number, TimePtr: &at,
				Made: at, Hidden: text,
			}
		})
	})
	t.Run("converted", func(t *testing.T) {
		t.Parallel()
		gadgetCases(t, plain, w.cached(), func(g *convertedGadget) {
			*g = convertedGadget{Single: 5, Raw: []byte("before"), Number: "before", Name: "before"}
		})
	})
	t.Run("own", func(t *testing.T) {
		t.Parallel()
		gadgetCases(t, plain, w.cached(), func(g *ownGadget) {
			*g = ownGadget{Level: 5, Maybe: sql.NullString{String: "before", Valid: true}, Name: "before"}
		})
	})
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		gadgetCases(t, plain, w.cached(), func(g *embeddedGadget) { g.Name = "before" })
	})
	t.Run("hooked", func(t *testing.T) {
		t.Parallel()
		gadgetCases(t, plain, w.cached(), func(g *hookedGadget) { g.Name, g.Seen = "before", 3 })
	})
}

// A schema whose setters somebody has replaced is left to them.
func TestReplacedSettersAreUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.migrate(&member{})
	require.NoError(t, w.plain().Create(&member{ID: 1, Name: "a"}).Error)
	h := w.cached()
	stmt := &gorm.Statement{DB: h.DB}
	require.NoError(t, stmt.Parse(&member{}))
	field := stmt.Schema.LookUpField("name")
	set := field.Set
	field.Set = func(ctx context.Context, v reflect.Value, value any) error {
		if err := set(ctx, v, value); err != nil {
			return err
		}
		return set(ctx, v, "set: "+field.ReflectValueOf(ctx, v).String())
	}
	for range 3 {
		var m member
		require.NoError(t, h.First(&m, 1).Error)
		require.Equal(t, "set: a", m.Name)
	}
}
