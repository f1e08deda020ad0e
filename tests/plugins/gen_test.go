package plugins_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gen"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/tests/plugins/shop"
	"github.com/gorm-rediscache/rediscache/tests/plugins/shop/query"
)

func newShop(t *testing.T) (plain *handle, cached []*handle) {
	t.Helper()
	w := newWorld(t)
	plain = w.plain()
	require.NoError(t, plain.AutoMigrate(&shop.Owner{}, &shop.Pet{}))
	q := query.Use(plain.DB)
	require.NoError(t, q.Owner.WithContext(t.Context()).Create(
		&shop.Owner{ID: 1, Name: "Ann", Pets: []shop.Pet{{ID: 11, Name: "Rex", Age: 3}, {ID: 12, Name: "Tom", Age: 5}}},
		&shop.Owner{ID: 2, Name: "Bob", Pets: []shop.Pet{{ID: 21, Name: "Rex", Age: 8}}},
		&shop.Owner{ID: 3, Name: "Cy"},
	))
	return plain, []*handle{w.cached(rediscacheFirst), w.cached(rediscacheFirst)}
}

// generatedReads are reads with generated code. They return all that the program sees.
func generatedReads(t *testing.T) map[string]func(*gorm.DB) any {
	t.Helper()
	ctx := t.Context()
	see := func(v any, err error) any { return []any{v, err} }
	return map[string]func(*gorm.DB) any{
		"row": func(db *gorm.DB) any {
			o := query.Use(db).Owner
			return see(o.WithContext(ctx).Where(o.ID.Eq(1)).First())
		},
		"absent": func(db *gorm.DB) any {
			o := query.Use(db).Owner
			return see(o.WithContext(ctx).Where(o.ID.Eq(9)).First())
		},
		"rows": func(db *gorm.DB) any {
			p := query.Use(db).Pet
			return see(p.WithContext(ctx).Where(p.ID.In(11, 21, 99)).Order(p.ID).Find())
		},
		"list": func(db *gorm.DB) any {
			p := query.Use(db).Pet
			return see(p.WithContext(ctx).Where(p.Name.Like("%e%"), p.Age.Gte(3)).Order(p.ID.Desc()).Limit(5).Find())
		},
		"preload": func(db *gorm.DB) any {
			o := query.Use(db).Owner
			return see(o.WithContext(ctx).Preload(o.Pets).Order(o.ID).Find())
		},
		"join": func(db *gorm.DB) any {
			q := query.Use(db)
			var names []struct{ Owner, Pet string }
			err := q.Pet.WithContext(ctx).Select(q.Owner.Name.As("owner"), q.Pet.Name.As("pet")).
				LeftJoin(q.Owner, q.Owner.ID.EqCol(q.Pet.OwnerID)).Order(q.Pet.ID).Scan(&names)
			return see(names, err)
		},
		"joined relation": func(db *gorm.DB) any {
			p := query.Use(db).Pet
			return see(p.WithContext(ctx).Joins(p.Owner).Order(p.ID).Find())
		},
		"subquery": func(db *gorm.DB) any {
			q := query.Use(db)
			return see(q.Owner.WithContext(ctx).Where(q.Owner.Columns(q.Owner.ID).In(
				q.Pet.WithContext(ctx).Select(q.Pet.OwnerID).Where(q.Pet.Age.Gt(4)))).Order(q.Owner.ID).Find())
		},
		"count": func(db *gorm.DB) any {
			p := query.Use(db).Pet
			return see(p.WithContext(ctx).Where(p.Age.Lt(6)).Count())
		},
		"pluck": func(db *gorm.DB) any {
			p := query.Use(db).Pet
			var names []string
			return see(names, p.WithContext(ctx).Order(p.ID).Pluck(p.Name, &names))
		},
		"groups": func(db *gorm.DB) any {
			p := query.Use(db).Pet
			var sums []struct {
				OwnerID int64
				Total   int64
			}
			err := p.WithContext(ctx).Select(p.OwnerID, p.Age.Sum().As("total")).Group(p.OwnerID).Order(p.OwnerID).Scan(&sums)
			return see(sums, err)
		},
		"SQL":       func(db *gorm.DB) any { return see(query.Use(db).Pet.WithContext(ctx).Named("Rex")) },
		"SQL value": func(db *gorm.DB) any { return see(query.Use(db).Pet.WithContext(ctx).Eldest()) },
		"page": func(db *gorm.DB) any {
			p := query.Use(db).Pet
			found, n, err := p.WithContext(ctx).Order(p.ID).FindByPage(1, 1)
			return []any{found, n, err}
		},
	}
}

