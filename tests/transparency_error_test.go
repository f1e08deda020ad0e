package tests_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// berth and boat refuse what breaks their rules: a key twice, a berth that is not there, a length that is not positive.
type berth struct {
	ID int `gorm:"primaryKey;autoIncrement:false"`
	No int `gorm:"uniqueIndex"`
}

type boat struct {
	ID      int    `gorm:"primaryKey;autoIncrement:false"`
	Name    string `gorm:"not null"`
	Meters  int    `gorm:"check:meters > 0"`
	BerthID int
	Berth   *berth
}

// wrongs are statements that the database refuses, with the error that GORM translates it to.
func wrongs() map[string]struct {
	run  func(*gorm.DB) *gorm.DB
	want error // nil: not translated
} {
	fresh := func(b boat) func(*gorm.DB) *gorm.DB { return func(db *gorm.DB) *gorm.DB { return db.Create(&b) } }
	return map[string]struct {
		run  func(*gorm.DB) *gorm.DB
		want error
	}{
		"key twice":        {fresh(boat{ID: 1, Name: "b", Meters: 1, BerthID: 1}), gorm.ErrDuplicatedKey},
		"no such parent":   {fresh(boat{ID: 9, Name: "b", Meters: 1, BerthID: 9}), gorm.ErrForeignKeyViolated},
		"check":            {fresh(boat{ID: 9, Name: "b", Meters: -1, BerthID: 1}), gorm.ErrCheckConstraintViolated},
		"unique by update": {func(db *gorm.DB) *gorm.DB { return db.Model(&berth{ID: 2}).Update("no", 1) }, gorm.ErrDuplicatedKey},
		"check by save": {func(db *gorm.DB) *gorm.DB {
			return db.Save(&boat{ID: 1, Name: "b", Meters: -1, BerthID: 1})
		}, gorm.ErrCheckConstraintViolated},
		"parent of another": {func(db *gorm.DB) *gorm.DB { return db.Delete(&berth{}, 1) }, gorm.ErrForeignKeyViolated},
		"text": {func(db *gorm.DB) *gorm.DB {
			return db.Exec("INSERT INTO boats (id, name, meters, berth_id) VALUES (1, 'b', 1, 1)")
		}, gorm.ErrDuplicatedKey},
		"text that returns": {func(db *gorm.DB) *gorm.DB {
			return db.Raw("INSERT INTO boats (id, name, meters, berth_id) VALUES (1, 'b', 1, 1) RETURNING id").Scan(new(int))
		}, nil},
		"batch": {func(db *gorm.DB) *gorm.DB {
			return db.CreateInBatches(&[]boat{{ID: 9, Name: "b", Meters: 1, BerthID: 1}, {ID: 1, Name: "b", Meters: 1, BerthID: 1}}, 1)
		}, gorm.ErrDuplicatedKey},
		"at COMMIT": {func(db *gorm.DB) *gorm.DB {
			tx := db.Begin()
			if err := tx.Exec("SET CONSTRAINTS ALL DEFERRED").Error; err != nil {
				panic(err)
			}
			if err := tx.Exec("UPDATE boats SET berth_id = 9 WHERE id = 1").Error; err != nil {
				panic(err)
			}
			return tx.Commit()
		}, gorm.ErrForeignKeyViolated},
		"null":            {func(db *gorm.DB) *gorm.DB { return db.Model(&boat{ID: 1}).Update("name", nil) }, nil},
		"no such column":  {func(db *gorm.DB) *gorm.DB { return db.Where("nothing = 1").Find(&[]boat{}) }, nil},
		"absent":          {func(db *gorm.DB) *gorm.DB { return db.First(&boat{}, 99) }, gorm.ErrRecordNotFound},
		"absent by order": {func(db *gorm.DB) *gorm.DB { return db.Where("name = 'none'").Last(&boat{}) }, gorm.ErrRecordNotFound},
		"no condition":    {func(db *gorm.DB) *gorm.DB { return db.Delete(&boat{}) }, gorm.ErrMissingWhereClause},
		"cast":            {func(db *gorm.DB) *gorm.DB { return db.Raw("SELECT name::int FROM boats").Scan(&[]int{}) }, nil},
		"by zero":         {func(db *gorm.DB) *gorm.DB { return db.Raw("SELECT 1 / (meters - 7) FROM boats").Scan(&[]int{}) }, nil},
	}
}

// told is what a program can find out about an error: its text, types all the way down, and the server's code.
func told(tx *gorm.DB) string {
	s := &strings.Builder{}
	fmt.Fprint(s, tx.RowsAffected, tx.Error)
	for err := tx.Error; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(s, " %T", err)
	}
	if pg, ok := errors.AsType[*pgconn.PgError](tx.Error); ok {
		fmt.Fprint(s, " ", pg.Code, pg.ConstraintName, pg.TableName)
	}
	return s.String()
}

// With TranslateError and without it, each error is the one that it is without a cache.
func TestErrorsOfTheDatabaseAreTheSame(t *testing.T) {
	t.Parallel()
	for name, translate := range map[string]bool{"translated": true, "as they are": false} {
		for how, options := range map[string][]option{
			"default transaction": nil,
			"autocommit":          {withGORM(func(c *gorm.Config) { c.SkipDefaultTransaction = true })},
			"prepared":            {withGORM(func(c *gorm.Config) { c.PrepareStmt = true })},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.migrate(&berth{}, &boat{})
				options := append(options, withGORM(func(c *gorm.Config) { c.TranslateError = translate }))
				plain, h := w.plain(options...), w.cached(options...)
				require.NoError(t, plain.Exec("ALTER TABLE boats ALTER CONSTRAINT fk_boats_berth DEFERRABLE").Error)
				require.NoError(t, plain.Create(&[]berth{{ID: 1, No: 1}, {ID: 2, No: 2}}).Error)
				require.NoError(t, plain.Create(&boat{ID: 1, Name: "a", Meters: 7, BerthID: 1}).Error)
				fleet := func(db *gorm.DB) any {
					var b boat
					var all []boat
					require.NoError(t, db.Preload("Berth").First(&b, 1).Error)
					require.NoError(t, db.Order("id").Find(&all).Error)
					return []any{b, all}
				}
				for kind, wrong := range wrongs() {
					agreesFromCache(t, plain, h, kind, fleet)
					for range 2 {
						want := wrong.run(plain.DB)
						require.NoError(t, h.Exec("DELETE FROM boats WHERE id <> 1").Error)
						got := wrong.run(h.DB)
						require.Error(t, got.Error, kind)
						require.Equal(t, told(want), told(got), kind)
						if translate && wrong.want != nil {
							require.ErrorIs(t, got.Error, wrong.want, kind)
						}
						agrees(t, plain, h, kind, fleet)
						require.NoError(t, h.Exec("DELETE FROM boats WHERE id <> 1").Error)
						agrees(t, plain, h, kind, fleet)
					}
				}
			})
		}
	}
}
