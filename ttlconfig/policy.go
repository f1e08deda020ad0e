// Package ttlconfig decides, table by table, whether answers are kept and for how long.
//
// Freshness does not depend on it: a write makes what it touched unservable at once. A time to live bounds how long
// an answer survives a write that the cache is not told of, and how long Redis keeps what nobody asks for any more.
package ttlconfig

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Defaults of [Policy].
const (
	DefaultTTL       = 10 * time.Minute
	DefaultAbsentTTL = time.Minute
)

// MaxTTL is the greatest time to live: that of the tokens that rows' entries depend on.
const MaxTTL = 24 * time.Hour

// A Policy says whether answers are kept, and for how long. The zero Policy keeps them for the defaults.
type Policy struct {
	// TTL is how long an answer may be served after the database was read; a tenth of it, at most and at random, is
	// taken off, so that answers that were stored together do not end together. Defaults to 10 minutes; at most 24
	// hours.
	TTL time.Duration
	// AbsentTTL is the same for an answer that says that there is no such row. Defaults to one minute, or TTL if that
	// is shorter.
	AbsentTTL time.Duration
	// TagColumns names columns by which rows are looked up, besides those that the catalog and the associations of models
	// speak for (foreign keys, unique indexes …): an answer to a query with an equality on one of them then depends on the
	// rows with that value only. Several names joined by "+" are columns that are given together. At most 8; each makes
	// writes to the table a little dearer. Those of Config.Policy count for every table that has such columns, besides
	// those of its own.
	TagColumns []string

	never bool
}

// maxTagColumns is the greatest number of TagColumns: each is one tag more for every row that a write touches.
const maxTagColumns = 8

// Never is the policy of what is not to be cached. Writes to it are announced all the same.
var Never = Policy{never: true} //nolint:gochecknoglobals // a constant

// Off reports whether nothing is to be cached.
func (p Policy) Off() bool { return p.never }

// WithDefaults returns the policy with what it leaves open taken from another one.
func (p Policy) WithDefaults(fallback Policy) Policy {
	if p.never {
		return p
	}
	if p.TTL == 0 {
		p.TTL = fallback.TTL
	}
	if p.AbsentTTL == 0 {
		p.AbsentTTL = min(p.TTL, fallback.AbsentTTL)
	}
	for _, name := range fallback.TagColumns {
		if !slices.Contains(p.TagColumns, name) {
			p.TagColumns = append(slices.Clip(p.TagColumns), name)
		}
	}
	p.never = false
	return p
}

// Default is the policy of what no policy was given for.
func Default() Policy { return Policy{TTL: DefaultTTL, AbsentTTL: DefaultAbsentTTL} }

// Validate returns what is wrong with the policy, naming its fields.
func (p Policy) Validate() error {
	var errs []error
	for name, d := range map[string]time.Duration{"TTL": p.TTL, "AbsentTTL": p.AbsentTTL} {
		switch {
		case d < 0:
			errs = append(errs, fmt.Errorf("%s: want a positive duration, got %v", name, d))
		case d > 0 && d < time.Millisecond:
			errs = append(errs, fmt.Errorf("%s: want a millisecond at least, got %v", name, d))
		case d > MaxTTL:
			errs = append(errs, fmt.Errorf("%s: want %v at most, got %v", name, MaxTTL, d))
		}
	}
	if len(p.TagColumns) > maxTagColumns {
		errs = append(errs, fmt.Errorf("TagColumns: want %d at most, got %d", maxTagColumns, len(p.TagColumns)))
	}
	for i, columns := range p.Scopes() {
		if slices.Contains(columns, "") || len(slices.Compact(columns)) < strings.Count(p.TagColumns[i], "+")+1 {
			errs = append(errs, fmt.Errorf("TagColumns[%d]: want names of columns joined by +, got %q", i, p.TagColumns[i]))
		}
	}
	return errors.Join(errs...)
}

// Scopes returns the columns that TagColumns names: those that are given together, sorted.
func (p Policy) Scopes() [][]string {
	scopes := make([][]string, len(p.TagColumns))
	for i, names := range p.TagColumns {
		scopes[i] = strings.Split(names, "+")
		slices.Sort(scopes[i])
	}
	return scopes
}

// Stricter returns a policy that keeps nothing longer than either of the two: that of an answer which depends on several
// tables. Those have no columns in common, so it has no TagColumns.
func (p Policy) Stricter(other Policy) Policy {
	return Policy{
		TTL: min(p.TTL, other.TTL), AbsentTTL: min(p.AbsentTTL, other.AbsentTTL), never: p.never || other.never,
	}
}

// Jittered returns a time to live with up to a tenth taken off.
func Jittered(ttl time.Duration) time.Duration {
	return ttl - time.Duration(rand.Int64N(int64(ttl)/10+1))
}

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

// NewTables returns a table of policies. What a policy leaves open is taken from the fallback.
func NewTables(fallback Policy, byName map[string]Policy) *Tables {
	t := &Tables{fallback: fallback.WithDefaults(Default()), byName: map[string]Policy{}}
	for name, p := range byName {
		t.byName[name] = p.WithDefaults(t.fallback)
	}
	return t
}

// For returns the policy of an answer that depends on tables: the strictest of theirs.
func (t *Tables) For(names []string) Policy {
	p, found := t.fallback, false
	for _, name := range names {
		own, ok := t.byName[name]
		if !ok {
			own = t.fallback
		}
		if !found {
			p, found = own, true
		} else {
			p = p.Stricter(own)
		}
	}
	return p
}
