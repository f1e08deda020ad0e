// Package ttlconfig decides, table by table, whether answers are kept and for how long.
//
// Freshness does not depend on it: a write makes what it touched unservable at once. A time to live bounds how long
// an answer survives a write that the cache is not told of, and how long Redis keeps what nobody asks for any more.
// docs/ttl.md says how to choose.
package ttlconfig

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Defaults of [Policy].
const (
	DefaultTTL       = 10 * time.Minute
	DefaultAbsentTTL = time.Minute
	DefaultJitter    = 0.1
)

// MaxTTL is the greatest time to live: that of the tokens that rows' entries depend on. MinTTL is the least: Redis counts in
// milliseconds.
const (
	MaxTTL = 24 * time.Hour
	MinTTL = time.Millisecond
)

// Off in the place of a time to live keeps nothing of that kind.
const Off = time.Duration(math.MinInt64)

// NoJitter in the place of [Policy.Jitter] takes nothing off.
const NoJitter = -1

// A Kind is one of the kinds of answers that policies tell apart.
type Kind uint8

// The kinds of answers.
const (
	// Row: one row, looked up by its primary key.
	Row Kind = iota
	// List: the rows of a scope, or the answer of any other query.
	List
	// Count: one row of aggregates: SELECT count(*), sum(amount) …
	Count
	kinds
)

// A Policy says which answers are kept, and for how long. The zero Policy keeps all for the defaults.
type Policy struct {
	// TTL is how long an answer may be served after the database was read, if no other field says more of its kind. Defaults
	// to 10 minutes; 1 millisecond to 24 hours; Off keeps nothing but the kinds that have a time of their own.
	TTL time.Duration
	// RowTTL, ListTTL and CountTTL are the same for single rows, for lists, and for counts and other aggregates. They
	// default to TTL.
	RowTTL, ListTTL, CountTTL time.Duration
	// AbsentTTL is the same for an answer that says that there is no such row. Defaults to one minute, or to that of rows if
	// it is shorter; it may not be longer. Off keeps no such answers.
	AbsentTTL time.Duration
	// Jitter is the share of a time to live that is taken off, at most and at random, so that answers that were stored
	// together do not end together. Defaults to 0.1; at most 0.5; NoJitter takes nothing off.
	Jitter float64
	// TagColumns names columns by which rows are looked up, besides those that the catalog and the associations of models
	// speak for (foreign keys, unique indexes …): an answer to a query with an equality on one of them then depends on the
	// rows with that value only. Several names joined by "+" are columns that are given together. At most 8; each makes
	// writes to the table a little dearer. Those of Config.Policy count for every table that has such columns, besides
	// those of its own.
	TagColumns []string
}

// Named policies, whose values docs/ttl.md explains. They may be changed like any other: a copy is the caller's own.
//
//nolint:gochecknoglobals // constants
var (
	// Never is the policy of what is not to be cached. Writes to it are announced all the same.
	Never = Policy{TTL: Off}
	// Volatile is for what is written about as often as it is read: it leaves Redis soon after the last read.
	Volatile = Policy{TTL: time.Minute, AbsentTTL: 10 * time.Second}
	// Static is for what is hardly ever written: countries, rates of tax, settings.
	Static = Policy{TTL: MaxTTL, AbsentTTL: 10 * time.Minute}
)

// Default is the policy of what no policy was given for.
func Default() Policy {
	return Policy{
		TTL: DefaultTTL, RowTTL: DefaultTTL, ListTTL: DefaultTTL, CountTTL: DefaultTTL, AbsentTTL: DefaultAbsentTTL,
		Jitter: DefaultJitter,
	}
}

// A Carrier is a model that has a policy of its own. It is asked once for each schema that GORM makes of it, with a zero
// model; the receiver may be a value or a pointer. Config.Models goes before it, and it goes before Config.Policy: what the
// one leaves open is taken from the next.
type Carrier interface{ CachePolicy() Policy }

// Of returns how long an answer of a kind is kept, or [Off]. It is for policies with their defaults.
func (p Policy) Of(k Kind) time.Duration {
	switch k {
	case Row:
		return p.RowTTL
	case Count:
		return p.CountTTL
	default:
		return p.ListTTL
	}
}

// Off reports whether nothing is to be cached.
func (p Policy) Off() bool {
	for k := range kinds {
		if own := p.Of(k); own != Off && (own != 0 || p.TTL != Off) {
			return false
		}
	}
	return true
}

// WithDefaults returns the policy with what it leaves open taken from another one, which leaves nothing open.
func (p Policy) WithDefaults(fallback Policy) Policy {
	inherit := func(own *time.Duration, theirs time.Duration) {
		switch {
		case *own != 0:
		case p.TTL != 0:
			*own = p.TTL
		default:
			*own = theirs
		}
	}
	inherit(&p.RowTTL, fallback.RowTTL)
	inherit(&p.ListTTL, fallback.ListTTL)
	inherit(&p.CountTTL, fallback.CountTTL)
	inherit(&p.TTL, fallback.TTL)
	if p.AbsentTTL == 0 {
		p.AbsentTTL = min(p.RowTTL, fallback.AbsentTTL) // Off is less than any other
	}
	if p.Jitter == 0 {
		p.Jitter = fallback.Jitter
	}
	for _, name := range fallback.TagColumns {
		if !slices.Contains(p.TagColumns, name) {
			p.TagColumns = append(slices.Clip(p.TagColumns), name)
		}
	}
	return p
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

// Stricter returns a policy that keeps nothing longer than either of the two, which leave nothing open: that of an answer
// which depends on several tables. Those have no columns in common, so it has no TagColumns.
func (p Policy) Stricter(other Policy) Policy {
	return Policy{
		TTL: min(p.TTL, other.TTL), RowTTL: min(p.RowTTL, other.RowTTL), ListTTL: min(p.ListTTL, other.ListTTL),
		CountTTL: min(p.CountTTL, other.CountTTL), AbsentTTL: min(p.AbsentTTL, other.AbsentTTL),
		Jitter: max(p.Jitter, other.Jitter),
	}
}

// Same reports whether two policies say the same.
func (p Policy) Same(other Policy) bool {
	return p.TTL == other.TTL && p.RowTTL == other.RowTTL && p.ListTTL == other.ListTTL && p.CountTTL == other.CountTTL &&
		p.AbsentTTL == other.AbsentTTL && p.Jitter == other.Jitter && slices.Equal(p.TagColumns, other.TagColumns)
}

// Jittered returns a time to live with up to the policy's share taken off. [Off] stays what it is.
func (p Policy) Jittered(ttl time.Duration) time.Duration {
	if ttl <= 0 || p.Jitter <= 0 {
		return ttl
	}
	return ttl - time.Duration(rand.Int64N(int64(float64(ttl)*p.Jitter)+1))
}
