package differential_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"
)

// A program is what is run three times. It prints itself as Go.
type program struct {
	set   setting
	steps []step
}

// String returns the program as Go.
func (p program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "// opened with %+v\n", p.set)
	for _, s := range p.steps {
		b.WriteString(s.String() + "\n")
	}
	return b.String()
}

// A setting is how GORM is opened.
type setting struct {
	Simple, Prepare, Skip, Fields, Translate bool
	Batch                                    int
	// Zone is that of the session.
	Zone string
}

// A step is one statement of a program, or a transaction of several.
type step struct {
	calls  []call
	finish finisher
	// nested are the steps of a transaction, which ends with an error if it fails.
	nested []step
	fails  bool
}

// reads reports whether the step changes nothing.
func (s step) reads() bool { return s.nested == nil && s.finish.reads }

// GoString is what rapid prints.
func (s step) GoString() string { return s.String() }

// String returns the step as Go.
func (s step) String() string {
	if s.nested != nil {
		return s.transaction()
	}
	var b strings.Builder
	if s.finish.declare != "" {
		b.WriteString(s.finish.declare + "\n")
	}
	b.WriteString(s.finish.before + "db")
	for _, c := range s.calls {
		b.WriteString(c.String())
	}
	b.WriteString(s.finish.source)
	return b.String()
}

func (s step) transaction() string {
	var b strings.Builder
	b.WriteString("db.Transaction(func(db *gorm.DB) error {\n")
	for _, n := range s.nested {
		b.WriteString("\t" + strings.ReplaceAll(n.String(), "\n", "\n\t") + "\n")
	}
	if s.fails {
		b.WriteString("\treturn errUndone\n})")
	} else {
		b.WriteString("\treturn nil\n})")
	}
	return b.String()
}

// A call is one method of a chain.
type call struct {
	method string
	args   []arg
}

// String returns the call as Go.
func (c call) String() string {
	args := make([]string, len(c.args))
	for i, a := range c.args {
		args[i] = a.source
	}
	return "." + c.method + "(" + strings.Join(args, ", ") + ")"
}

// on calls the method.
func (c call) on(db *gorm.DB, fresh *gorm.DB) *gorm.DB {
	method := reflect.ValueOf(db).MethodByName(c.method)
	in := make([]reflect.Value, len(c.args))
	for i, a := range c.args {
		if in[i] = reflect.ValueOf(a.value(fresh)); !in[i].IsValid() {
			in[i] = reflect.Zero(reflect.TypeFor[any]())
		}
	}
	out, _ := reflect.TypeAssert[*gorm.DB](method.Call(in)[0])
	return out
}

// An arg is an argument, with its Go text. It is made anew for each run; db is a handle for subqueries.
type arg struct {
	source string
	value  func(db *gorm.DB) any
}

// lit is an argument that prints itself.
func lit(v any) arg {
	return arg{source: fmt.Sprintf("%#v", v), value: func(*gorm.DB) any { return v }}
}

func lits(vs ...any) []arg {
	args := make([]arg, len(vs))
	for i, v := range vs {
		args[i] = lit(v)
	}
	return args
}

// expr is an argument with a text of its own.
func expr(source string, value func() any) arg {
	return arg{source: source, value: func(*gorm.DB) any { return value() }}
}

func on(method string, args ...arg) call { return call{method: method, args: args} }

// A finisher ends a chain.
type finisher struct {
	// declare and before stand before the chain, source behind it.
	declare, before, source string
	// run carries the chain out. It returns what it found; fresh is a handle without the chain.
	run func(db, fresh *gorm.DB) found
	// reads is set if it changes nothing; ordered, if the order of what it finds is certain.
	reads, ordered bool
}

// GoString is what rapid prints.
func (f finisher) GoString() string { return f.source }

// GoString is what rapid prints.
func (c call) GoString() string { return c.String() }

// GoString is what rapid prints.
func (a arg) GoString() string { return a.source }

// found is what a chain returned.
type found struct {
	value any
	rows  int64
	err   error
}

func of(db *gorm.DB, value any) found {
	return found{value: value, rows: db.RowsAffected, err: db.Error}
}

var errUndone = errors.New("undone")

// observe runs a step, and returns what a program can notice of it.
func (s step) observe(ctx context.Context, db *gorm.DB) (o observation) {
	h := &hooks{}
	o.hooks = h
	defer func() {
		if r := recover(); r != nil {
			o.panicked = fmt.Sprint(r)
		}
	}()
	fresh := db.WithContext(withHooks(ctx, h))
	if s.nested != nil {
		o.found.err = fresh.Transaction(func(tx *gorm.DB) error {
			for _, n := range s.nested {
				o.nested = append(o.nested, n.observe(ctx, tx))
			}
			if s.fails {
				return errUndone
			}
			return nil
		})
		return o
	}
	chain := fresh
	for _, c := range s.calls {
		chain = c.on(chain, fresh)
	}
	o.found = s.finish.run(chain, fresh)
	o.ordered = s.finish.ordered
	return o
}

// clone copies a struct that a pointer points to.
func clone(v any) any {
	to := reflect.New(reflect.TypeOf(v).Elem())
	to.Elem().Set(reflect.ValueOf(v).Elem())
	return to.Interface()
}
