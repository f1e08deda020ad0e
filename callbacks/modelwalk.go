package callbacks

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
)

// modelWalk goes from a model along its associations, and adds what it finds to the facts.
//
// Other goroutines may be parsing models that it reaches: GORM adds associations to a model under its lock, and sets data
// types of fields under none. Here the lock is taken, and nothing is read that GORM still changes once an association can
// be seen.
type modelWalk struct {
	visited  map[*schema.Schema]bool
	facts    modelFacts
	grew     bool
	policies *policies
	wrong    []error
}

func (w *modelWalk) schema(s *schema.Schema) {
	if s == nil || w.visited[s] {
		return
	}
	w.visited[s] = true
	w.table(s)
	w.unique(s)
	w.depends(s)
	w.policy(s)
	for _, rel := range associations(s) {
		w.association(rel)
	}
}

// associations returns the associations of a model. Those that others have with it are found at the others: they can be
// seen here before they are complete.
func associations(s *schema.Schema) []*schema.Relationship {
	s.Relationships.Mux.RLock()
	defer s.Relationships.Mux.RUnlock()
	return slices.DeleteFunc(collect(nil, &s.Relationships), func(rel *schema.Relationship) bool { return rel.Schema != s })
}

// collect adds associations, also of embedded structs. Those are guarded by the model's own lock.
func collect(list []*schema.Relationship, r *schema.Relationships) []*schema.Relationship {
	for _, rel := range r.Relations {
		if rel != nil && !slices.Contains(list, rel) {
			list = append(list, rel)
		}
	}
	for _, embedded := range r.EmbeddedRelations {
		list = collect(list, embedded)
	}
	return list
}

func (w *modelWalk) association(rel *schema.Relationship) {
	if rel.FieldSchema == nil {
		return // GORM could not make it out
	}
	switch {
	case rel.JoinTable != nil:
		for _, own := range []bool{true, false} {
			w.references(rel.JoinTable.Table, side(rel, own))
		}
	case rel.Polymorphic != nil:
		w.references("", rel.References)
		w.references("", slices.DeleteFunc(slices.Clone(rel.References), func(r *schema.Reference) bool {
			return r.PrimaryKey == nil // the type
		}))
	default:
		w.references("", rel.References)
	}
	w.constraints(rel)
	w.schema(rel.FieldSchema)
	w.schema(rel.JoinTable)
}

// side returns what refers to one of the two sides of a join table.
func side(rel *schema.Relationship, own bool) []*schema.Reference {
	return slices.DeleteFunc(slices.Clone(rel.References), func(r *schema.Reference) bool { return r.OwnPrimaryKey != own })
}

// references adds the columns of a foreign key as a scope: of a table, or of the one that they are in.
func (w *modelWalk) references(table string, list []*schema.Reference) {
	columns := make([]string, 0, len(list))
	for _, ref := range list {
		f := ref.ForeignKey
		if f == nil || f.DBName == "" || f.Schema == nil {
			return
		}
		if table == "" {
			table = f.Schema.Table
		}
		columns = append(columns, f.DBName)
	}
	if table != "" {
		w.scope(bare(table), columns)
	}
}

// scopes adds those that a policy names.
func (w *modelWalk) scopes(table string, scopes [][]string) {
	for _, columns := range scopes {
		w.scope(table, columns)
	}
}

// scope adds a scope of a table; of any table, if none is named.
func (w *modelWalk) scope(table string, columns []string) {
	columns = slices.Clone(columns)
	slices.Sort(columns)
	columns = slices.Compact(columns)
	same := func(other []string) bool { return slices.Equal(other, columns) }
	if len(columns) == 0 || slices.ContainsFunc(w.facts.byTable[table], same) {
		return
	}
	if table == "" {
		if !slices.ContainsFunc(w.facts.everywhere, same) {
			w.facts.everywhere = sorted(w.facts.everywhere, columns)
			w.grew = true
		}
		return
	}
	w.facts.byTable[table] = sorted(w.facts.byTable[table], columns)
	w.grew = true
}

