package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// What somebody else has changed is read anew as soon as the application says so; in a transaction, when that commits.
func TestWhatIsInvalidatedIsReadAnew(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]rediscache.Target{
		"row": rediscache.Row[member](1), "any row": rediscache.Row[member](), "table": rediscache.Table("members"),
		"everything": rediscache.Everything(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.members(2)
			h, other := w.cached(), w.cached()
			names := func(db *gorm.DB) any {
				var all []string
				require.NoError(t, db.Model(&member{}).Order("id").Pluck("name", &all).Error)
				return append(all, nameOf(t, db, 1))
			}
			for elsewhere, invalidate := range map[string]func(old any) error{
				"changed": func(any) error { return rediscache.Invalidate(h.DB, target) },
				"changed before a transaction": func(old any) error {
					return h.Transaction(func(tx *gorm.DB) error {
						require.NoError(t, rediscache.Invalidate(tx, target))
						require.Equal(t, old, names(other.DB), "it has not committed yet")
						return nil
					})
				},
			} {
				old := names(plain.DB)
				h.warm(t, func(db *gorm.DB) { names(db) })
				other.warm(t, func(db *gorm.DB) { names(db) })
				require.NoError(t, plain.Exec("UPDATE members SET name = ? WHERE id = 1", elsewhere).Error)
				require.Equal(t, old, names(other.DB), "nobody has said so yet")
				require.NoError(t, invalidate(old))
				agrees(t, plain, other, elsewhere, names)
				agrees(t, plain, h, elsewhere, names)
			}
		})
	}
}

// A statement whose text does not show what it changes says so: the tables that it touches are read anew.
func TestWhatAStatementTouchesIsReadAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	h, other := w.cached(), w.cached()
	for name, run := range map[string]func(*gorm.DB) error{
		"exec":  func(db *gorm.DB) error { return db.Exec("SELECT 1").Error },
		"query": func(db *gorm.DB) error { return db.Raw("SELECT 1").Scan(new(int)).Error },
		"transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Exec("SELECT 1").Error })
		},
	} {
		other.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
		require.NoError(t, plain.Exec("UPDATE members SET name = ? WHERE id = 1", name).Error)
		require.NoError(t, run(h.Clauses(rediscache.Touches("members"))), name)
		require.Equal(t, name, nameOf(t, other.DB, 1))
	}
}

// Rows that somebody else has added to a list are seen when the application names the list; other lists are not touched.
func TestScopeThatIsInvalidatedIsReadAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.billed()
	tags := withPlugin(func(c *rediscache.Config) {
		c.Models = ttlconfig.Models{ttlconfig.For[bill](): {TagColumns: []string{"status", "patron_id+status"}}}
	})
	h, other := w.cached(tags), w.cached(tags)
	counts := func(db *gorm.DB) map[string]int64 {
		found := map[string]int64{}
		for _, where := range []string{"patron_id = 1", "patron_id = 2", "patron_id = 1 AND status = 'paid'", "amount > 0"} {
			var n int64
			require.NoError(t, db.Model(&bill{}).Where(where).Count(&n).Error)
			found[where] = n
		}
		return found
	}
	for elsewhere, invalidate := range map[string]func(*gorm.DB, ...rediscache.Target) error{
		"now": rediscache.Invalidate,
		"in a transaction": func(db *gorm.DB, targets ...rediscache.Target) error {
			return db.Transaction(func(tx *gorm.DB) error { return rediscache.Invalidate(tx, targets...) })
		},
	} {
		for _, h := range []*handle{h, other} {
			h.warm(t, func(db *gorm.DB) { counts(db) })
		}
		require.NoError(t, plain.Exec("INSERT INTO bills (patron_id, amount, status) VALUES (1, 1, 'paid')").Error)
		require.NoError(t, invalidate(h.DB, rediscache.Scope[bill](map[string]any{"PatronID": 1})), elsewhere)
		agrees(t, plain, other, elsewhere, func(db *gorm.DB) any { return counts(db) })
		other.warm(t, func(db *gorm.DB) { counts(db) })
	}
	by := func(email string) func() {
		return func() { require.NoError(t, other.Where("email = ?", email).Find(&[]patron{}).Error) }
	}
	other.warm(t, func(*gorm.DB) { by("c1@x.org")(); by("c2@x.org")() })
	require.NoError(t, rediscache.Invalidate(h.DB, rediscache.Scope[patron](map[string]any{"email": "c1@x.org"})))
	require.Empty(t, other.sql.during(by("c2@x.org")), "other lists are kept")
	require.NotEmpty(t, other.sql.during(by("c1@x.org")))
	require.ErrorIs(t, rediscache.Invalidate(h.DB, rediscache.Scope[bill](map[string]any{"nickname": 1})), rediscache.ErrColumn)
}
