package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// A trigger may give a row another key than the statement, or GORM's model, gives it. Whoever found that row absent, or
// knew the one whose key it takes, is told.
func TestTriggerThatChangesTheKeyOfARow(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*gorm.DB) error{
		"Create": func(db *gorm.DB) error { return db.Create(&member{ID: 5, Name: "new"}).Error },
		"Save":   func(db *gorm.DB) error { return db.Save(&member{ID: 5, Name: "new"}).Error },
		"raw":    func(db *gorm.DB) error { return db.Exec("INSERT INTO members (id, name) VALUES (5, 'new')").Error },
		"Update": func(db *gorm.DB) error { return db.Model(&member{ID: 1}).Update("age", 99).Error },
		"in a transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Create(&member{ID: 5, Name: "new"}).Error })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.members(2)
			require.NoError(t, plain.Exec(`CREATE FUNCTION move_key() RETURNS trigger LANGUAGE plpgsql AS $$
				BEGIN NEW.id := NEW.id + 1000; RETURN NEW; END $$`).Error)
			require.NoError(t, plain.Exec(`CREATE TRIGGER moved BEFORE INSERT OR UPDATE ON members FOR EACH ROW
				EXECUTE FUNCTION move_key()`).Error)
			writer, reader := w.cached(), w.cached()
			look := func(db *gorm.DB) (rows [][]member) {
				for _, id := range []int{1, 2, 5, 1001, 1005} {
					var found []member
					require.NoError(t, db.Find(&found, id).Error)
					rows = append(rows, found)
				}
				return rows
			}
			before := look(plain.DB)
			reader.warm(t, func(db *gorm.DB) { require.Equal(t, before, look(db)) })
			require.NoError(t, write(writer.DB))
			want := look(plain.DB)
			require.NotEqual(t, want, before)
			require.Equal(t, want, look(reader.DB))
			reader.warm(t, func(db *gorm.DB) { require.Equal(t, want, look(db)) })
		})
	}
}
