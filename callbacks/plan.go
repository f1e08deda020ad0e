package callbacks

import (
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/relations"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// A plan is all that a text says to the cache. It depends on the text, on the model, and on what is known of the
// database, and is kept with the latter; for each execution only arguments are bound.
type plan struct {
	src    string
	script sqltext.Script
	// read says how a query is answered; if it is nil, reason says why the cache cannot.
	read   *readPlan
	reason metrics.Reason
	// write says what the statement changes; nil if it changes nothing.
	write *writePlan
	// definition is set if it changes the catalog; session, if it changes a setting that answers depend on.
	definition, session bool
	// unknown is set if it names a table that the catalog did not show: somebody may have made it since.
	unknown bool
}

// A readPlan is that of a query that can be cached.
type readPlan struct {
	// names are the tables that it reads, table the first of them.
	names []string
	table *keying.Table
	// tags are what the whole answer depends on, but for the one that its key's table adds.
	tags []keying.Tag
	// seed stands for the text, the model and the session in the name of an entry.
	seed   string
	policy ttlconfig.Policy
	// point is set for a lookup of rows by primary key.
	point *pointPlan
}

// plans keeps plans by text and model.
type plans struct{ shards [planShards]planShard }

const (
	planShards = 16
	// maxPlans bounds the plans of a shard. Beyond it the shard begins anew: a program has fewer texts, or so many
	// that keeping them is of no use.
	maxPlans = 512
)

type planShard struct {
	mu sync.RWMutex
	m  map[planKey]*plan
}

type planKey struct {
	text  string
	model *schema.Schema
}

// get returns the plan for a text, made by the function if there is none yet.
func (p *plans) get(key planKey, build func() *plan) *plan {
	s := &p.shards[len(key.text)%planShards]
	s.mu.RLock()
	found := s.m[key]
	s.mu.RUnlock()
	if found != nil {
		return found
	}
	built := build()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil || len(s.m) >= maxPlans {
		s.m = make(map[planKey]*plan)
	}
	key.text = strings.Clone(key.text)
	s.m[key] = built
	return built
}

// plan returns the plan for a text.
func (k *knowledge) plan(d *database, text string, model *schema.Schema) *plan {
	return k.plans.get(planKey{text, model}, func() *plan { return k.build(d, text, model) })
}

func (k *knowledge) build(d *database, text string, model *schema.Schema) *plan {
	p := &plan{src: text, script: sqltext.Parse(text, d.lexer)}
	p.write = k.writes(p)
	p.reason = k.refuses(p)
	if p.reason == "" {
		p.read, p.reason = k.reads(d, p, model)
	}
	return p
}

// refuses says why a text is no query that could be cached, before its tables are looked at.
func (k *knowledge) refuses(p *plan) metrics.Reason {
	if len(p.script.Parts) != 1 {
		return metrics.ReasonStatement
	}
	s := &p.script.Parts[0]
	switch {
	case s.Class != sqltext.Query, p.write != nil: // perhaps by a function that it calls
		return metrics.ReasonStatement
	case s.Locks:
		return metrics.ReasonLock
	default:
		return ""
	}
}

func (k *knowledge) reads(d *database, p *plan, model *schema.Schema) (*readPlan, metrics.Reason) {
	s := &p.script.Parts[0]
	names, refused := k.graph.Reads(s)
	switch refused {
	case relations.RefusedTable, relations.RefusedUnknown:
		p.unknown = p.unknown || refused == relations.RefusedUnknown
		return nil, metrics.ReasonRelation
	case relations.RefusedVolatile:
		return nil, metrics.ReasonVolatile
	case relations.Accepted:
	}
	if k.graph.Hides(p.script.Text) {
		return nil, metrics.ReasonVolatile
	}
	if len(names) == 0 {
		return nil, metrics.ReasonRelation // SELECT 1: not worth a round trip
	}
	r := &readPlan{names: names, table: k.table(names[0]), policy: d.h.policies.Load().For(names)}
	if r.policy.Off() {
		return nil, metrics.ReasonPolicy
	}
	for _, name := range names {
		r.tags = append(r.tags, k.table(name).List())
	}
	shape := []string{k.session, fingerprint(model), string(rune(rowcodec.FormatVersion))}
	r.seed = keying.NewFingerprint(append(shape, p.script.Text)...).Sum()
	r.point = k.point(p, names, shape)
	return r, ""
}

// fingerprint stands for the columns of a model: versions of an application whose models differ do not share entries.
func fingerprint(model *schema.Schema) string {
	if model == nil {
		return ""
	}
	columns := make([]string, 0, len(model.DBNames))
	for _, name := range model.DBNames {
		f := model.FieldsByDBName[name]
		columns = append(columns, name+" "+f.FieldType.String()+" "+string(f.DataType))
	}
	slices.Sort(columns)
	return strings.Join(columns, "\n")
}

// plainQuery reports whether the text only reads, whatever functions there may be.
func (p *plan) plainQuery() bool {
	if len(p.script.Parts) != 1 {
		return false
	}
	s := &p.script.Parts[0]
	return s.Class == sqltext.Query && !slices.ContainsFunc(s.Calls, func(f string) bool { return !sqltext.Pure(f) })
}

// kindOf says how the database compares values of a primary key's column.
func kindOf(c catalog.Column) keying.KeyKind {
	if c.Enum {
		return keying.Text
	}
	switch c.Type {
	case "int2", "int4", "int8": // PostgreSQL
		return keying.Integer
	case "text", "varchar", "bpchar", "uuid", "name", "citext":
		return keying.Text
	}
	switch t := c.Type; { // SQLite: "Determination Of Column Affinity"
	case strings.Contains(t, "int"):
		return keying.Integer
	case strings.Contains(t, "char"), strings.Contains(t, "clob"), strings.Contains(t, "text"):
		return keying.Text
	}
	return keying.Opaque
}

// kindsOf returns the kinds of a primary key's columns; nil if rows cannot be named by it.
func kindsOf(key []catalog.Column) []keying.KeyKind {
	kinds := make([]keying.KeyKind, len(key))
	for i, c := range key {
		if kinds[i] = kindOf(c); kinds[i] == keying.Opaque {
			return nil
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	return kinds
}
