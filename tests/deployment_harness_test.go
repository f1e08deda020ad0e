package tests_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// author and post are what the tests of deployments read: posts in one shape or another.
type author struct {
	ID   int
	Name string
}

// authorWith is an author, with posts of the shape of one version.
type authorWith[P any] struct {
	ID    int
	Name  string
	Posts []P `gorm:"foreignKey:AuthorID"`
}

func (author) TableName() string        { return "authors" }
func (authorWith[P]) TableName() string { return "authors" }

// postShort is what both versions scan into: a part of a post.
type postShort struct {
	ID    int
	Title string
}

// deploymentSchema has the columns of all versions: what one adds, or no longer has, is there while both run.
const deploymentSchema = `
	CREATE TABLE authors (id bigserial PRIMARY KEY, name text);
	CREATE TABLE posts (id bigserial PRIMARY KEY, author_id bigint, title text, heading text DEFAULT 'heading', subtitle text,
		price bigint, deleted_at timestamptz);
	INSERT INTO authors VALUES (1, 'Ann'), (2, 'Bob');
	INSERT INTO posts (id, author_id, title, heading, subtitle, price, deleted_at) VALUES
		(1, 1, 'one', 'ONE', 'first', 10, NULL), (2, 1, 'two', 'TWO', NULL, 20, NULL), (3, 2, 'three', 'THREE', '', 30, now());
	ALTER SEQUENCE posts_id_seq RESTART 100`

// readsOf is every kind of read of posts in the shape P: what is read, and whether there was an error.
func readsOf[P any](column string) map[string]func(*gorm.DB) any {
	find := func(scope func(*gorm.DB) *gorm.DB) func(*gorm.DB) any {
		return func(db *gorm.DB) any {
			var posts []P
			err := scope(db).Find(&posts).Error
			return []any{posts, toldOf(err)}
		}
	}
	one := func(scope func(*gorm.DB) *gorm.DB) func(*gorm.DB) any {
		return func(db *gorm.DB) any {
			var post P
			err := scope(db).First(&post).Error
			return []any{post, toldOf(err)}
		}
	}
	return map[string]func(*gorm.DB) any{
		"First":        one(func(db *gorm.DB) *gorm.DB { return db.Where("id = ?", 1) }),
		"First, gone":  one(func(db *gorm.DB) *gorm.DB { return db.Where("id = ?", 3) }),
		"Find":         find(func(db *gorm.DB) *gorm.DB { return db.Order("id") }),
		"Find by keys": find(func(db *gorm.DB) *gorm.DB { return db.Where("id IN ?", []int{1, 2, 3, 100}).Order("id") }),
		"QueryFields":  find(func(db *gorm.DB) *gorm.DB { return db.Session(&gorm.Session{QueryFields: true}).Order("id") }),
		"SELECT *":     find(func(db *gorm.DB) *gorm.DB { return db.Select("*").Order("id") }),
		"Unscoped":     find(func(db *gorm.DB) *gorm.DB { return db.Unscoped().Order("id") }),
		"Joins": find(func(db *gorm.DB) *gorm.DB {
			return db.Joins("JOIN authors ON authors.id = posts.author_id AND authors.name = ?", "Ann").Order("posts.id")
		}),
		"Raw": find(func(db *gorm.DB) *gorm.DB { return db.Raw("SELECT * FROM posts ORDER BY id") }),
		"Preload": func(db *gorm.DB) any {
			var authors []authorWith[P]
			err := db.Preload("Posts", func(db *gorm.DB) *gorm.DB { return db.Order("id") }).Order("id").Find(&authors).Error
			return []any{authors, toldOf(err)}
		},
		"Count": func(db *gorm.DB) any {
			var n int64
			err := db.Model(new(P)).Count(&n).Error
			return []any{n, toldOf(err)}
		},
		"Pluck": func(db *gorm.DB) any {
			var values []any
			err := db.Model(new(P)).Order("id").Pluck(column, &values).Error
			return []any{values, toldOf(err)}
		},
		"Scan": func(db *gorm.DB) any {
			var short []postShort
			err := db.Model(new(P)).Select("id", column+" AS title").Order("id").Scan(&short).Error
			return []any{short, toldOf(err)}
		},
		"maps": func(db *gorm.DB) any {
			var rows []map[string]any
			err := db.Model(new(P)).Order("id").Find(&rows).Error
			return []any{rows, toldOf(err)}
		},
	}
}

// toldOf is what a test compares of an error.
func toldOf(err error) string { return fmt.Sprint(err) }

// A version is what one version of the application reads and writes.
type version struct {
	options []option
	reads   map[string]func(*gorm.DB) any
	writes  map[string]func(*gorm.DB) error
}

// running is a version that runs: with the plugin, and without it to compare.
type running struct {
	version
	plain, cached *handle
}

func (w *world) start(v version) running {
	w.t.Helper()
	return running{version: v, plain: w.plain(v.options...), cached: w.cached(v.options...)}
}

// answers returns what the version reads, without the plugin.
func (r running) answers() map[string]any {
	all := map[string]any{}
	for name, read := range r.reads {
		all[name] = read(r.plain.DB)
	}
	return all
}

// agrees requires that each read gives what it gives without the plugin.
func (r running) agrees(t testing.TB, when string) {
	t.Helper()
	for name, read := range r.reads {
		require.Equal(t, read(r.plain.DB), read(r.cached.DB), "%s, %s", when, name)
	}
}

// warm reads until all comes from Redis, and requires that it is right.
func (r running) warm(t testing.TB, when string) {
	t.Helper()
	for name, read := range r.reads {
		agreesFromCache(t, r.plain, r.cached, when+", "+name, read)
	}
}
