package tests_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// explained returns what the cache says of a statement.
func (h *handle) explained(t testing.TB, run func(*gorm.DB) error) (x rediscache.Explanation) {
	t.Helper()
	x.Statement = "of an earlier call"
	require.NoError(t, run(h.Clauses(rediscache.Explain(&x))))
	return x
}

// tagsOf returns the tags of an explanation, a line each; coarse ones with their reasons.
func tagsOf(x rediscache.Explanation) string {
	var lines []string
	for _, tag := range x.Tags {
		switch kind, _, _ := strings.Cut(tag.Tag, ":"); kind {
		case "row", "scope", "registry", "absent":
			lines = append(lines, tag.Tag)
		case "list":
			lines = append(lines, tag.Tag+strings.TrimPrefix(strings.TrimPrefix(tag.Why, "any row of the table"), "rows of the table changed"))
		default:
			lines = append(lines, tag.Tag+": "+tag.Why)
		}
	}
	return strings.Join(lines, "\n")
}

const (
	besidesRows = ": writes of which it is not known which rows they touch"
	besidesAll  = "all: changes of the schema, and whatever may change anything"
)

func TestExplainSaysWhatAnAnswerDependsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	require.NoError(t, w.plain().Exec("CREATE VIEW owed AS SELECT * FROM bills").Error)
	h := w.cached()
	bills := func(where string, args ...any) func(*gorm.DB) error {
		return func(db *gorm.DB) error { return db.Where(where, args...).Find(&[]bill{}).Error }
	}
	for name, c := range map[string]struct {
		run  func(*gorm.DB) error
		want string
	}{
		"row": {
			func(db *gorm.DB) error { return db.First(&patron{}, 1).Error },
			"row:patrons:1\nbulk:patrons" + besidesRows + "\n" + besidesAll,
		},
		"scope": {
			bills("patron_id = ?", 1),
			"scope:bills:patron_id=1\nregistry:bills\nbulk:bills" + besidesRows + "\n" + besidesAll,
		},
		"unique column": {
			func(db *gorm.DB) error { return db.Where("email = ?", "c1@x.org").First(&patron{}).Error },
			"scope:patrons:email=" + digestOf("c1xorg") + "\nregistry:patrons\nbulk:patrons" + besidesRows + "\n" + besidesAll,
		},
		"another column": {
			bills("status = ?", "paid"),
			"list:bills: conditions on [status] are none on a key or scope, of which it has [id patron_id]; " +
				"Policy.TagColumns adds scopes\n" + besidesAll,
		},
		"OR": {
			bills("patron_id = 1 OR amount > 3"),
			"list:bills: no simple condition (column = value, or IN) limits its rows in the one place where it is read\n" + besidesAll,
		},
		"too many values": {
			bills("patron_id IN (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17) AND amount > 0 ORDER BY status LIMIT 3"),
			"list:bills: its condition has more than 16 values\n" + besidesAll,
		},
		"a value without a name": {
			func(db *gorm.DB) error { return db.Where("email = ?", "ü").Find(&[]patron{}).Error },
			"list:patrons: an argument of its condition has no name among keys\n" + besidesAll,
		},
		"view": {
			func(db *gorm.DB) error { return db.Table("owed").Where("patron_id = 1").Find(&[]bill{}).Error },
			"list:bills: it is read through a view\n" + besidesAll,
		},
		"declared": {
			func(db *gorm.DB) error {
				return db.Clauses(rediscache.DependsOn("ribbons")).Where("patron_id = ?", 1).Find(&[]bill{}).Error
			},
			"scope:bills:patron_id=1\nregistry:bills\nbulk:bills" + besidesRows + "\n" + besidesAll +
				"\nlist:ribbons: it is declared, by DependsOn or CacheDependsOn; which of its rows count is not known",
		},
	} {
		require.Equal(t, c.want, tagsOf(h.explained(t, c.run)), name)
	}
}

func TestExplainSaysWhereAnAnswerCameFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.Policy = ttlconfig.Policy{TTL: time.Hour} }))
	point := func(db *gorm.DB) error { return db.First(&patron{}, 1).Error }
	miss := h.explained(t, point)
	require.Equal(t, metrics.Miss, miss.Outcome)
	require.Contains(t, miss.Statement, `WHERE "patrons"."id" = $1`)
	require.Zero(t, miss.Age)
	require.Contains(t, miss.Key, "row:patrons:1=")
	h.warm(t, func(db *gorm.DB) { require.NoError(t, point(db)) })
	before := w.cached() // of another process
	hit := before.explained(t, point)
	require.Equal(t, metrics.Hit, hit.Outcome)
	require.Equal(t, miss.Key, hit.Key)
	require.Equal(t, miss.Tags, hit.Tags)
	require.Positive(t, hit.Age)
	require.Less(t, hit.Age, time.Minute)
	require.InDelta(t, time.Hour-3*time.Minute, hit.TTL, float64(4*time.Minute))
	text := hit.String()
	require.Contains(t, text, "outcome   hit\n")
	require.Contains(t, text, "tag       row:patrons:1: a row, by primary key\n")
	absent := h.explained(t, func(db *gorm.DB) error { return db.Find(&patron{}, 99).Error })
	require.Equal(t, metrics.Miss, absent.Outcome)
	require.InDelta(t, time.Minute, absent.TTL, float64(10*time.Second), "it is served for AbsentTTL")
	some := h.explained(t, func(db *gorm.DB) error { return db.Find(&[]patron{}, []int{1, 2, 3}).Error })
	require.Equal(t, metrics.Miss, some.Outcome)
	require.Equal(t, []int{3, 1}, []int{some.Entries, some.Found})
}

