package callbacks

import (
	"slices"
	"strings"
	"sync/atomic"

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
	// read says how a query is answered; if it is nil, reason says why the cache cannot, and detail, what in the text.
	read   *readPlan
	reason metrics.Reason
	detail string
	// write says what the statement changes; nil if it changes nothing.
	write *writePlan
	// definition is set if it changes the catalog; session, if it changes a setting that answers depend on.
	definition, session bool
	// settings are those that it changes, or sets back.
	settings []string
	// begins and ends are set if it begins or ends a transaction.
	begins, ends bool
	// calls is set if it calls functions of which the catalog has to say what they change.
	calls bool
	// unknown is set if it names a table that the catalog did not show: somebody may have made it since.
	unknown bool
}

// A readPlan is that of a query that can be cached.
type readPlan struct {
	// names are the tables that it reads, table the first of them.
	names []string
	table *keying.Table
	// depends is what the whole answer depends on, table by table.
	depends []dependency
	// besides are the list tags of tables that are declared: each entry depends on them. opaque is set if only the
	// declaration says what is read.
	besides []keying.Tag
	opaque  bool
	// crowded is set when one of the tables has as many scopes as can be: the answer depends on the whole tables.
	crowded atomic.Bool
	// unordered is set when the rows of several scopes could not be put together: then the answer has one entry.
	unordered atomic.Bool
	// seed stands for the text, the model, the session, and the definitions of all that is read, in the name of an entry.
	seed   string
	policy ttlconfig.Policy
	// kind is that of the whole answer.
	kind ttlconfig.Kind
	// point is set for a lookup of rows by primary key.
	point *pointPlan
}

type planKey struct {
	text  string
	model *schema.Schema
	// models is the version of what was known of all models.
	models uint64
	// declared are the tables that the statement is said to depend on besides: see declared.go.
	declared string
	// prepared is set if database/sql prepares the statement, as GORM's PrepareStmt has it: the driver may deliver other
	// values.
	prepared bool
}

// way is the one in which the statement is sent.
func (key planKey) way(params int) catalog.Way {
	switch {
	case key.prepared:
		return catalog.Prepared
	case params > 0:
		return catalog.WithArguments
	default:
		return catalog.Plain
	}
}

// plan returns the plan for a text; which models there are, it finds out itself.
func (k *snapshot) plan(d *database, key planKey) *plan {
	k.models.learn(key.model)
	key.models = k.models.version()
	return k.plans.get(key, func() *plan { return k.build(d, key) })
}

func (k *snapshot) build(d *database, key planKey) *plan {
	p := &plan{src: key.text, script: sqltext.Parse(key.text, d.lexer)}
	p.write = k.writes(p)
	p.calls = p.script.Calls(func(call string) bool { return !k.graph.KeepsTables(call) })
	p.reason = k.refuses(p)
	if p.reason == "" {
		p.read, p.reason = k.reads(d, p, key)
	}
	return p
}

// refuses says why a text is no query that could be cached, before its tables are looked at.
func (k *snapshot) refuses(p *plan) metrics.Reason {
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

func (k *snapshot) reads(d *database, p *plan, key planKey) (*readPlan, metrics.Reason) {
	s := &p.script.Parts[0]
	reading, refused := k.graph.Reads(s, k.declaration(key.declared))
	names := reading.All()
	p.detail = reading.Because
	switch refused {
	case relations.RefusedTable, relations.RefusedUnknown:
		p.unknown = p.unknown || refused == relations.RefusedUnknown
		return nil, metrics.ReasonRelation
	case relations.RefusedVolatile:
		return nil, metrics.ReasonVolatile
	case relations.Accepted:
	}
	if k.graph.Hides(p.script.Text) {
		p.detail = "an operator or a cast that calls a function"
		return nil, metrics.ReasonVolatile
	}
	if len(names) == 0 {
		p.detail = "it reads no table" // not worth a round trip
		return nil, metrics.ReasonRelation
	}
	r := &readPlan{names: names, table: k.table(names[0]), policy: d.h.models.policies.of(names)}
	if r.policy.Off() {
		return nil, metrics.ReasonPolicy
	}
	r.kind = kindOfAnswer(s)
	session := k.found.Sessions[key.way(p.script.Params)]
	shape := []string{
		session, fingerprint(key.model), string(rune(rowcodec.FormatVersion)), k.graph.Identity(reading, p.script.Text),
	}
	if len(reading.Declared) > 0 {
		shape = append(shape, k.besides(r, reading))
	}
	r.seed = keying.NewFingerprint(append(shape, p.script.Text)...).Sum()
	if r.opaque = reading.Opaque; r.opaque {
		r.depends = k.wholes(names)
		return r, ""
	}
	r.depends = k.dependencies(s, names, reading.Declared)
	r.point = k.point(p, reading.Tables, shape)
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

// needsNoCatalog reports whether the text changes nothing, whatever the catalog says, or may change everything.
func (p *plan) needsNoCatalog() bool {
	return p.write == nil && !p.calls || p.write != nil && p.write.everything
}

// needsNoSchema reports whether the plan is the same whatever there is in the database: its statements neither read tables
// nor change rows, or they may change anything, as definitions do.
func (p *plan) needsNoSchema() bool {
	return len(p.script.Parts) > 0 && !slices.ContainsFunc(p.script.Parts, func(s sqltext.Statement) bool {
		switch s.Class {
		case sqltext.Query, sqltext.Change:
			return true
		case sqltext.Unknown:
			return false
		default:
			return len(s.Calls) > 0 && (s.Class != sqltext.Definition || s.Temporary)
		}
	})
}

// readsCatalog reports whether the text reads nothing but relations of the database's own: it is never cached.
func (p *plan) readsCatalog(lexer sqltext.Dialect) bool {
	return p.read == nil && p.plainQuery(lexer) &&
		!slices.ContainsFunc(p.script.Parts[0].Relations, func(r sqltext.Relation) bool { return !relations.System(r) })
}

// plainQuery reports whether the text only reads, whatever functions there may be.
func (p *plan) plainQuery(lexer sqltext.Dialect) bool {
	return len(p.script.Parts) == 1 && p.script.Parts[0].Class == sqltext.Query &&
		!p.script.Calls(func(call string) bool { return !lexer.Pure(call) && !lexer.Describes(call) })
}
