package keying

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A Digest stands in a name for what is too long to be one: a statement, its arguments, the shape of a model. It is
// a truncated SHA-256, in URL-safe base64: an argument that an attacker chooses must not be able to answer for
// another one.
type Digest string

const (
	variantBytes = 12 // chosen by the application's code
	queryBytes   = 18 // chosen by its users as well
)

// A Fingerprint collects, typed and length-prefixed, what a digest stands for.
type Fingerprint struct{ buf []byte }

// NewFingerprint starts a fingerprint with the parts that are given. The capacity suits a few arguments more.
func NewFingerprint(parts ...string) *Fingerprint {
	f := &Fingerprint{buf: make([]byte, 0, 256)}
	for _, p := range parts {
		f.buf = appendString(f.buf, 'p', p)
	}
	return f
}

// Arg adds an argument of a statement. It fails for a value whose meaning to the database cannot be told from its
// Go type alone.
func (f *Fingerprint) Arg(v any) error {
	b, err := appendValue(f.buf, v)
	if err != nil {
		return err
	}
	f.buf = b
	return nil
}

// Sum returns all that was added, in 32 bytes, to start other fingerprints with.
func (f *Fingerprint) Sum() string {
	sum := sha256.Sum256(f.buf)
	return string(sum[:])
}

// Variant returns a short digest, for what the application's code alone determines.
func (f *Fingerprint) Variant() Digest { return f.digest(variantBytes) }

// Query returns a long digest, for what arguments determine.
func (f *Fingerprint) Query() Digest { return f.digest(queryBytes) }

func (f *Fingerprint) digest(n int) Digest {
	sum := sha256.Sum256(f.buf)
	return Digest(base64.RawURLEncoding.EncodeToString(sum[:n]))
}

// In returns what stands for the same in a partition; the same, if there is none.
func (d Digest) In(partition Digest) Digest {
	if partition == "" {
		return d
	}
	return NewFingerprint(string(d), string(partition)).Query()
}

var errArgument = errors.New("no canonical form")

// appendValue appends v so that two values have the same bytes only if the database cannot tell them apart.
func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, 'n'), nil
	case bool:
		if v {
			return append(b, 'b', 1), nil
		}
		return append(b, 'b', 0), nil
	case int:
		return appendInt(b, int64(v)), nil
	case int64:
		return appendInt(b, v), nil
	case string:
		return appendString(b, 's', v), nil
	case []byte:
		if v == nil {
			return append(b, 'n'), nil
		}
		return appendString(b, 'x', string(v)), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 'f'), math.Float64bits(v)), nil
	case time.Time:
		// The zone counts: a column without time zone takes the clock's reading as it is.
		return appendString(b, 't', v.Format(withSeconds)), nil
	case driver.Valuer:
		b = appendString(b, 'v', reflect.TypeOf(v).String())
		plain, err := valueOf(v)
		if err != nil {
			return nil, err
		}
		if _, again := plain.(driver.Valuer); again {
			return nil, fmt.Errorf("%T: Value returned another driver.Valuer: %w", v, errArgument)
		}
		return appendValue(b, plain)
	default:
		return appendReflected(b, reflect.ValueOf(v))
	}
}

// appendReflected handles pointers, the other widths of numbers, and named types. A named type's name is part of
// the bytes, as a driver may know the type.
func appendReflected(b []byte, v reflect.Value) ([]byte, error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return append(b, 'n'), nil
		}
		return appendValue(b, v.Elem().Interface())
	}
	if t := v.Type(); t.PkgPath() != "" {
		b = appendString(b, 'T', t.String())
	}
	switch v.Kind() {
	case reflect.Bool:
		return appendValue(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return appendInt(b, v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u := v.Uint(); u <= math.MaxInt64 {
			return appendInt(b, int64(u)), nil
		}
		return binary.BigEndian.AppendUint64(append(b, 'u'), v.Uint()), nil
	case reflect.Float32:
		return binary.BigEndian.AppendUint64(append(b, 'F'), math.Float64bits(v.Float())), nil
	case reflect.Float64:
		return appendValue(b, v.Float())
	case reflect.String:
		return appendString(b, 's', v.String()), nil
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return appendValue(b, v.Bytes())
		}
	default:
	}
	return nil, fmt.Errorf("%s: %w", v.Type(), errArgument)
}

// withSeconds is time.RFC3339Nano with zones to the second.
const withSeconds = "2006-01-02T15:04:05.999999999Z07:00:00"

func appendInt(b []byte, i int64) []byte { return binary.AppendVarint(append(b, 'i'), i) }

func appendString(b []byte, mark byte, s string) []byte {
	b = binary.AppendUvarint(append(b, mark), uint64(len(s)))
	return append(b, s...)
}

// valueOf calls v.Value as database/sql does: a nil pointer whose Value method has a value receiver is NULL.
func valueOf(v driver.Valuer) (driver.Value, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.IsNil() && rv.Type().Elem().Implements(reflect.TypeFor[driver.Valuer]()) {
		return nil, nil
	}
	return v.Value()
}

// Plain strips pointers, driver.Valuer and named types from an argument: what is left is a basic type, if it is of one.
// A type that the driver asks for its value by a method of its own has no plain value.
func Plain(v any) (any, error) {
	if valuer, ok := v.(driver.Valuer); ok {
		plain, err := valueOf(valuer)
		if err != nil {
			return nil, err
		}
		v = plain
	}
	rv := reflect.ValueOf(v)
	if rv.IsValid() && asked(rv.Type()) {
		return nil, fmt.Errorf("%s: %w", rv.Type(), errArgument)
	}
	switch rv.Kind() {
	case reflect.Pointer:
		if rv.IsNil() {
			return nil, nil
		}
		return Plain(rv.Elem().Interface())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return rv.Uint(), nil
	case reflect.String:
		return rv.String(), nil
	default:
		return v, nil
	}
}

// asked reports whether a type has one of the methods that pgx asks for a value: TextValue, Int64Value and so on (its
// package pgtype: TextValuer …).
func asked(t reflect.Type) bool {
	if t.PkgPath() == "" && t.Kind() != reflect.Pointer {
		return false
	}
	for method := range t.Methods() {
		name, is := strings.CutSuffix(method.Name, "Value")
		if m := method.Type; is && name != "" && m.NumIn() == 1 && m.NumOut() == 2 {
			return true
		}
	}
	return false
}

// integerText returns the one spelling of an integer. Text counts only if it is all digits: what else a database
// accepts as an integer is its own affair.
func integerText(v any) (string, bool) {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case string:
		digits := strings.TrimPrefix(v, "-")
		if digits == "" || strings.Trim(digits, "0123456789") != "" {
			return "", false
		}
		if digits = trimZeros(digits); v[0] == '-' && digits != "0" {
			return "-" + digits, true
		}
		return digits, true
	default:
		return "", false
	}
}