func TestExplainSaysWhyAnAnswerIsNotCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	h := w.cached(withPlugin(func(c *rediscache.Config) {
		c.Models = ttlconfig.Models{ttlconfig.For[ribbon](): ttlconfig.Never}
	}))
	for want, run := range map[string]func(*gorm.DB) error{
		"control: the application asked for it": func(db *gorm.DB) error {
			return db.Clauses(rediscache.Bypass).First(&patron{}, 1).Error
		},
		"volatile: its answer depends on more than tables; function random": func(db *gorm.DB) error {
			return db.Where("random() < 2").Find(&[]bill{}).Error
		},
		"relation: it reads what is no table that may be cached; relation pg_class of another schema, or of the database's own": func(db *gorm.DB) error {
			return db.Table("pg_class").Limit(1).Find(&[]map[string]any{}).Error
		},
		"relation: it reads what is no table that may be cached; it reads no table": func(db *gorm.DB) error {
			return db.Raw("SELECT 1").Scan(new(int)).Error
		},
		"lock: it locks rows": func(db *gorm.DB) error { return db.Raw("SELECT * FROM bills FOR UPDATE").Scan(&[]bill{}).Error },
		"policy: the policy says that it is not to be cached": func(db *gorm.DB) error { return db.Find(&[]ribbon{}).Error },
		"cursor: Rows and Row hand a live cursor to the application": func(db *gorm.DB) error {
			return db.Model(&bill{}).Select("id").Limit(1).Row().Scan(new(int))
		},
		"transaction: inside a transaction the database answers": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Clauses().First(&patron{}, 1).Error })
		},
	} {
		x := h.explained(t, run)
		require.Equal(t, metrics.Bypass, x.Outcome, want)
		require.Contains(t, x.String(), "outcome   bypass; "+want+"\n")
	}
}

func TestExplainSaysWhatAWriteTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.billed()
	for _, text := range []string{
		"CREATE FUNCTION sum_up() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE ribbons SET text = ''x''; RETURN NEW; END'",
		"CREATE TABLE stamps (id int PRIMARY KEY, bill_id int REFERENCES bills ON DELETE CASCADE)",
		"CREATE TABLE slips (id int PRIMARY KEY)",
		"CREATE TRIGGER t AFTER UPDATE ON stamps FOR EACH ROW EXECUTE FUNCTION sum_up()",
	} {
		require.NoError(t, plain.Exec(text).Error)
	}
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.Where("patron_id = ?", 1).Find(&[]bill{}).Error) })
	for _, c := range []struct {
		name string
		run  func(*gorm.DB) error
		want string
	}{
		{
			"create", func(db *gorm.DB) error { return db.Create(&bill{PatronID: 4}).Error },
			"list:bills\nrow:bills:13\nscope:bills:patron_id=4",
		},
		{
			"update by key", func(db *gorm.DB) error { return db.Model(&bill{ID: 1}).Update("amount", 1).Error },
			"list:bills\nrow:bills:1\nscope:bills:patron_id=1",
		},
		{
			"move", func(db *gorm.DB) error { return db.Model(&bill{ID: 1}).Update("patron_id", 2).Error },
			"list:bills\nrow:bills:1\nscope:bills:patron_id=1\nscope:bills:patron_id=2",
		},
		{
			"in a transaction of its own", func(db *gorm.DB) error {
				return db.Transaction(func(tx *gorm.DB) error { return tx.Model(&bill{ID: 1}).Update("amount", 1).Error })
			},
			"list:bills\nrow:bills:1\nscope:bills:patron_id=2",
		},
		{
			"text", func(db *gorm.DB) error {
				return db.Exec("UPDATE bills SET amount = 1 WHERE patron_id = 3 AND id = 7").Error
			},
			"list:bills\nrow:bills:7\nscope:bills:patron_id=3",
		},
		{
			"any row", func(db *gorm.DB) error { return db.Model(&bill{}).Where("amount > ?", 2).Update("amount", 2).Error },
			"bulk:bills: any row may have changed: the condition names neither rows by id nor rows of a scope\nlist:bills",
		},
		{
			"primary key", func(db *gorm.DB) error { return db.Exec("UPDATE slips SET id = id + 10").Error },
			"bulk:slips: any row may have changed: the primary key is assigned\nlist:slips",
		},
		{
			"cascade", func(db *gorm.DB) error { return db.Delete(&bill{}, 2).Error },
			"bulk:stamps: any row may have changed: stamps(bill_id) REFERENCES bills ON DELETE CASCADE\nlist:bills\n" +
				"list:stamps: stamps(bill_id) REFERENCES bills ON DELETE CASCADE\nrow:bills:2\nscope:bills:patron_id=1",
		},
		{
			"trigger", func(db *gorm.DB) error { return db.Exec("UPDATE stamps SET bill_id = 1 WHERE id = 1").Error },
			"bulk:ribbons: any row may have changed: a trigger of stamps, function sum_up\n" +
				"list:ribbons: a trigger of stamps, function sum_up\nlist:stamps\nrow:stamps:1",
		},
		{
			"Touches", func(db *gorm.DB) error { return db.Clauses(rediscache.Touches("ribbons")).Exec("SELECT 1").Error },
			"bulk:ribbons: any row may have changed: Touches says so\nlist:ribbons",
		},
		{
			"schema", func(db *gorm.DB) error { return db.Exec("CREATE TABLE labels (id int)").Error },
			"all: it may have changed anything: it changes the schema\nschema: it may have changed the schema",
		},
		{"nothing", func(db *gorm.DB) error { return db.Exec("SET LOCAL work_mem = '8MB'").Error }, ""},
	} {
		x := h.explained(t, c.run)
		require.Equal(t, metrics.Outcome(""), x.Outcome, c.name)
		require.NotEmpty(t, x.Statement, c.name)
		require.Equal(t, c.want, tagsOf(x), c.name)
		require.Empty(t, x.Besides, c.name)
	}
}

