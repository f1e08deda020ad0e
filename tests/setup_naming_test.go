package tests_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// incident and remark are in tables whose names a NamingStrategy makes.
type incident struct {
	ID      int `gorm:"primaryKey;autoIncrement:false"`
	Name    string
	Level   int
	Remarks []remark `gorm:"foreignKey:IncidentID"`
}

type remark struct {
	ID         int `gorm:"primaryKey;autoIncrement:false"`
	Text       string
	IncidentID int
	Incident   *incident `gorm:"foreignKey:IncidentID"`
}

// naming is a way to name tables and columns.
type naming struct {
	schema.NamingStrategy
	// schema is where its tables are, if not where the search path says.
	schema string
}

func namings() map[string]naming {
	return map[string]naming{
		"schema":               {schema.NamingStrategy{TablePrefix: "audit."}, "audit"},
		"schema and prefix":    {schema.NamingStrategy{TablePrefix: "audit.t_"}, "audit"},
		"schema, singular":     {schema.NamingStrategy{TablePrefix: "audit.", SingularTable: true}, "audit"},
		"schema in capitals":   {schema.NamingStrategy{TablePrefix: "Audit."}, "Audit"},
		"prefix":               {schema.NamingStrategy{TablePrefix: "app_"}, ""},
		"prefix in capitals":   {schema.NamingStrategy{TablePrefix: "App_"}, ""},
		"singular":             {schema.NamingStrategy{SingularTable: true}, ""},
		"case of the model":    {schema.NamingStrategy{NoLowerCase: true}, ""},
		"names by a replacer":  {schema.NamingStrategy{NameReplacer: strings.NewReplacer("Incident", "Affair")}, ""},
		"a word of SQL":        {schema.NamingStrategy{SingularTable: true, NameReplacer: strings.NewReplacer("Incident", "Order")}, ""},
		"schema, case, prefix": {schema.NamingStrategy{TablePrefix: "Audit.App", NoLowerCase: true}, "Audit"},
	}
}

// named configures a handle with the naming.
func (n naming) named() option {
	return withGORM(func(c *gorm.Config) { c.NamingStrategy = n.NamingStrategy })
}

// table and column return names as they are written in SQL.
func (n naming) table() string { return quoted(n.TableName("incident")) }

func (n naming) column(field string) string { return quoted(n.ColumnName("", field)) }

func quoted(name string) string {
	return `"` + strings.ReplaceAll(name, ".", `"."`) + `"`
}

// newNaming makes a database of its own with the tables of a naming, and a few rows.
func newNaming(t *testing.T, n naming) (*world, *handle) {
	t.Helper()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t)
	plain := w.plain(n.named())
	if n.schema != "" {
		require.NoError(t, plain.Exec(`CREATE SCHEMA "`+n.schema+`"`).Error)
	}
	require.NoError(t, plain.AutoMigrate(&incident{}, &remark{}))
	require.NoError(t, plain.Create(&[]incident{
		{ID: 1, Name: "one", Level: 1, Remarks: []remark{{ID: 11, Text: "a"}, {ID: 12, Text: "b"}}},
		{ID: 2, Name: "two", Level: 1, Remarks: []remark{{ID: 21, Text: "c"}}},
		{ID: 3, Name: "three", Level: 2},
	}).Error)
	return w, plain
}

// inquire returns everything that is read of the incidents: by key, as lists, with a preload, a join, columns and numbers.
func inquire(t testing.TB, db *gorm.DB) any {
	t.Helper()
	var row, absent []incident
	var keys, list []incident
	var remarks []remark
	var names []string
	var count int64
	require.NoError(t, db.Find(&row, 1).Error)
	require.NoError(t, db.Find(&absent, 9).Error)
	require.NoError(t, db.Order(clause.OrderByColumn{Column: clause.PrimaryColumn}).Find(&keys, []int{1, 2, 9}).Error)
	require.NoError(t, db.Preload("Remarks").Where(&incident{Level: 1}).Order(clause.OrderByColumn{Column: clause.PrimaryColumn}).Find(&list).Error)
	require.NoError(t, db.Joins("Incident").Order(clause.OrderByColumn{Column: clause.PrimaryColumn}).Find(&remarks).Error)
	require.NoError(t, db.Model(&incident{}).Order(clause.OrderByColumn{Column: clause.PrimaryColumn}).Pluck("Name", &names).Error)
	require.NoError(t, db.Model(&incident{}).Where(&incident{Level: 1}).Count(&count).Error)
	return []any{row, absent, keys, list, remarks, names, count}
}

