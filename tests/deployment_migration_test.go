package tests_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// A migration is a change of the schema, and what is written after it.
type migration struct {
	name string
	run  func(*gorm.DB) error
	// then is a write whose consequences the change has made others, or nil.
	then func(*gorm.DB) error
}

// comment refers to a post.
type comment struct {
	ID     int
	PostID int
	Text   string
}

// commentOfPost is a comment that goes with its post.
type commentOfPost struct {
	ID     int
	PostID int
	Post   *postBefore `gorm:"constraint:OnDelete:CASCADE"`
	Text   string
}

func (comment) TableName() string       { return "comments" }
func (commentOfPost) TableName() string { return "comments" }

const migrationSchema = deploymentSchema + `;
	CREATE TABLE comments (id bigserial PRIMARY KEY, post_id bigint, text text);
	INSERT INTO comments (post_id, text) VALUES (1, 'a'), (1, 'b'), (2, 'c');
	CREATE VIEW priced AS SELECT id, heading AS amount FROM posts`

// migrations are what GORM's Migrator does, and what programs do by text.
func migrations() []migration {
	deletePost := func(db *gorm.DB) error { return db.Exec("DELETE FROM posts WHERE id = ?", 1).Error }
	return []migration{
		{name: "AutoMigrate adds", run: func(db *gorm.DB) error {
			type post struct {
				postBefore
				More string `gorm:"default:new"`
			}
			return db.AutoMigrate(&post{})
		}},
		{name: "AutoMigrate alters", run: func(db *gorm.DB) error {
			type post struct {
				ID    int
				Price string `gorm:"size:40"`
			}
			return db.AutoMigrate(&post{})
		}},
		{name: "AutoMigrate with table options", run: func(db *gorm.DB) error {
			return db.Set("gorm:table_options", "WITH (fillfactor = 70)").AutoMigrate(&author{}, &postWithColumn{}, &commentOfPost{})
		}, then: deletePost},
		{name: "AddColumn", run: func(db *gorm.DB) error {
			type post struct {
				More int `gorm:"default:7"`
			}
			return db.Migrator().AddColumn(&post{}, "More")
		}},
		{name: "DropColumn", run: func(db *gorm.DB) error { return db.Migrator().DropColumn(&postBefore{}, "subtitle") }},
		{name: "RenameColumn", run: func(db *gorm.DB) error { return db.Migrator().RenameColumn(&postBefore{}, "title", "caption") }},
		{name: "RenameColumn, swapped", run: func(db *gorm.DB) error {
			m := db.Migrator()
			return errors.Join(m.RenameColumn(&postBefore{}, "title", "swap"), m.RenameColumn(&postBefore{}, "heading", "title"),
				m.RenameColumn(&postBefore{}, "swap", "heading"))
		}},
		{name: "AlterColumn", run: func(db *gorm.DB) error {
			type post struct {
				Price string `gorm:"type:text"`
			}
			return db.Migrator().AlterColumn(&post{}, "Price")
		}},
		{name: "DropTable and CreateTable", run: func(db *gorm.DB) error {
			return errors.Join(db.Migrator().DropTable(&comment{}), db.Migrator().CreateTable(&comment{}))
		}},
		{name: "RenameTable", run: func(db *gorm.DB) error {
			return errors.Join(db.Migrator().RenameTable("comments", "remarks"), db.Migrator().RenameTable("authors", "comments"))
		}},
		{name: "CreateView, replaced", run: func(db *gorm.DB) error {
			return db.Migrator().CreateView("priced", gorm.ViewOption{
				Replace: true, Query: db.Table("authors").Select("id", "name AS amount"),
			})
		}, then: func(db *gorm.DB) error { return db.Exec("DELETE FROM authors WHERE id = ?", 2).Error }},
		{name: "DropView and CreateView", run: func(db *gorm.DB) error {
			return errors.Join(db.Migrator().DropView("priced"), db.Migrator().CreateView("priced", gorm.ViewOption{
				Query: db.Table("comments").Select("*"),
			}))
		}, then: func(db *gorm.DB) error { return db.Exec("DELETE FROM comments WHERE id = ?", 2).Error }},
		{name: "CreateIndex", run: func(db *gorm.DB) error {
			type comment struct {
				PostID int `gorm:"index"`
			}
			return db.Migrator().CreateIndex(&comment{}, "PostID")
		}, then: deletePost},
		{name: "CreateConstraint", run: func(db *gorm.DB) error {
			return db.Migrator().CreateConstraint(&commentOfPost{}, "Post")
		}, then: deletePost},
	}
}

