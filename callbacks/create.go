package callbacks

import (
	"reflect"

	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/keying"
)

// learnKeys announces rows that were inserted in a transaction under keys that the database made: GORM has put them
// into the model by now. If one of them is not there, the write concerns whoever found any row of the table absent.
func (s *shim) learnKeys() {
	for _, tw := range s.created {
		keys, ok := s.keysOfModel(tw)
		var e effects
		x := e.of(tw.table)
		x.absent, x.bulk = !ok, !ok && tw.upserts
		for _, key := range keys {
			x.addRow(key, !tw.upserts)
		}
		if s.told != nil {
			s.tell(s.told, &e)
		}
		s.inserted.touch(func(all *effects) { all.merge(&e) }, false)
	}
	s.created = nil
}

// keysOfModel returns the primary keys of the rows that the statement created. ok is false if not all are known.
func (s *shim) keysOfModel(tw tableWrite) (keys []keying.PrimaryKey, ok bool) {
	stmt := s.db.Statement
	if s.db.Error != nil || stmt.Schema == nil || bare(stmt.Schema.Table) != tw.name || tw.kinds == nil {
		return nil, false
	}
	k := s.inserted.d.known.Load()
	if k == nil {
		return nil, false
	}
	table, _ := k.graph.Table(tw.name)
	fields := fieldsOf(stmt.Schema, table.Key)
	if fields == nil || len(fields) != len(tw.kinds) {
		return nil, false
	}
	rows := stmt.ReflectValue
	switch rows.Kind() {
	case reflect.Struct:
		key, ok := s.keyOf(fields, tw.kinds, rows)
		return []keying.PrimaryKey{key}, ok
	case reflect.Slice, reflect.Array:
		for i := range rows.Len() {
			key, ok := s.keyOf(fields, tw.kinds, rows.Index(i))
			if !ok {
				return nil, false
			}
			keys = append(keys, key)
		}
		return keys, true
	default:
		return nil, false
	}
}

// fieldsOf returns the fields of a model that are the columns of a key; nil if it does not have them all.
func fieldsOf(model *schema.Schema, key []catalog.Column) []*schema.Field {
	fields := make([]*schema.Field, len(key))
	for i, c := range key {
		if fields[i] = model.FieldsByDBName[c.Name]; fields[i] == nil {
			return nil
		}
	}
	return fields
}

// keyOf returns the primary key of one model.
func (s *shim) keyOf(fields []*schema.Field, kinds []keying.KeyKind, model reflect.Value) (keying.PrimaryKey, bool) {
	for model.Kind() == reflect.Pointer {
		if model.IsNil() {
			return keying.PrimaryKey{}, false
		}
		model = model.Elem()
	}
	if model.Kind() != reflect.Struct {
		return keying.PrimaryKey{}, false
	}
	values := make([]any, len(fields))
	for i, f := range fields {
		value, zero := f.ValueOf(s.db.Statement.Context, model)
		if zero {
			return keying.PrimaryKey{}, false
		}
		values[i] = value
	}
	return keying.NewPrimaryKey(kinds, values...)
}
