package ttlconfig

import "reflect"

// A Model stands for a GORM model. Use [For].
type Model struct{ typ reflect.Type }

// For returns the model of a type.
func For[T any]() Model { return Model{reflect.TypeFor[T]()} }

// New returns a pointer to a new value of the model's type.
func (m Model) New() any {
	if m.typ == nil {
		return nil
	}
	return reflect.New(m.typ).Interface()
}

// String returns the name of the type.
func (m Model) String() string {
	if m.typ == nil {
		return "Model{}"
	}
	return m.typ.String()
}

// Models gives models policies of their own.
type Models map[Model]Policy

// Tables gives tables policies of their own.
type Tables struct {
	fallback Policy
	byName   map[string]Policy
}

// NewTables returns a table of policies. What the first of a table's policies leaves open is taken from the second one; what
// both leave open, from the fallback.
func NewTables(fallback Policy, first, second map[string]Policy) *Tables {
	t := &Tables{fallback: fallback.WithDefaults(Default()), byName: map[string]Policy{}}
	for name, p := range second {
		t.byName[name] = p.WithDefaults(t.fallback)
	}
	for name, p := range first {
		t.byName[name] = p.WithDefaults(t.of(name))
	}
	return t
}

// of returns the policy of one table.
func (t *Tables) of(name string) Policy {
	if own, ok := t.byName[name]; ok {
		return own
	}
	return t.fallback
}

// For returns the policy of an answer that depends on tables: the strictest of theirs.
func (t *Tables) For(names []string) Policy {
	if len(names) == 0 {
		return t.fallback
	}
	p := t.of(names[0])
	for _, name := range names[1:] {
		p = p.Stricter(t.of(name))
	}
	return p
}
