package tests_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// The shapes that posts have in the versions of the application.
type (
	postBefore struct {
		ID       int
		AuthorID int
		Title    string
		Price    int
	}
	postWithColumn struct {
		ID       int
		AuthorID int
		Title    string
		Subtitle *string
		Price    int
	}
	postWithoutColumn struct {
		ID       int
		AuthorID int
		Title    string
	}
	postRenamed struct {
		ID       int
		AuthorID int
		Title    string `gorm:"column:heading"`
		Price    int
	}
	postRetyped struct {
		ID       int64
		AuthorID sql.NullInt32
		Title    *string
		Price    *string
	}
	postSoftDeleted struct {
		ID        int
		AuthorID  int
		Title     string
		Price     int
		DeletedAt gorm.DeletedAt
	}
)

func (postBefore) TableName() string        { return "posts" }
func (postWithColumn) TableName() string    { return "posts" }
func (postWithoutColumn) TableName() string { return "posts" }
func (postRenamed) TableName() string       { return "posts" }
func (postRetyped) TableName() string       { return "posts" }
func (postSoftDeleted) TableName() string   { return "posts" }

// versionOf is a version whose posts have the shape P, and their title in a column.
func versionOf[P any](column string, options ...option) version {
	on := func(id int) string { return fmt.Sprintf("id = %d", id) }
	return version{
		options: options, reads: readsOf[P](column), writes: map[string]func(*gorm.DB) error{
			"Update": func(db *gorm.DB) error {
				return db.Model(new(P)).Where("id = ?", 1).Updates(map[string]any{"title": "updated", "heading": "UPDATED"}).Error
			},
			"Update of a column": func(db *gorm.DB) error {
				return db.Model(new(P)).Where(on(2)).UpdateColumn(column, "column").Error
			},
			"Save": func(db *gorm.DB) error {
				post := new(P)
				if err := db.First(post, "id = ?", 2).Error; err != nil {
					return err
				}
				return db.Model(post).Update(column, "saved").Error
			},
			"Create": func(db *gorm.DB) error { return db.Create(new(P)).Error },
			"Delete": func(db *gorm.DB) error { return db.Delete(new(P), "id = ?", 2).Error },
		},
	}
}

// inSchema makes a version name its tables with their schema.
func (w *world) inSchema() option {
	_, name, _ := strings.Cut(w.dsn, "search_path=")
	name, _, _ = strings.Cut(name, "&")
	return withGORM(func(c *gorm.Config) { c.NamingStrategy = schema.NamingStrategy{TablePrefix: name + "."} })
}

// post has no name of its own: the naming strategy gives it one.
type post struct {
	ID       int
	AuthorID int
	Title    string
	Price    int
}

// versionPairs are versions that run at the same time.
func versionPairs(w *world) map[string][2]version {
	before := versionOf[postBefore]("title")
	prepared := withGORM(func(c *gorm.Config) { c.PrepareStmt = true })
	everyField := withGORM(func(c *gorm.Config) { c.QueryFields = true })
	never := withPlugin(func(c *rediscache.Config) {
		c.Models = ttlconfig.Models{ttlconfig.For[postWithColumn](): ttlconfig.Never}
	})
	uncached := versionOf[postWithColumn]("title", never)
	uncached.reads = nil // nothing of it comes from Redis: what it writes counts
	return map[string][2]version{
		"a column is added":       {before, versionOf[postWithColumn]("title")},
		"a column is removed":     {before, versionOf[postWithoutColumn]("title")},
		"a column is renamed":     {before, versionOf[postRenamed]("heading")},
		"a type is changed":       {before, versionOf[postRetyped]("title")},
		"soft delete is added":    {before, versionOf[postSoftDeleted]("title")},
		"all fields are named":    {before, versionOf[postWithColumn]("title", everyField)},
		"statements are prepared": {before, versionOf[postWithColumn]("title", prepared)},
		"the table has a schema":  {before, versionOf[post]("title", w.inSchema())},
		"the table is not cached": {before, uncached},
	}
}

// Two versions of an application share a Redis. Neither gets the other's shape, whichever of them read first, and each
// one's writes are seen by both at once.
func TestVersionsWithDifferentModelsShareARedis(t *testing.T) {
	t.Parallel()
	for pair := range versionPairs(&world{}) {
		for _, order := range [][2]int{{0, 1}, {1, 0}} {
			if testing.Short() && order[0] == 1 {
				continue
			}
			t.Run(fmt.Sprintf("%s, %d first", pair, order[0]+1), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				database := w.plain()
				require.NoError(t, database.Exec(deploymentSchema).Error)
				versions := versionPairs(w)[pair]
				first, second := w.start(versions[order[0]]), w.start(versions[order[1]])
				first.warm(t, "first")
				second.agrees(t, "after the first one's reads")
				second.warm(t, "second")
				first.agrees(t, "after the second one's reads")
				for _, writer := range []running{second, first} {
					for name, write := range writer.writes {
						require.NoError(t, database.Exec("TRUNCATE posts, authors;"+rowsOfDeployment()).Error)
						require.NoError(t, rediscache.Invalidate(first.cached.DB, rediscache.Everything()))
						first.warm(t, "before "+name)
						second.warm(t, "before "+name)
						before := [2]map[string]any{first.answers(), second.answers()}
						require.NoError(t, write(writer.cached.DB), name)
						after := [2]map[string]any{first.answers(), second.answers()}
						require.NotEqual(t, before, after, "%s changes nothing", name)
						first.agrees(t, "after "+name)
						second.agrees(t, "after "+name)
					}
				}
			})
		}
	}
}

// rowsOfDeployment are the rows that each write begins with.
func rowsOfDeployment() string {
	_, rows, _ := strings.Cut(deploymentSchema, "INSERT INTO authors")
	return "INSERT INTO authors" + rows
}