// namedWrites are the kinds of writes, with a model of a naming.
func namedWrites() map[string]func(*gorm.DB) error {
	return map[string]func(*gorm.DB) error{
		"update by key": func(db *gorm.DB) error { return db.Model(&incident{ID: 1}).Update("Name", "updated").Error },
		"update in bulk": func(db *gorm.DB) error {
			return db.Model(&incident{}).Where(&incident{Level: 1}).Update("Name", "bulk").Error
		},
		"save":   func(db *gorm.DB) error { return db.Save(&incident{ID: 1, Name: "saved", Level: 1}).Error },
		"create": func(db *gorm.DB) error { return db.Create(&incident{ID: 9, Name: "nine", Level: 1}).Error },
		"create with what belongs to it": func(db *gorm.DB) error {
			return db.Create(&incident{ID: 9, Level: 1, Remarks: []remark{{ID: 91, Text: "new"}}}).Error
		},
		"upsert": func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&incident{ID: 1, Name: "upserted", Level: 1}).Error
		},
		"delete by key":  func(db *gorm.DB) error { return db.Delete(&incident{}, 3).Error },
		"delete in bulk": func(db *gorm.DB) error { return db.Where(&remark{Text: "b"}).Delete(&remark{}).Error },
		"association": func(db *gorm.DB) error {
			return db.Model(&incident{ID: 1}).Association("Remarks").Append(&remark{ID: 92, Text: "appended"})
		},
		"returning": func(db *gorm.DB) error {
			return db.Model(&incident{}).Clauses(clause.Returning{}).Where(&incident{ID: 2}).Update("Name", "returned").Error
		},
		"transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Model(&incident{ID: 1}).Update("Name", "in tx").Error })
		},
		"autocommit": func(db *gorm.DB) error {
			return db.Session(&gorm.Session{SkipDefaultTransaction: true}).Model(&incident{ID: 1}).Update("Name", "auto").Error
		},
		"expression": func(db *gorm.DB) error {
			return db.Model(&incident{ID: 1}).Update("Level", gorm.Expr("? + 0 * ?", clause.Column{Name: clause.PrimaryKey}, 2)).
				Update("Name", "expr").Error
		},
	}
}

// However tables are named, reads are cached, and each kind of write makes them unservable.
func TestNamesOfTablesAreCachedAndInvalidated(t *testing.T) {
	t.Parallel()
	for name, n := range namings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, plain := newNaming(t, n)
			writer, reader := w.cached(n.named()), w.cached(n.named())
			agreesFromCache(t, plain, reader, name, func(db *gorm.DB) any { return inquire(t, db) })
			e := reader.log.read(t, func() { require.NoError(t, reader.First(&incident{}, 1).Error) })
			require.Equal(t, metrics.Row, e.Kind)
			for kind, write := range namedWrites() {
				before := inquire(t, plain.DB)
				require.NoError(t, write(writer.DB), kind)
				after := inquire(t, plain.DB)
				require.NotEqual(t, before, after, kind)
				require.Equal(t, after, inquire(t, reader.DB), kind)
				agreesFromCache(t, plain, reader, kind, func(db *gorm.DB) any { return inquire(t, db) })
				n.reset(t, writer)
				agreesFromCache(t, plain, reader, kind, func(db *gorm.DB) any { return inquire(t, db) })
			}
		})
	}
}