// sorted returns a list with one more scope: GORM keeps associations in no order.
func sorted(list [][]string, columns []string) [][]string {
	list = append(slices.Clip(list), columns)
	slices.SortFunc(list, slices.Compare)
	return list
}

// unique adds the unique indexes and fields of a model.
func (w *modelWalk) unique(s *schema.Schema) {
	table := bare(s.Table)
	for _, f := range s.Fields {
		if f.Unique && f.DBName != "" {
			w.scope(table, []string{f.DBName})
		}
	}
	for _, index := range indexes(s) {
		columns := make([]string, 0, len(index.Fields))
		for _, o := range index.Fields {
			if o.Expression == "" && o.DBName != "" {
				columns = append(columns, o.DBName)
			}
		}
		if index.Class == "UNIQUE" && len(columns) == len(index.Fields) {
			w.scope(table, columns)
		}
	}
}

// indexes returns the indexes of a model. GORM writes to the fields of which it parses indexes, so it is given others.
func indexes(s *schema.Schema) []*schema.Index {
	twin := &schema.Schema{Name: s.Name, Table: s.Table}
	for _, f := range s.Fields {
		twin.Fields = append(twin.Fields, &schema.Field{
			Name: f.Name, DBName: f.DBName, Tag: f.Tag, TagSettings: f.TagSettings, Schema: f.Schema,
		})
	}
	return twin.ParseIndexes()
}

// A dependent is a model that says which tables its own depends on.
type dependent interface{ CacheDependsOn() []string }

// depends asks the model which tables its own depends on, once. If it does not tell, its table is not cached.
func (w *modelWalk) depends(s *schema.Schema) {
	model, ok := reflect.TypeAssert[dependent](reflect.New(s.ModelType))
	if !ok || w.policies.asked[s] {
		return
	}
	table := bare(s.Table)
	names, err := dependsOn(model)
	if err != nil {
		w.wrong = append(w.wrong, fmt.Errorf("CacheDependsOn of %s: %w; its table is not cached", s.ModelType, err))
		w.policies.never(table, s.ModelType.String())
		w.grew = true
	}
	for _, name := range names {
		if name = bare(name); !slices.Contains(w.facts.depends[table], name) {
			w.facts.depends[table] = append(slices.Clip(w.facts.depends[table]), name)
			w.grew = true
		}
	}
}

// dependsOn returns what a model says. One that panics is not to take the application down.
func dependsOn(d dependent) (names []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panicked: %v", r)
		}
	}()
	return d.CacheDependsOn(), nil
}

// policy asks the model what is to be kept of its table.
func (w *modelWalk) policy(s *schema.Schema) {
	policy, found, err := w.policies.ask(s)
	if err != nil {
		w.wrong = append(w.wrong, err)
	}
	if found {
		w.grew = true // plans that were made before know another policy
		w.scopes(bare(s.Table), policy.Scopes())
	}
}

// constraints adds the foreign keys that AutoMigrate makes of an association. Of a polymorphic one it makes none.
func (w *modelWalk) constraints(rel *schema.Relationship) {
	if rel.Field == nil || rel.Polymorphic != nil {
		return
	}
	// It looks through the associations of the other side.
	rel.FieldSchema.Relationships.Mux.RLock()
	c := rel.ParseConstraint()
	rel.FieldSchema.Relationships.Mux.RUnlock()
	if c == nil {
		return // there is to be none, or the other side says what it is
	}
	if rel.JoinTable == nil {
		if c.Schema != nil && c.ReferenceSchema != nil {
			w.key(c, c.Schema.Table, c.ReferenceSchema.Table, rel.References)
		}
		return
	}
	for own, parent := range map[bool]string{true: rel.Schema.Table, false: rel.FieldSchema.Table} {
		w.key(c, rel.JoinTable.Table, parent, side(rel, own))
	}
}

