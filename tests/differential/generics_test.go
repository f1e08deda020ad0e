package differential_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"pgregory.net/rapid"
)

// The interface with type parameters: its chains are of another type for each model.

// A link is one method of such a chain.
type link[T any] struct {
	source string
	add    func(gorm.ChainInterface[T]) gorm.ChainInterface[T]
}

// drawGenerics draws a query by the interface with type parameters.
func drawGenerics(t *rapid.T) step {
	switch rapid.IntRange(0, 4).Draw(t, "of") {
	case 0:
		return drawGenericsOf[pet](t, "pet", "Owner")
	case 1:
		return drawGenericsOf[kind](t, "kind", "")
	case 2:
		return drawGenericsOf[rarity](t, "rarity", "")
	case 3:
		return drawGenericRaw(t)
	default:
		return drawGenericsOf[person](t, "person", "Company")
	}
}

// drawGenericsOf draws a chain on a model. joined is an association to one row, or nothing.
func drawGenericsOf[T any](t *rapid.T, name, joined string) step {
	var links []link[T]
	for range rapid.IntRange(0, 2).Draw(t, "links") {
		links = append(links, drawLink[T](t, joined))
	}
	if rapid.IntRange(0, 2).Draw(t, "limit") == 2 {
		n := rapid.IntRange(0, 3).Draw(t, "rows")
		links = append(links, link[T]{fmt.Sprintf(".Limit(%d)", n), func(c gorm.ChainInterface[T]) gorm.ChainInterface[T] {
			return c.Limit(n)
		}})
	}
	end := drawGenericEnd[T](t)
	var source strings.Builder
	source.WriteString("gorm.G[" + name + `](db).Order("1")`)
	for _, l := range links {
		source.WriteString(l.source)
	}
	f := generic(source.String()+end.source, func(ctx context.Context, db *gorm.DB) (any, error) {
		chain := gorm.G[T](db).Order("1")
		for _, l := range links {
			chain = l.add(chain)
		}
		return end.run(ctx, chain)
	})
	f.reads = true
	return step{finish: f}
}

func drawLink[T any](t *rapid.T, joined string) link[T] {
	id := rapid.IntRange(1, 5).Draw(t, "id")
	all := []link[T]{
		{fmt.Sprintf(`.Where("id > ?", %d)`, id), func(c gorm.ChainInterface[T]) gorm.ChainInterface[T] { return c.Where("id > ?", id) }},
		{fmt.Sprintf(`.Where("id = ?", %d)`, id), func(c gorm.ChainInterface[T]) gorm.ChainInterface[T] { return c.Where("id = ?", id) }},
		{fmt.Sprintf(`.Not("id = ?", %d)`, id), func(c gorm.ChainInterface[T]) gorm.ChainInterface[T] { return c.Not("id = ?", id) }},
		{fmt.Sprintf(`.Or("id = ?", %d)`, id), func(c gorm.ChainInterface[T]) gorm.ChainInterface[T] { return c.Or("id = ?", id) }},
		{`.Select("id")`, func(c gorm.ChainInterface[T]) gorm.ChainInterface[T] { return c.Select("id") }},
		{`.Distinct("id")`, func(c gorm.ChainInterface[T]) gorm.ChainInterface[T] { return c.Distinct("id") }},
	}
	if joined != "" {
		all = append(all,
			link[T]{fmt.Sprintf(".Preload(%q, nil)", joined), func(c gorm.ChainInterface[T]) gorm.ChainInterface[T] { return c.Preload(joined, nil) }},
			link[T]{fmt.Sprintf(".Joins(clause.LeftJoin.Association(%q), nil)", joined), func(c gorm.ChainInterface[T]) gorm.ChainInterface[T] {
				return c.Joins(clause.LeftJoin.Association(joined), nil)
			}})
	}
	return rapid.SampledFrom(all).Draw(t, "link")
}

// GoString is what rapid prints.
func (l link[T]) GoString() string { return l.source }

// A genericEnd carries a chain out.
type genericEnd[T any] struct {
	source string
	run    func(ctx context.Context, c gorm.ChainInterface[T]) (any, error)
}

// GoString is what rapid prints.
func (e genericEnd[T]) GoString() string { return e.source }

func drawGenericEnd[T any](t *rapid.T) genericEnd[T] {
	return rapid.SampledFrom([]genericEnd[T]{
		{".Find(ctx)", func(ctx context.Context, c gorm.ChainInterface[T]) (any, error) { return c.Find(ctx) }},
		{".First(ctx)", func(ctx context.Context, c gorm.ChainInterface[T]) (any, error) { return c.First(ctx) }},
		{".Last(ctx)", func(ctx context.Context, c gorm.ChainInterface[T]) (any, error) { return c.Last(ctx) }},
		{".Take(ctx)", func(ctx context.Context, c gorm.ChainInterface[T]) (any, error) { return c.Take(ctx) }},
		{`.Count(ctx, "id")`, func(ctx context.Context, c gorm.ChainInterface[T]) (any, error) { return c.Count(ctx, "id") }},
		{".Scan(ctx, &some)", func(ctx context.Context, c gorm.ChainInterface[T]) (any, error) {
			var some []dto
			err := c.Scan(ctx, &some)
			return some, err
		}},
		{".FindInBatches(ctx, 2, each)", func(ctx context.Context, c gorm.ChainInterface[T]) (any, error) {
			var all []T
			err := c.FindInBatches(ctx, 2, func(rows []T, batch int) error {
				all = append(all, rows...)
				if batch > 5 {
					return errUndone // an OR makes the same rows come again and again
				}
				return nil
			})
			return all, err
		}},
		{`.Select("id").Row(ctx)`, func(ctx context.Context, c gorm.ChainInterface[T]) (any, error) {
			var v any
			err := c.Select("id").Row(ctx).Scan(&v)
			return v, err
		}},
	}).Draw(t, "end")
}

