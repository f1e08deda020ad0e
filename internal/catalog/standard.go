package catalog

import (
	"context"
	"strings"
)

// What a database that is not known says of itself, if it has the information schema of the SQL standard (ISO/IEC 9075-11).
// Rows cannot be told apart by their keys: how values are compared is not known.
const (
	ownSchemas = ` NOT IN ('information_schema', 'INFORMATION_SCHEMA', 'pg_catalog', 'sys', 'SYS', 'system', 'SYSTEM')`

	standardTables = `
SELECT t.table_schema, t.table_name, t.table_type, COALESCE(v.view_definition, '')
FROM information_schema.tables t
LEFT JOIN information_schema.views v ON v.table_schema = t.table_schema AND v.table_name = t.table_name
WHERE t.table_schema` + ownSchemas
	standardForeignKeys = `
SELECT r.constraint_name, c.table_name, p.table_name, r.delete_rule, r.update_rule, c.column_name, p.column_name
FROM information_schema.referential_constraints r
JOIN information_schema.key_column_usage c
  ON c.constraint_schema = r.constraint_schema AND c.constraint_name = r.constraint_name
JOIN information_schema.key_column_usage p
  ON p.constraint_schema = r.unique_constraint_schema AND p.constraint_name = r.unique_constraint_name
  AND p.ordinal_position = c.position_in_unique_constraint
ORDER BY c.table_schema, c.table_name, r.constraint_name, c.ordinal_position`
	standardTriggers = `
SELECT event_object_table, event_manipulation, action_timing, COALESCE(action_statement, '')
FROM information_schema.triggers`
	standardRoutines = `
SELECT routine_name, COALESCE(routine_definition, '') FROM information_schema.routines WHERE routine_schema` + ownSchemas
)

func loadStandard(ctx context.Context, q Querier) (*Catalog, error) {
	c := &Catalog{}
	s := schema{ctx: ctx, q: q, c: c}
	s.each(standardTables, 4, func(v []string) {
		t := Table{Schema: v[0], Name: v[1], Kind: Foreign, Definition: v[3]}
		switch kind := strings.ToUpper(v[2]); {
		case kind == "BASE TABLE":
			t.Kind = Base
		case kind == "VIEW":
			t.Kind = View
		case strings.Contains(kind, "TEMPORARY"):
			t.Temporary = true
		}
		c.Tables = append(c.Tables, t)
		c.Unsettled = c.Unsettled || v[2] == "" || t.Kind == View && t.Definition == ""
	})
	s.each(standardForeignKeys, 7, func(v []string) {
		s.foreignKey(v[0], ForeignKey{Child: v[1], Parent: v[2], OnDelete: v[3], OnUpdate: v[4]}, v[5], v[6])
	})
	s.each(standardTriggers, 4, s.trigger)
	s.each(standardRoutines, 2, s.routine)
	return c, s.err
}

// A schema collects a catalog from the rows of an information schema.
type schema struct {
	ctx context.Context //nolint:containedctx // lives as long as one reading
	q   Querier
	c   *Catalog
	err error
	// byName are the tables, once all are read.
	byName map[string]*Table
	// last is the name of the foreign key, or of the index, that was read last.
	last string
}

// each reads the rows of a query, as texts.
func (s *schema) each(query string, columns int, add func([]string)) {
	if s.err != nil {
		return
	}
	rows, err := s.q.QueryContext(s.ctx, query)
	if err != nil {
		s.err = err
		return
	}
	defer rows.Close()
	for rows.Next() {
		values := make([]string, columns)
		into := make([]any, columns)
		for i := range values {
			into[i] = &nullable{&values[i]}
		}
		if s.err = rows.Scan(into...); s.err != nil {
			return
		}
		add(values)
	}
	s.err = rows.Err()
}

// first reads the rows of the first query that the server can answer.
func (s *schema) first(columns int, add func([]string), queries ...string) {
	if s.err != nil {
		return
	}
	for _, query := range queries {
		s.err = nil
		if s.each(query, columns, add); s.err == nil {
			return
		}
	}
}

// nothing is a query without rows.
const nothing = "SELECT 1, 1 FROM (SELECT 1 AS one) t WHERE t.one = 2"

func (s *schema) key(table string, column Column) {
	if t := s.table(table); t != nil {
		t.Key = append(t.Key, column)
	}
}

// identity adds to what stands for a table as it is now.
func (s *schema) identity(table string, parts ...string) {
	if t := s.table(table); t != nil {
		t.Identity = digest(identityBytes, append(parts, t.Identity)...)
	}
}

// table returns a table that was read, or nil.
func (s *schema) table(name string) *Table {
	if s.byName == nil {
		s.byName = make(map[string]*Table, len(s.c.Tables))
		for i := range s.c.Tables {
			s.byName[s.c.Tables[i].Name] = &s.c.Tables[i]
		}
	}
	return s.byName[name]
}

// foreignKey adds one column of a key. Keys come column by column.
func (s *schema) foreignKey(name string, k ForeignKey, column, reference string) {
	// Names of keys need not be unique: of several parents that may be meant, all are.
	id := strings.Join([]string{k.Elsewhere, k.Child, k.Parent, name}, "\x00")
	if id != s.last {
		s.last = id
		s.c.ForeignKeys = append(s.c.ForeignKeys, k)
	}
	last := &s.c.ForeignKeys[len(s.c.ForeignKeys)-1]
	last.Columns, last.References = append(last.Columns, column), append(last.References, reference)
}

// Events of triggers, as bits of PostgreSQL's pg_trigger.tgtype.
const (
	before   = 1 << 1
	onInsert = 1 << 2
	onDelete = 1 << 3
	onUpdate = 1 << 4
)

// trigger adds a trigger: its table, its event, when it runs and its body. One whose body is not told may do anything.
func (s *schema) trigger(v []string) {
	t := Trigger{Table: v[0], Body: v[3]}
	switch strings.ToUpper(v[1]) {
	case "INSERT":
		t.Events = onInsert
	case "UPDATE":
		t.Events = onUpdate
	case "DELETE":
		t.Events = onDelete
	}
	if t.Events != 0 && !strings.EqualFold(v[2], "AFTER") {
		t.Events |= before
	}
	if t.Body == "" {
		t.Body = unknownBody
	}
	s.c.Triggers = append(s.c.Triggers, t)
}

// unknownBody stands for a body that is not told.
const unknownBody = "CALL unknown"

// routine adds a function or a procedure. What it is declared to be is not checked by databases, so that counts as nothing.
func (s *schema) routine(v []string) {
	s.c.Functions = append(s.c.Functions, Function{Name: v[0], Volatile: true, Body: v[1]})
}