// key adds a foreign key with the actions of a constraint.
func (w *modelWalk) key(c *schema.Constraint, child, parent string, list []*schema.Reference) {
	k := catalog.ForeignKey{Child: bare(child), Parent: bare(parent), OnDelete: c.OnDelete, OnUpdate: c.OnUpdate}
	for _, ref := range list {
		if ref.PrimaryKey == nil || ref.ForeignKey == nil {
			return
		}
		k.Columns, k.References = append(k.Columns, ref.ForeignKey.DBName), append(k.References, ref.PrimaryKey.DBName)
	}
	if len(k.Columns) == 0 || slices.ContainsFunc(w.facts.keys, func(o catalog.ForeignKey) bool {
		return o.Child == k.Child && o.Parent == k.Parent && o.OnDelete == k.OnDelete && o.OnUpdate == k.OnUpdate &&
			slices.Equal(o.Columns, k.Columns) && slices.Equal(o.References, k.References)
	}) {
		return
	}
	w.facts.keys = append(w.facts.keys, k)
	w.grew = true
}

// table adds the table of a model, as AutoMigrate makes it in PostgreSQL. Of two models with one table, what one does not
// know counts as said by the other.
func (w *modelWalk) table(s *schema.Schema) {
	// Whether the role may read it, and the database has all columns of the model, is not known: its writes return no rows.
	t := catalog.Table{Name: bare(s.Table), Kind: catalog.Base, Unreadable: true}
	before, twice := w.facts.tables[t.Name]
	t.Columns = slices.Clone(before.Columns)
	for _, name := range s.DBNames {
		c := modelColumn(s.FieldsByDBName[name])
		at := slices.IndexFunc(t.Columns, func(o catalog.Column) bool { return o.Name == name })
		if at < 0 {
			t.Columns = append(t.Columns, c)
			continue
		}
		o := &t.Columns[at]
		o.Default, o.Generated = o.Default || c.Default, o.Generated || c.Generated
		if o.Type != c.Type {
			o.Type = opaqueType
		}
	}
	for _, f := range s.PrimaryFields {
		if c := modelColumn(f); c.Name != "" {
			t.Key = append(t.Key, catalog.Column{Name: c.Name, Type: c.Type})
		}
	}
	if twice {
		t.Key = commonKey(before.Key, t.Key)
		if slices.Equal(t.Key, before.Key) && slices.Equal(t.Columns, before.Columns) {
			return
		}
	}
	w.facts.tables[t.Name] = t
	w.grew = true
}

// commonKey returns the primary key of a table that two models have: that of both, or of the one that has any. If they
// differ, it returns a key by which rows cannot be named, for good.
func commonKey(a, b []catalog.Column) []catalog.Column {
	switch {
	case len(b) == 0, slices.Equal(a, b):
		return a
	case len(a) == 0:
		return b
	default:
		return []catalog.Column{{Type: opaqueType}}
	}
}

// opaqueType is the type of a column whose values cannot be named.
const opaqueType = "opaque"

// modelColumn describes the column of a field, as AutoMigrate makes it in PostgreSQL.
func modelColumn(f *schema.Field) catalog.Column {
	declared := strings.ToLower(f.TagSettings["TYPE"])
	c := catalog.Column{
		Name: f.DBName, Type: opaqueType, Generated: strings.Contains(declared, "generated"),
		Default: f.HasDefaultValue || f.PrimaryKey || f.TagSettings["DEFAULT"] != "" || f.TagSettings["AUTOINCREMENT"] != "",
	}
	name, _, _ := strings.Cut(declared, "(")
	switch name = strings.TrimSpace(name); name {
	case "":
		c.Type = goType(f)
	case "bigint", "int8", "bigserial", "integer", "int", "int4", "serial", "smallint", "int2", "smallserial":
		c.Type = "int8"
	case "text", "varchar", "character varying", "char", "character", "bpchar", "uuid", "citext":
		c.Type = "text"
	}
	return c
}

// goType returns the type that a field's Go type stands for. One with methods may be anything to the database.
func goType(f *schema.Field) string {
	t := f.IndirectFieldType
	value := reflect.New(t).Interface()
	_, valuer := value.(driver.Valuer)
	_, typed := value.(schema.GormDataTypeInterface)
	if valuer || typed || f.Serializer != nil || f.TagSettings["SERIALIZER"] != "" {
		return opaqueType
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "int8"
	case reflect.String:
		return "text"
	default:
		return opaqueType
	}
}