// What may change anything has its reason, also if it is not the text that says so.
func TestExplainSaysWhyTouchesMayReachAnything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t) // its writes invalidate everything that is cached of a database
	require.NoError(t, w.members(1).Exec("CREATE TABLE ruled (id int)").Error)
	require.NoError(t, w.plain().Exec("CREATE RULE r AS ON UPDATE TO ruled DO ALSO DELETE FROM members").Error)
	h := w.cached()
	x := h.explained(t, func(db *gorm.DB) error { return db.Clauses(rediscache.Touches("ruled")).Exec("SELECT 1").Error })
	require.Equal(t, "all: it may have changed anything: what Touches names does\nschema: it may have changed the schema", tagsOf(x))
}

func TestExplainTellsAStatementFromThoseBesides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	h := w.cached()
	table := regexp.MustCompile(`(?:FROM|INTO) "(\w+)"`)
	tables := func(x rediscache.Explanation) (names []string) {
		for _, e := range append([]rediscache.Explanation{x}, x.Besides...) {
			names = append(names, table.FindStringSubmatch(e.Statement)[1])
		}
		return names
	}
	for _, db := range []*gorm.DB{h.DB, h.Session(&gorm.Session{})} {
		preload := func(db *gorm.DB) error {
			return db.Preload("Bills").Preload("Ribbons").Find(&[]patron{}, []int{1, 2}).Error
		}
		var x rediscache.Explanation
		require.NoError(t, preload(db.Clauses(rediscache.Explain(&x))))
		require.Equal(t, []string{"patrons", "bills", "patron_ribbons", "ribbons"}, tables(x))
		var y rediscache.Explanation
		require.NoError(t, preload(db.Clauses(rediscache.Explain(&y)).Session(&gorm.Session{})))
		require.Equal(t, []string{"patrons", "bills", "patron_ribbons", "ribbons"}, tables(y))
	}
	type receipt struct {
		ID       int
		PatronID int
		Patron   patron
	}
	require.NoError(t, h.AutoMigrate(&receipt{}))
	created := h.explained(t, func(db *gorm.DB) error { return db.Create(&receipt{Patron: patron{Email: "r"}}).Error })
	require.Equal(t, []string{"receipts", "patrons"}, tables(created), "the parent is inserted first")
	require.Contains(t, created.String(), "besides   \n  statement INSERT INTO \"patrons\"")
}

func TestExplainChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	h := w.cached()
	read := func(db *gorm.DB) func() {
		return func() { require.NoError(t, db.Where("patron_id = ?", 1).Find(&[]bill{}).Error) }
	}
	var x rediscache.Explanation
	asked := h.sql.during(read(h.Clauses(rediscache.Explain(&x))))
	require.Len(t, asked, 1)
	require.Empty(t, h.sql.during(read(h.DB)), "it is the same entry")
	require.Empty(t, h.sql.during(read(h.Clauses(rediscache.Explain(&x)))))
	require.Equal(t, metrics.Hit, x.Outcome)
	write := func(db *gorm.DB) func() {
		return func() { require.NoError(t, db.Model(&bill{ID: 1}).Update("amount", 5).Error) }
	}
	require.Equal(t, h.sql.during(write(h.DB)), h.sql.during(write(h.Clauses(rediscache.Explain(&x)))))
	require.NoError(t, h.Session(&gorm.Session{DryRun: true}).Clauses(rediscache.Explain(&x)).First(&patron{}, 1).Error)
	require.Equal(t, "outcome   nothing was sent to the database or to Redis\n", x.String())
}
