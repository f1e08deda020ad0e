package soundness_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// gen draws what is random.
type gen struct{ *rand.Rand }

func newGen(seed uint64) *gen { return &gen{rand.New(rand.NewPCG(seed, seed))} }

func pick[T any](g *gen, values ...T) T { return values[g.IntN(len(values))] }

// A read is a query, as an application writes it.
type read struct {
	kind string
	// ordered is set if the order of its rows is certain, however the database reads them.
	ordered bool
	run     func(db *gorm.DB) any
}

// A readKind draws reads.
type readKind struct {
	name string
	draw func(g *gen) read
}

// readKinds are all there are, in the order of the report.
func readKinds() []readKind {
	var all []readKind
	for _, part := range [][]readKind{lookups(), lists(), joined(), preloads(), nested(), whole(), oddKeys()} {
		all = append(all, part...)
	}
	return all
}

// drawReads draws reads of every kind; more of those that few writes meet.
func drawReads(g *gen) []read {
	var all []read
	for _, k := range slices.Concat(readKinds(), whole(), oddKeys()) {
		r := k.draw(g)
		r.kind = k.name
		all = append(all, r)
	}
	return all
}

// An answer is all that a program sees of a read.
type answer struct {
	Value any
	Rows  int64
	Err   string `json:",omitempty"`
}

func seen(tx *gorm.DB, value any) any {
	a := answer{Value: value, Rows: tx.RowsAffected}
	if tx.Error != nil {
		a.Err = regexp.MustCompile(`0x[0-9a-f]+`).ReplaceAllString(tx.Error.Error(), "0x") // GORM prints pointers
	}
	return a
}

// ask reads, and prints the answer. A statement that a connection had prepared for another schema fails, with the plugin
// or without; it is asked once more, as often as there are connections and batches.
func (r read) ask(db *gorm.DB) string {
	text := r.once(db)
	for range 10 {
		if !strings.Contains(text, "cached plan must not change result type") {
			break
		}
		text = r.once(db)
	}
	return text
}

func (r read) once(db *gorm.DB) string {
	text, err := json.Marshal(r.run(db.Session(&gorm.Session{NewDB: true})))
	if err != nil {
		return err.Error()
	}
	if r.ordered {
		return string(text)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return err.Error()
	}
	return canonical(v)
}

// canonical prints a value, lists in an order of their own.
func canonical(v any) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = canonical(v[i])
		}
		slices.Sort(parts)
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for name, field := range v {
			parts = append(parts, name+":"+canonical(field))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	default:
		return fmt.Sprintf("%#v", v)
	}
}

// A scope adds conditions to a chain.
type scope = func(*gorm.DB) *gorm.DB

// many reads structs, one reads the first of them, maps reads what the columns hold.
func many[T any](s scope) read {
	return read{run: func(db *gorm.DB) any { var v []T; return seen(s(db).Find(&v), v) }}
}

func one[T any](s scope) read {
	return read{ordered: true, run: func(db *gorm.DB) any { var v T; return seen(s(db).First(&v), v) }}
}

func maps(s scope) read {
	return read{run: func(db *gorm.DB) any { var v []map[string]any; return seen(s(db).Scan(&v), v) }}
}

// count counts, pluck reads one column.
func count(s scope) read {
	return read{ordered: true, run: func(db *gorm.DB) any { var n int64; return seen(s(db).Count(&n), n) }}
}

func pluck(column string, s scope) read {
	return read{run: func(db *gorm.DB) any { var v []sql.NullString; return seen(s(db).Pluck(column, &v), v) }}
}

// text reads by a text.
func text(query string, args ...any) read {
	return maps(func(db *gorm.DB) *gorm.DB { return db.Raw(query, args...) })
}

// inOrder says that the order of the rows is certain.
func (r read) inOrder() read {
	r.ordered = true
	return r
}

// chain is what several scopes add.
func chain(scopes ...scope) scope {
	return func(db *gorm.DB) *gorm.DB {
		for _, s := range scopes {
			db = s(db)
		}
		return db
	}
}

func where(query any, args ...any) scope {
	return func(db *gorm.DB) *gorm.DB { return db.Where(query, args...) }
}

// by orders by expressions that leave nothing open.
func by(expressions string) scope {
	return func(db *gorm.DB) *gorm.DB { return db.Order(expressions) }
}

func limit(n int) scope { return func(db *gorm.DB) *gorm.DB { return db.Limit(n) } }

func unscoped(db *gorm.DB) *gorm.DB { return db.Unscoped() }

func model(v any) scope { return func(db *gorm.DB) *gorm.DB { return db.Model(v) } }

// Values from small domains, so that writes meet reads. Some are of rows that are not there yet.
func (g *gen) userID() int64  { return int64(g.IntN(9) + 1) }
func (g *gen) orderID() int64 { return int64(g.IntN(24) + 1) }
func (g *gen) itemID() int64  { return int64(g.IntN(24) + 1) }
func (g *gen) tagID() int     { return g.IntN(6) + 1 }
func (g *gen) companyID() int { return g.IntN(4) + 1 }
func (g *gen) ticketID() int  { return g.IntN(7) + 1 }

func (g *gen) userIDs() []int64 {
	ids := make([]int64, g.IntN(4)+1)
	for i := range ids {
		ids[i] = g.userID()
	}
	return ids
}

func (g *gen) status() string { return pick(g, "new", "paid", "New", "void") }
func (g *gen) email() string {
	return pick(g, "ada@x", "bob@x", "Cyd@x", "cyd@x", "zoe@x", "new@x", "")
}
func (g *gen) product() string { return pick(g, "pen", "ink", "cup", "hat") }