// What generated code reads is cached, and the same as without a cache.
func TestGeneratedReadsAreCached(t *testing.T) {
	t.Parallel()
	plain, cached := newShop(t)
	for name, read := range generatedReads(t) { //nolint:paralleltest // they share handles, which count what they send
		t.Run(name, func(t *testing.T) {
			agrees(t, plain, cached[0], read)
		})
	}
}

// What generated code writes is seen at once, by all.
func TestGeneratedWritesAreSeen(t *testing.T) {
	t.Parallel()
	plain, cached := newShop(t)
	reads := generatedReads(t)
	readAll := func(db *gorm.DB) any {
		all := map[string]any{}
		for name, read := range reads {
			all[name] = read(db)
		}
		return all
	}
	ctx := t.Context()
	q := query.Use(cached[0].DB)
	done := func(_ gen.ResultInfo, err error) error { return err }
	for name, write := range map[string]func() error{ //nolint:paralleltest // one after the other
		"update": func() error {
			return done(q.Owner.WithContext(ctx).Where(q.Owner.ID.Eq(1)).Update(q.Owner.Name, "Anna"))
		},
		"update by an expression": func() error {
			return done(q.Pet.WithContext(ctx).Where(q.Pet.OwnerID.Eq(1)).UpdateSimple(q.Pet.Age.Add(1)))
		},
		"updates": func() error {
			return done(q.Pet.WithContext(ctx).Where(q.Pet.ID.Eq(11)).Updates(shop.Pet{Name: "Max", Age: 4}))
		},
		"create": func() error { return q.Pet.WithContext(ctx).Create(&shop.Pet{ID: 99, OwnerID: 3, Name: "New", Age: 1}) },
		"upsert": func() error {
			return q.Owner.WithContext(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&shop.Owner{ID: 2, Name: "Rob"})
		},
		"save":   func() error { return q.Owner.WithContext(ctx).Save(&shop.Owner{ID: 9, Name: "Nina"}) },
		"delete": func() error { return done(q.Pet.WithContext(ctx).Where(q.Pet.ID.Eq(12)).Delete()) },
		"SQL":    func() error { _, err := q.Pet.WithContext(ctx).Grow(2, 10); return err },
		"relation": func() error {
			return q.Owner.Pets.Model(&shop.Owner{ID: 3}).Append(&shop.Pet{ID: 31, Name: "App", Age: 2})
		},
		"transaction": func() error {
			return q.Transaction(func(tx *query.Query) error {
				return done(tx.Owner.WithContext(ctx).Where(tx.Owner.ID.Eq(3)).Update(tx.Owner.Name, "Cyrus"))
			})
		},
		"transaction, begun": func() error {
			tx := q.Begin()
			if err := done(tx.Pet.WithContext(ctx).Where(tx.Pet.Name.Eq("Rex")).Update(tx.Pet.Name, "Rexy")); err != nil {
				return err
			}
			return tx.Commit()
		},
	} {
		t.Run(name, func(t *testing.T) { changes(t, plain, cached, readAll, write) })
	}
}

// What is said by a clause or by a context goes along with generated code.
func TestGeneratedCodeWithClausesAndContexts(t *testing.T) {
	t.Parallel()
	plain, cached := newShop(t)
	h := cached[0]
	agrees(t, plain, h, generatedReads(t)["row"])
	o := query.Use(h.DB).Owner
	read := func(ctx context.Context) metrics.ReadEvent {
		reads := h.log.during(func() {
			_, err := o.WithContext(ctx).Where(o.ID.Eq(1)).First()
			require.NoError(t, err)
		})
		require.Len(t, reads, 1)
		return reads[0]
	}
	require.Equal(t, metrics.Hit, read(t.Context()).Outcome)
	require.Equal(t, metrics.ReasonControl, read(rediscache.WithBypass(t.Context())).Reason)
	require.Equal(t, metrics.Miss, read(rediscache.WithRefresh(t.Context())).Outcome)
	for clause, want := range map[clause.Expression]metrics.Outcome{
		rediscache.Bypass: metrics.Bypass, rediscache.Refresh: metrics.Miss,
	} {
		reads := h.log.during(func() {
			_, err := o.WithContext(t.Context()).Clauses(clause).Where(o.ID.Eq(1)).First()
			require.NoError(t, err)
		})
		require.Len(t, reads, 1)
		require.Equal(t, want, reads[0].Outcome)
	}
	_, err := o.WithContext(t.Context()).Clauses(rediscache.Touches("goods")).Where(o.ID.Eq(1)).Update(o.Name, "touched")
	require.NoError(t, err)
}