// reset makes the rows what they were.
func (n naming) reset(t *testing.T, h *handle) {
	t.Helper()
	all := h.Session(&gorm.Session{AllowGlobalUpdate: true, NewDB: true})
	require.NoError(t, all.Delete(&remark{}).Error)
	require.NoError(t, all.Delete(&incident{}).Error)
	require.NoError(t, h.Create(&[]incident{
		{ID: 1, Name: "one", Level: 1, Remarks: []remark{{ID: 11, Text: "a"}, {ID: 12, Text: "b"}}},
		{ID: 2, Name: "two", Level: 1, Remarks: []remark{{ID: 21, Text: "c"}}},
		{ID: 3, Name: "three", Level: 2},
	}).Error)
}

// Handles that name the same tables in other ways share entries with, and invalidate those of, the ones that made them.
func TestWritersOfAnotherNaming(t *testing.T) {
	t.Parallel()
	for name, n := range namings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, plain := newNaming(t, n)
			reader, other := w.cached(n.named()), w.cached()
			path := other
			if n.schema != "" {
				path = w.with("search_path", "%22"+n.schema+"%22").cached()
			}
			bare := n.TableName("incident")
			bare = bare[strings.LastIndexByte(bare, '.')+1:]
			id, column := n.column("ID"), n.column("Name")
			writes := map[string]func(string) error{
				"table": func(v string) error {
					return other.Table(n.TableName("incident")).Where(id+" = ?", 1).Update(n.ColumnName("", "Name"), v).Error
				},
				"table by the search path": func(v string) error {
					return path.Table(bare).Where(id+" = ?", 1).Update(n.ColumnName("", "Name"), v).Error
				},
				"text": func(v string) error {
					return other.Exec("UPDATE "+n.table()+" SET "+column+" = ? WHERE "+id+" = 1", v).Error
				},
				"text by the search path": func(v string) error {
					return path.Exec("UPDATE "+quoted(bare)+" SET "+column+" = ? WHERE "+id+" = 1", v).Error
				},
				"text with an alias": func(v string) error {
					return other.Exec("UPDATE "+n.table()+" AS x SET "+column+" = ? WHERE x."+id+" = 1", v).Error
				},
				"text with the database's name": func(v string) error {
					if n.schema == "" {
						return other.Exec("UPDATE public."+n.table()+" SET "+column+" = ?", v).Error
					}
					return other.Exec("UPDATE "+n.table()+" SET "+column+" = ?", v).Error
				},
				"map": func(v string) error {
					return other.Table(n.TableName("incident")).Where(id+" = ?", 1).
						Updates(map[string]any{n.ColumnName("", "Name"): v}).Error
				},
			}
			for _, kind := range slices.Sorted(maps.Keys(writes)) {
				agreesFromCache(t, plain, reader, kind, func(db *gorm.DB) any { return inquire(t, db) })
				require.NoError(t, writes[kind](kind), kind)
				var got incident
				require.NoError(t, reader.First(&got, 1).Error, kind)
				require.Equal(t, kind, got.Name)
				agrees(t, plain, reader, kind, func(db *gorm.DB) any { return inquire(t, db) })
			}
		})
	}
}

// Tables of one name in two schemas, on one Redis, with the same keys, and handles whose naming tells them apart.
func TestNamingsOfTwoSchemasDoNotMix(t *testing.T) {
	t.Parallel()
	audit := namings()["schema"]
	w, plainAudit := newNaming(t, audit)
	plain := w.plain()
	require.NoError(t, plain.AutoMigrate(&incident{}, &remark{}))
	audit.reset(t, plain)
	require.NoError(t, plain.Exec("UPDATE incidents SET name = 'public'").Error)
	a, b := w.cached(audit.named()), w.cached()
	check := func() {
		t.Helper()
		agreesFromCache(t, plainAudit, a, "audit", func(db *gorm.DB) any { return inquire(t, db) })
		agreesFromCache(t, plain, b, "public", func(db *gorm.DB) any { return inquire(t, db) })
	}
	check()
	require.NotEqual(t, inquire(t, a.DB), inquire(t, b.DB))
	for kind, write := range namedWrites() {
		require.NoError(t, write(a.DB), kind)
		agrees(t, plainAudit, a, kind, func(db *gorm.DB) any { return inquire(t, db) })
		agrees(t, plain, b, kind, func(db *gorm.DB) any { return inquire(t, db) })
		audit.reset(t, a)
		check()
	}
}