func drawGenericRaw(t *rapid.T) step {
	id := rapid.IntRange(0, 6).Draw(t, "id")
	f := rapid.SampledFrom([]finisher{
		generic(fmt.Sprintf(`gorm.G[dto](db).Raw("SELECT id, name FROM people WHERE id = ?", %d).Find(ctx)`, id), func(ctx context.Context, db *gorm.DB) (any, error) {
			return gorm.G[dto](db).Raw("SELECT id, name FROM people WHERE id = ?", id).Find(ctx)
		}),
		generic(fmt.Sprintf(`gorm.G[int](db).Raw("SELECT count(*) FROM pets WHERE owner_id = ?", %d).Take(ctx)`, id), func(ctx context.Context, db *gorm.DB) (any, error) {
			return gorm.G[int](db).Raw("SELECT count(*) FROM pets WHERE owner_id = ?", id).Take(ctx)
		}),
		generic(fmt.Sprintf(`gorm.G[map[string]any](db).Table("kinds").Where("id = ?", %d).Find(ctx)`, id), func(ctx context.Context, db *gorm.DB) (any, error) {
			return gorm.G[map[string]any](db).Table("kinds").Where("id = ?", id).Find(ctx)
		}),
	}).Draw(t, "raw")
	f.reads = true
	return step{finish: f}
}

// drawGenericWrite draws a write by the interface with type parameters.
func drawGenericWrite(t *rapid.T) step {
	id := rapid.IntRange(1, 6).Draw(t, "id")
	return step{finish: rapid.SampledFrom([]finisher{
		generic(`gorm.G[pet](db, result).Create(ctx, &pet{Name: "generic", Kind: "owl"})`, func(ctx context.Context, db *gorm.DB) (any, error) {
			result, v := gorm.WithResult(), &pet{Name: "generic", Kind: "owl"}
			err := gorm.G[pet](db, result).Create(ctx, v)
			return []any{v, result.RowsAffected, chain(result.Error)}, err
		}),
		generic(`gorm.G[company](db).CreateInBatches(ctx, &[]company{{Code: "a"}, {Code: "acme"}}, 1)`, func(ctx context.Context, db *gorm.DB) (any, error) {
			v := &[]company{{Code: "a"}, {Code: "acme"}}
			return v, gorm.G[company](db).CreateInBatches(ctx, v, 1)
		}),
		generic(fmt.Sprintf(`gorm.G[person](db).Where("id = ?", %d).Update(ctx, "name", "generic")`, id), func(ctx context.Context, db *gorm.DB) (any, error) {
			return gorm.G[person](db).Where("id = ?", id).Update(ctx, "name", "generic")
		}),
		generic(fmt.Sprintf(`gorm.G[person](db).Where("id > ?", %d).Updates(ctx, person{Age: …})`, id), func(ctx context.Context, db *gorm.DB) (any, error) {
			return gorm.G[person](db).Where("id > ?", id).Updates(ctx, person{Age: sql.NullInt64{Int64: 50, Valid: true}})
		}),
		generic(fmt.Sprintf(`gorm.G[pet](db).Where("id = ?", %d).Set(clause.Assignment{…name, "set"}).Update(ctx)`, id), func(ctx context.Context, db *gorm.DB) (any, error) {
			return gorm.G[pet](db).Where("id = ?", id).Set(clause.Assignment{Column: clause.Column{Name: "name"}, Value: "set"}).Update(ctx)
		}),
		generic(fmt.Sprintf(`gorm.G[person](db).Where("id = ?", %d).Delete(ctx)`, id), func(ctx context.Context, db *gorm.DB) (any, error) {
			return gorm.G[person](db).Where("id = ?", id).Delete(ctx)
		}),
		generic(fmt.Sprintf(`gorm.G[pet](db).Exec(ctx, "UPDATE pets SET weight = 1 WHERE id = ?", %d)`, id), func(ctx context.Context, db *gorm.DB) (any, error) {
			return nil, gorm.G[pet](db).Exec(ctx, "UPDATE pets SET weight = 1 WHERE id = ?", id)
		}),
	}).Draw(t, "generic write")}
}

func generic(source string, run func(ctx context.Context, db *gorm.DB) (any, error)) finisher {
	return finisher{
		source: " // " + source, ordered: true,
		run: func(db, _ *gorm.DB) found {
			v, err := run(db.Statement.Context, db)
			return found{value: v, err: err}
		},
	}
}