// migrationTexts are what GORM's Migrator cannot say.
func migrationTexts() []migration {
	deletePost := func(db *gorm.DB) error { return db.Exec("DELETE FROM posts WHERE id = ?", 1).Error }
	update := func(db *gorm.DB) error { return db.Exec("UPDATE posts SET price = 1 WHERE author_id = ?", 1).Error }
	return []migration{
		{name: "ALTER TABLE", run: statement("ALTER TABLE posts ADD more text DEFAULT 'x', DROP deleted_at")},
		{name: "ALTER TYPE of a column", run: statement("ALTER TABLE posts ALTER price TYPE text USING price || ' EUR'")},
		{name: "foreign key", run: statement("ALTER TABLE comments ADD FOREIGN KEY (post_id) REFERENCES posts ON DELETE SET NULL"), then: deletePost},
		{name: "another primary key", run: statement("ALTER TABLE posts DROP CONSTRAINT posts_pkey; UPDATE posts SET id = 1; ALTER TABLE posts ADD PRIMARY KEY (title)"), then: update},
		{name: "trigger", run: statement(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN INSERT INTO comments (text) VALUES (NEW.title); RETURN NEW; END $$;
			CREATE TRIGGER note AFTER UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION note()`), then: update},
		{name: "rule", run: statement("CREATE RULE gone AS ON UPDATE TO posts DO ALSO DELETE FROM comments"), then: update},
		{
			name: "inheritance", run: statement("CREATE TABLE drafts () INHERITS (posts)"),
			then: statement("INSERT INTO drafts (id, title) VALUES (50, 'draft')"),
		},
		{
			name: "table that becomes a view", run: statement("ALTER TABLE comments RENAME TO all_comments; " +
				"CREATE VIEW comments AS SELECT id, post_id, text FROM all_comments WHERE post_id = 1"),
			then: statement("DELETE FROM all_comments WHERE id = 1"),
		},
		{name: "another schema", run: statement("CREATE SCHEMA elsewhere; ALTER TABLE comments SET SCHEMA elsewhere; " +
			"CREATE TABLE comments (id int PRIMARY KEY, text text)")},
	}
}

// shapesOfMigrations is what is read of the tables that are migrated: by models of the old version, and as they are.
func shapesOfMigrations() version {
	v := version{reads: readsOf[postBefore]("title")}
	for _, table := range []string{"posts", "authors", "comments", "priced"} {
		v.reads["all of "+table] = func(db *gorm.DB) any {
			var rows []map[string]any
			err := db.Table(table).Order("1").Find(&rows).Error
			return []any{rows, toldOf(err)}
		}
		v.reads["one of "+table] = func(db *gorm.DB) any {
			row := map[string]any{}
			err := db.Table(table).Where("id = ?", 2).Take(&row).Error
			return []any{row, toldOf(err)}
		}
	}
	return v
}

// A migrationWay is how a migration is run.
type migrationWay struct {
	run func(*gorm.DB, func(*gorm.DB) error) error
	// undone is set if nothing comes of it.
	undone bool
}

var migrationWays = map[string]migrationWay{
	"by itself": {run: func(db *gorm.DB, run func(*gorm.DB) error) error { return run(db) }},
	"committed": {run: func(db *gorm.DB, run func(*gorm.DB) error) error { return db.Transaction(run) }},
	"rolled back": {undone: true, run: func(db *gorm.DB, run func(*gorm.DB) error) error {
		err := db.Transaction(func(tx *gorm.DB) error {
			if err := run(tx); err != nil {
				return err
			}
			// What is learned here is learned of a catalog that will not come to be.
			return errors.Join(tx.Exec("UPDATE posts SET price = 99").Error, errWay)
		})
		if errors.Is(err, errWay) {
			return nil
		}
		return err
	}},
}

// After any change of the schema, committed or rolled back, nobody gets an answer of the old shape, and writes reach what
// they reach in the new schema: in the process that changed it, and in another.
func TestMigrationsOutdateEverythingThatWasKnown(t *testing.T) {
	t.Parallel()
	all := append(migrations(), migrationTexts()...)
	for i, m := range all {
		if testing.Short() && i%6 > 0 {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			// Tables of one name in other schemas would be taken for the same ones, and hide what is wrong.
			database := testkit.PostgresDatabase(t)
			for name, way := range migrationWays {
				t.Run(name, func(t *testing.T) { // one after the other: they share the database
					w := newWorld(t)
					w.dsn = database
					w.migrates(m, way)
				})
			}
		})
	}
}

// migrates carries out a migration in a database with the tables that it changes, and looks at what is read afterwards.
func (w *world) migrates(m migration, way migrationWay) {
	w.t.Helper()
	setup := w.plain()
	require.NoError(w.t, setup.Exec("DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS elsewhere CASCADE; CREATE SCHEMA public;"+migrationSchema).Error)
	own, other := w.start(shapesOfMigrations()), w.start(shapesOfMigrations())
	own.warm(w.t, "before")
	other.warm(w.t, "before")
	before := own.answers()
	require.NoError(w.t, way.run(own.cached.DB, m.run))
	w.requireFreshShapes(own, other, "after the migration")
	if way.undone {
		require.Equal(w.t, before, own.answers())
		return
	}
	if m.then == nil {
		return
	}
	before = own.answers()
	require.NoError(w.t, m.then(other.cached.DB))
	require.NotEqual(w.t, before, own.answers(), "the write changes nothing")
	w.requireFreshShapes(own, other, "after the write")
}

// requireFreshShapes requires that both processes answer as the database does that nobody has asked before. What was
// prepared for a table that has changed since fails once, without a cache as well.
func (w *world) requireFreshShapes(own, other running, when string) {
	w.t.Helper()
	fresh := w.plain()
	for name, read := range own.reads {
		want := read(fresh.DB)
		for who, r := range map[string]running{"own": own, "other": other} {
			got := read(r.cached.DB)
			if isPlanError(got) {
				got = read(r.cached.DB)
			}
			require.Equal(w.t, want, got, "%s, %s, %s", when, who, name)
			require.Equal(w.t, want, read(r.cached.DB), "%s, %s, %s, again", when, who, name)
			if isPlanError(read(r.plain.DB)) { // the same of it
				require.Equal(w.t, want, read(r.plain.DB), name)
			}
		}
	}
}

// isPlanError reports whether a read failed because of a statement that was prepared before the table changed.
func isPlanError(answer any) bool {
	parts, ok := answer.([]any)
	return ok && parts[len(parts)-1] == "ERROR: cached plan must not change result type (SQLSTATE 0A000)"
}

// The version that runs on while another one migrates gets, step by step, what it would get without a cache. Where a
// statement fails without it, because it was prepared before, the cache may have the answer.
func TestOldVersionRunsOnWhileTheNewOneMigrates(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]option{
		"extended": nil,
		"prepared": {withGORM(func(c *gorm.Config) { c.PrepareStmt = true })},
		"wrapped":  {withPlugin(func(c *rediscache.Config) { c.WrapConnPool = true })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.dsn = testkit.PostgresDatabase(t)
			require.NoError(t, w.plain().Exec(migrationSchema).Error)
			old := shapesOfMigrations()
			old.options = options
			v1, v2 := w.start(old), w.cached()
			for _, h := range []*handle{v1.plain, v1.cached} {
				pool, err := h.DB.DB()
				require.NoError(t, err)
				pool.SetMaxOpenConns(1) // what was prepared on one connection is met again
			}
			v1.warm(t, "before")
			for i, step := range []func(*gorm.DB) error{
				func(db *gorm.DB) error { return db.AutoMigrate(&author{}, &postWithColumn{}, &commentOfPost{}) },
				statement("ALTER TABLE posts ADD more int DEFAULT 5"),
				statement("ALTER TABLE posts DROP subtitle"),
				statement("ALTER TABLE authors ALTER name TYPE varchar(40)"),
				statement("ALTER TABLE posts RENAME title TO caption"),
				statement("ALTER TABLE posts ADD title text DEFAULT 'back'"),
				statement("DROP VIEW priced; CREATE VIEW priced AS SELECT id, title AS amount FROM posts"),
			} {
				require.NoError(t, step(v2.DB), "step %d", i)
				fresh := w.plain()
				for read, f := range v1.reads {
					for n := range 3 {
						want, got := f(v1.plain.DB), f(v1.cached.DB)
						switch {
						case isPlanError(want) && !isPlanError(got):
							want = f(fresh.DB)
						case isPlanError(got) && !isPlanError(want): // another text had the answer when this one would have failed
							got = f(v1.cached.DB)
						}
						require.Equal(t, want, got, "step %d, %s, read %d", i, read, n)
					}
				}
			}
		})
	}
}
