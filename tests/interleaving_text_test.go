package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// A transaction that ends by a text of the program's, before GORM ends it: what was written is in the database from
// then on, whatever GORM does afterwards.
func TestTransactionThatEndsByAText(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*gorm.DB){
		"at once":          func(*gorm.DB) {},
		"then committed":   func(tx *gorm.DB) { tx.Commit() },
		"then rolled back": func(tx *gorm.DB) { tx.Rollback() },
	} {
		for _, text := range []string{"COMMIT", "END", "COMMIT AND CHAIN"} {
			t.Run(text+" "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				plain := w.members(2)
				h, other := w.cached(), w.cached()
				other.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
				tx := h.Begin()
				require.NoError(t, tx.Exec("UPDATE members SET name = 'written' WHERE id = 1").Error)
				require.NoError(t, tx.Exec(text).Error)
				require.Equal(t, "written", nameOf(t, plain.DB, 1))
				end(tx)
				require.Equal(t, "written", nameOf(t, other.DB, 1))
				tx.Rollback()
			})
		}
	}
}

// Several statements in one text, which the driver sends as they are if there are no arguments.
func TestSeveralStatementsInOneText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(3)
	h, other := w.cached(), w.cached()
	names := func(db *gorm.DB) any { return []string{nameOf(t, db, 1), nameOf(t, db, 2)} }
	for _, text := range []string{
		"UPDATE members SET name = 'a' WHERE id = 1; UPDATE members SET name = 'a' WHERE id = 2",
		"BEGIN; UPDATE members SET name = 'b' WHERE id = 1; COMMIT",
		"BEGIN; UPDATE members SET name = 'c' WHERE id = 1; ROLLBACK; UPDATE members SET name = 'c' WHERE id = 2",
		"SELECT 1; UPDATE members SET name = 'd' WHERE id = 1",
		"/* ; */ UPDATE members SET name = 'e;' WHERE id = 2;",
		"BEGIN; UPDATE members SET name = 'f' WHERE id = 1; COMMIT; SELECT 1 / 0",
		"UPDATE members SET name = 'g' WHERE id = 1; SELECT 1 / 0",
		"DO $$ BEGIN UPDATE members SET name = 'h' WHERE id = 1; END $$",
		"DO $$ BEGIN EXECUTE 'UPDATE mem' || 'bers SET name = ''i'' WHERE id = 2'; END $$",
	} {
		other.warm(t, func(db *gorm.DB) { names(db) })
		err := h.Exec(text).Error
		agrees(t, plain, other, text, names)
		agrees(t, plain, h, text, names)
		if err != nil {
			require.ErrorContains(t, err, "division by zero", text)
		}
	}
}
