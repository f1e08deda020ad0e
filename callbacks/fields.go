package callbacks

import (
	"database/sql"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
)

// A fieldKind says how a value gets into a field of a model: as GORM's own setter for fields of this kind has it.
type fieldKind uint8

const (
	ignored fieldKind = iota // the column has no field
	boolField
	intField
	uintField
	floatField
	stringField
	timeField
	timePointerField
	pointerField
	deletedAtField
)

// A field is where the values of a column go.
type field struct {
	kind  fieldKind
	index []int
	// keeps is set if NULL leaves the field as it is, as GORM does with some.
	keeps bool
}

// samples has a field of each kind.
type samples struct {
	Bool        bool
	Int         int64
	Uint        uint64
	Float       float64
	String      string
	Time        time.Time
	TimePointer *time.Time
	Pointer     *string
	DeletedAt   gorm.DeletedAt
}

// fieldKinds knows GORM's own setters. A schema's may be replaced by anybody; then the field is GORM's to fill.
type fieldKinds struct {
	setters map[fieldKind]uintptr
	values  uintptr // of GORM's way to a field of the model itself
	nested  uintptr // of its way to one of an embedded struct
}

func newFieldKinds() *fieldKinds {
	s, err := schema.Parse(&samples{}, &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		return &fieldKinds{} // no setter is known
	}
	k := &fieldKinds{setters: map[fieldKind]uintptr{}}
	for i, f := range s.Fields {
		k.setters[boolField+fieldKind(i)] = code(f.Set)
	}
	k.values = code(s.Fields[0].ReflectValueOf)
	if s, err := schema.Parse(&struct{ gorm.Model }{}, &sync.Map{}, schema.NamingStrategy{}); err == nil {
		k.nested = code(s.Fields[0].ReflectValueOf)
	}
	return k
}

// code identifies a function by its code: closures of one function literal have the same.
func code(function any) uintptr { return reflect.ValueOf(function).Pointer() }

// of returns how a field is filled; false, if that is GORM's affair.
func (k *fieldKinds) of(f *schema.Field) (field, bool) {
	kind, builtin := kindOfField(f.FieldType)
	if kind == ignored || f.Serializer != nil || code(f.Set) != k.setters[kind] {
		return field{}, false
	}
	if way := code(f.ReflectValueOf); way != k.values && way != k.nested {
		return field{}, false
	}
	for _, i := range f.StructField.Index {
		if i < 0 { // by way of a pointer
			return field{}, false
		}
	}
	return field{kind: kind, index: f.StructField.Index, keeps: builtin && kind != pointerField}, true
}

// kindOfField returns the kind of a field's type; ignored, if it is none that is known here. Builtin is false for types that
// are defined on top of one.
func kindOfField(t reflect.Type) (kind fieldKind, builtin bool) {
	switch t {
	case reflect.TypeFor[time.Time]():
		return timeField, true
	case reflect.TypeFor[*time.Time]():
		return timePointerField, true
	case reflect.TypeFor[gorm.DeletedAt]():
		return deletedAtField, true
	}
	scanner := reflect.TypeFor[sql.Scanner]()
	if t.Implements(scanner) || reflect.PointerTo(t).Implements(scanner) {
		return ignored, false
	}
	builtin = t.PkgPath() == ""
	switch t.Kind() {
	case reflect.Bool:
		return boolField, builtin
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intField, builtin
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return uintField, builtin
	case reflect.Float64:
		return floatField, builtin
	case reflect.String:
		return stringField, builtin
	case reflect.Pointer:
		if kind, builtin := kindOfField(t.Elem()); builtin && t.PkgPath() == "" && boolField <= kind && kind <= stringField {
			return pointerField, true
		}
	default:
	}
	return ignored, false
}

// set puts a value into the field of a model. It answers false if database/sql would have to convert the value.
func (f *field) set(model reflect.Value, v *rowcodec.Value) bool {
	if f.kind == ignored {
		return true
	}
	to := model.Field(f.index[0])
	for _, i := range f.index[1:] {
		to = to.Field(i)
	}
	if v.Kind == rowcodec.Null {
		if !f.keeps {
			to.SetZero()
		}
		return true
	}
	return put(f.kind, to, v)
}

// put puts a value that is not NULL where it belongs.
func put(kind fieldKind, to reflect.Value, v *rowcodec.Value) bool {
	switch kind {
	case timeField, timePointerField, deletedAtField:
		return v.Kind == rowcodec.Time && putTime(to, v.Time())
	case pointerField:
		pointed := reflect.New(to.Type().Elem())
		elem, _ := kindOfField(to.Type().Elem())
		if !put(elem, pointed.Elem(), v) {
			return false
		}
		to.Set(pointed)
		return true
	default:
		return putScalar(kind, to, v)
	}
}

func putTime(to reflect.Value, t time.Time) bool {
	switch to := to.Addr().Interface().(type) {
	case *time.Time:
		*to = t
	case **time.Time:
		own := t
		*to = &own
	case *gorm.DeletedAt:
		*to = gorm.DeletedAt{Time: t, Valid: true}
	default:
		return false
	}
	return true
}

func putScalar(kind fieldKind, to reflect.Value, v *rowcodec.Value) bool {
	switch {
	case kind == boolField && v.Kind == rowcodec.Bool:
		to.SetBool(v.Bool())
	case kind == boolField && v.Kind == rowcodec.Int && uint64(v.Int()) <= 1: // MySQL's
		to.SetBool(v.Int() == 1)
	case kind == stringField && v.Kind == rowcodec.Text:
		to.SetString(v.Text())
	case kind == stringField && v.Kind == rowcodec.Bytes: // the same
		to.SetString(strings.Clone(v.Text()))
	case kind == floatField:
		return putFloat(to, v)
	default:
		return putWhole(kind, to, v)
	}
	return true
}

func putWhole(kind fieldKind, to reflect.Value, v *rowcodec.Value) bool {
	switch {
	case kind == intField && v.Kind == rowcodec.Int && !to.OverflowInt(v.Int()):
		to.SetInt(v.Int())
	case kind == uintField && v.Kind == rowcodec.Int && v.Int() >= 0 && !to.OverflowUint(uint64(v.Int())):
		to.SetUint(uint64(v.Int()))
	case kind == uintField && v.Kind == rowcodec.Uint && !to.OverflowUint(v.Uint()):
		to.SetUint(v.Uint())
	default:
		return false
	}
	return true
}

func putFloat(to reflect.Value, v *rowcodec.Value) bool {
	switch v.Kind {
	case rowcodec.Float64:
		to.SetFloat(v.Float())
	case rowcodec.Text: // PostgreSQL's numeric, which GORM makes a float64 of
		f, err := strconv.ParseFloat(v.Text(), 64)
		if err != nil {
			return false
		}
		to.SetFloat(f)
	default:
		return false
	}
	return true
}

// fieldsOf returns where the columns of an answer go in a model; nil if GORM has to find out.
func (k *fieldKinds) fieldsOf(s *schema.Schema, columns []string) []field {
	fields := make([]field, len(columns))
	seen := make(map[string]bool, len(columns))
	for i, column := range columns {
		f := s.LookUpField(column)
		if f == nil || !f.Readable {
			if strings.Contains(column, "__") { // of a relation
				return nil
			}
			continue
		}
		known, ok := k.of(f)
		if !ok || seen[f.DBName] {
			return nil
		}
		seen[f.DBName] = true
		fields[i] = known
	}
	return fields
}
