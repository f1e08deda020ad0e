package callbacks

import (
	"reflect"
	"sync"

	"gorm.io/gorm"
	gormcallbacks "gorm.io/gorm/callbacks"
	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
)

// A scanner fills the destinations of queries: models, slices of them, and counts, whose fields are of such types that
// GORM and database/sql do nothing with the driver's values but assign them. What it fills is what they would have made
// of the same rows, without a *sql.Rows between (docs/decisions/0016-scanning.md). All else is left to them. Use
// newScanner.
type scanner struct {
	kinds *fieldKinds
	mu    sync.RWMutex
	known map[shape][]field // nil: not for us
}

// A shape is what decides where values go.
type shape struct {
	schema  *schema.Schema
	columns *rowcodec.Columns
}

// maxShapes bounds what is remembered.
const maxShapes = 4096

func newScanner() *scanner {
	return &scanner{kinds: newFieldKinds(), known: map[shape][]field{}}
}

func (s *scanner) fields(sh shape) []field {
	s.mu.RLock()
	fields, ok := s.known[sh]
	s.mu.RUnlock()
	if ok {
		return fields
	}
	fields = s.kinds.fieldsOf(sh.schema, sh.columns.Names())
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxShapes {
		clear(s.known)
	}
	s.known[sh] = fields
	return fields
}

// isGORMs reports whether a handler is GORM's own for queries.
func isGORMs(handler func(*gorm.DB)) bool { return code(handler) == code(gormcallbacks.Query) }

// query does what GORM's handler of queries does, but fills the destination itself where it can.
func (s *shim) query(db *gorm.DB) {
	gormcallbacks.BuildQuerySQL(db)
	if db.DryRun || db.Error != nil {
		return
	}
	stmt := db.Statement
	if stmt.ConnPool == gorm.ConnPool(s) {
		st := s.statement(stmt.Context, stmt.SQL.String(), stmt.Vars)
		if !st.writes() {
			s.scan(s.read(st))
			return
		}
		s.scan(fromDatabase(s.queryWrite(st)))
		return
	}
	s.scan(fromDatabase(stmt.ConnPool.QueryContext(stmt.Context, stmt.SQL.String(), stmt.Vars...)))
}

// scan puts an answer where it belongs.
func (s *shim) scan(a answer, err error) {
	db := s.db
	if err == nil && a.rows == nil && s.fill(&a.play) {
		s.affected()
		return
	}
	rows, err := s.open(a, err)
	if err != nil {
		_ = db.AddError(err)
		return
	}
	defer func() { _ = db.AddError(rows.Close()) }()
	gorm.Scan(rows, db, 0)
	s.affected()
}

// fill fills the destination without GORM, if that is the same.
func (s *shim) fill(play *rowcodec.Playback) (filled bool) {
	defer s.rescueFill(&filled)
	return s.h.scanner.fill(s.db, play)
}

func (s *shim) affected() {
	if s.db.Statement.Result != nil {
		s.db.Statement.Result.RowsAffected = s.db.RowsAffected
	}
}

// fill fills the destination of a query. It answers false if that is GORM's affair, which then begins anew.
func (s *scanner) fill(db *gorm.DB, play *rowcodec.Playback) bool {
	stmt := db.Statement
	if play.Set == nil || play.Tail != nil || play.Err != nil || len(stmt.ColumnMapping) > 0 || stmt.Context.Err() != nil {
		return false
	}
	var filled bool
	var rows int
	switch dest := stmt.Dest.(type) {
	case *int64:
		rows, filled = 1, fillCount(dest, play.Set)
	default:
		rows, filled = s.fillModels(stmt, play.Set)
	}
	if !filled {
		return false
	}
	db.RowsAffected = int64(rows)
	if rows == 0 && stmt.RaiseErrorOnNotFound {
		_ = db.AddError(gorm.ErrRecordNotFound)
	}
	return true
}

func fillCount(dest *int64, set *rowcodec.Set) bool {
	if len(set.Rows) != 1 || len(set.Columns.Names()) != 1 {
		return false
	}
	var v rowcodec.Value
	r := set.Read(0)
	r.Next(&v)
	if v.Kind != rowcodec.Int {
		return false
	}
	*dest = v.Int()
	return true
}

// fillModels fills a model, or a slice of models or of pointers to them.
func (s *scanner) fillModels(stmt *gorm.Statement, set *rowcodec.Set) (rows int, ok bool) {
	to := stmt.ReflectValue
	// A single column may be what GORM calls a pluck.
	if stmt.Schema == nil || !to.IsValid() || len(set.Columns.Names()) < 2 {
		return 0, false
	}
	model := stmt.Schema.ModelType
	slice := to.Kind() == reflect.Slice
	if t := to.Type(); t != model && (!slice || t.Elem() != model && t.Elem() != reflect.PointerTo(model)) {
		return 0, false
	}
	fields := s.fields(shape{stmt.Schema, set.Columns})
	switch {
	case fields == nil:
		return 0, false
	case slice:
		return len(set.Rows), fillSlice(to, model, set, fields)
	case len(set.Rows) == 0:
		return 0, true
	default:
		return 1, fillModel(to, set, 0, fields)
	}
}

// fillSlice makes the slice as long as there are rows. The room that it has is used, as GORM does.
func fillSlice(to reflect.Value, model reflect.Type, set *rowcodec.Set, fields []field) bool {
	n := len(set.Rows)
	filled := to
	if to.Cap() < n || to.IsNil() {
		filled = reflect.MakeSlice(to.Type(), n, n)
	} else {
		filled = filled.Slice(0, n)
	}
	pointers := to.Type().Elem() != model
	for i := range n {
		at := filled.Index(i)
		if pointers {
			at.Set(reflect.New(model))
			at = at.Elem()
		} else {
			at.SetZero()
		}
		if !fillModel(at, set, i, fields) {
			return false
		}
	}
	to.Set(filled)
	return true
}

func fillModel(model reflect.Value, set *rowcodec.Set, row int, fields []field) bool {
	var v rowcodec.Value
	r := set.Read(row)
	for i := range fields {
		r.Next(&v)
		if !fields[i].set(model, &v) {
			return false
		}
	}
	return true
}
