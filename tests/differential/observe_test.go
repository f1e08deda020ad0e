package differential_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// An observation is what a program can notice of a step.
type observation struct {
	found    found
	hooks    *hooks
	panicked string
	nested   []observation
	ordered  bool
}

// String prints an observation so that what differs prints differently.
func (o observation) String() string {
	var b strings.Builder
	if o.panicked != "" {
		fmt.Fprintf(&b, "panic: %s\n", o.panicked)
	}
	fmt.Fprintf(&b, "value: %s\nrows affected: %d\nerror: %s\n", o.value(), o.found.rows, o.err())
	fmt.Fprintf(&b, "hooks: %s\n", strings.Join(o.hooks.inOrder(), ", "))
	for i, n := range o.nested {
		fmt.Fprintf(&b, "[%d] %s", i, strings.ReplaceAll(n.String(), "\n", "\n    "))
	}
	return b.String()
}

// value prints what was found. Rows whose order is not certain are sorted.
func (o observation) value() string {
	if o.unscanned() {
		return "not compared" // GORM leaves what its pools of values held
	}
	p := printer{}
	v := reflect.ValueOf(o.found.value)
	for v.IsValid() && v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.IsValid() && v.Kind() == reflect.Slice && !v.IsNil() && v.Type().Elem().Kind() != reflect.Uint8 {
		rows := p.elements(v)
		if !o.ordered {
			slices.Sort(rows)
		}
		return v.Type().String() + "{\n  " + strings.Join(rows, "\n  ") + "}"
	}
	return p.print(v)
}

// unscanned reports whether there are rows that do not fit into what they were put into.
func (o observation) unscanned() bool {
	return o.found.err != nil && strings.Contains(o.found.err.Error(), "Scan error")
}

// err prints the error. Rows whose order is not certain, and that cannot be scanned, are complained of in any order.
func (o observation) err() string {
	if o.ordered || !o.unscanned() {
		return chain(o.found.err)
	}
	complaints := strings.Split(scanned.ReplaceAllString(o.found.err.Error(), "Scan error on a column"), "; sql: ")
	complaints[0] = strings.TrimPrefix(complaints[0], "sql: ")
	slices.Sort(complaints)
	return fmt.Sprintf("%T %q", o.found.err, complaints)
}

var scanned = regexp.MustCompile(`Scan error on column index \d+, name "[^"]*"`)

// inOrder returns the calls in their order, but for neighbors of one kind: these follow the order of rows.
func (h *hooks) inOrder() []string {
	calls := slices.Clone(h.calls)
	kindOf := func(s string) string { return s[:strings.LastIndexByte(s, ' ')] }
	for i := 0; i < len(calls); {
		j := i
		for j < len(calls) && kindOf(calls[j]) == kindOf(calls[i]) {
			j++
		}
		slices.Sort(calls[i:j])
		i = j
	}
	return calls
}

// chain prints an error with the types of all that it wraps.
func chain(err error) string {
	if err == nil {
		return "nil"
	}
	if unprepared, ok := err.(*pgconn.PrepareError); ok { //nolint:errorlint // this level only
		return chain(unprepared.Unwrap()) // it depends on what the connection has prepared before
	}
	text := fmt.Sprintf("%T %q", err, err.Error())
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		parts := []string{text}
		for _, e := range many.Unwrap() {
			parts = append(parts, chain(e))
		}
		text = strings.Join(parts, " & ")
	}
	if inner := errors.Unwrap(err); inner != nil {
		text += " < " + chain(inner)
	}
	return text
}

// A printer prints values with their types, whatever is private in them.
type printer struct{ depth int }

const maxDepth = 12

func (p printer) print(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	if p.depth++; p.depth > maxDepth {
		return "…"
	}
	switch t := v.Type(); {
	case t == reflect.TypeFor[time.Time]():
		return printTime(v)
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			return t.String() + "(nil)"
		}
		return "&" + p.print(v.Elem())
	case v.Kind() == reflect.Interface:
		return "any(" + p.print(v.Elem()) + ")"
	case v.Kind() == reflect.Struct:
		return p.structure(v)
	case v.Kind() == reflect.Map:
		return p.table(v)
	case v.Kind() == reflect.Slice && v.IsNil():
		return t.String() + "(nil)"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return t.String() + "(" + hex.EncodeToString(v.Bytes()) + ")"
	case v.Kind() == reflect.Slice, v.Kind() == reflect.Array:
		elements := p.elements(v)
		if t.Elem().Kind() == reflect.Struct || t.Elem().Kind() == reflect.Pointer {
			slices.Sort(elements) // associations come in any order
		}
		return t.String() + "{" + strings.Join(elements, ", ") + "}"
	case v.CanFloat():
		return fmt.Sprintf("%s(%x)", t, math.Float64bits(v.Float()))
	default:
		return p.scalar(v)
	}
}

func (p printer) scalar(v reflect.Value) string {
	switch {
	case v.CanInt():
		return fmt.Sprintf("%s(%d)", v.Type(), v.Int())
	case v.CanUint():
		return fmt.Sprintf("%s(%d)", v.Type(), v.Uint())
	case v.Kind() == reflect.Bool:
		return fmt.Sprintf("%s(%t)", v.Type(), v.Bool())
	case v.Kind() == reflect.String:
		return fmt.Sprintf("%s(%q)", v.Type(), v.String())
	default:
		return v.Type().String()
	}
}

func (p printer) structure(v reflect.Value) string {
	fields := make([]string, v.NumField())
	for i := range fields {
		fields[i] = v.Type().Field(i).Name + ": " + p.print(v.Field(i))
	}
	return v.Type().String() + "{" + strings.Join(fields, ", ") + "}"
}

func (p printer) table(v reflect.Value) string {
	if v.IsNil() {
		return v.Type().String() + "(nil)"
	}
	entries := make([]string, 0, v.Len())
	for _, k := range v.MapKeys() {
		entries = append(entries, p.print(k)+": "+p.print(v.MapIndex(k)))
	}
	slices.Sort(entries)
	return v.Type().String() + "{" + strings.Join(entries, ", ") + "}"
}

func (p printer) elements(v reflect.Value) []string {
	elements := make([]string, v.Len())
	for i := range elements {
		elements[i] = p.print(v.Index(i))
	}
	return elements
}

// printTime prints the instant, and the location by name and by offset; of a private field, what can be read of it.
func printTime(v reflect.Value) string {
	if !v.CanInterface() {
		return fmt.Sprintf("time.Time(%d %d)", v.Field(0).Uint(), v.Field(1).Int())
	}
	at, _ := reflect.TypeAssert[time.Time](v)
	name, offset := at.Zone()
	return fmt.Sprintf("time.Time(%s %s %s %d)", at.Format(time.RFC3339Nano), at.Location(), name, offset)
}
