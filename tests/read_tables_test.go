package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// An answer depends on every table that its query reads, wherever in the text that stands: a write to any of them makes
// it old.
func TestEveryTableOfAQueryCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&member{}, &seat{}, &badge{})
	for _, text := range []string{
		"INSERT INTO members (id, name, age) VALUES (1, 'a', 1), (2, 'b', 2)", "INSERT INTO seats VALUES ('h', 1, 'a')",
		"INSERT INTO badges VALUES (1, 'x', 'a')",
		"CREATE VIEW owners AS SELECT m.name FROM members m JOIN badges b ON b.owner = m.name",
	} {
		require.NoError(t, plain.Exec(text).Error)
	}
	h, writer := w.cached(), w.cached()
	all := func(db *gorm.DB) any {
		got := map[string]any{}
		for _, text := range []string{
			"SELECT m.name, s.no, b.code FROM members m JOIN seats s ON s.name = m.name LEFT JOIN badges b ON b.owner = m.name ORDER BY 1, 2, 3",
			"SELECT m.name, s.no, b.code FROM members m, seats s, badges b WHERE s.name = m.name AND b.owner = m.name ORDER BY 1, 2, 3",
			"SELECT name FROM members WHERE name IN (SELECT name FROM seats) OR EXISTS (SELECT 1 FROM badges WHERE owner = members.name) ORDER BY 1",
			"SELECT name, (SELECT count(*) FROM seats s WHERE s.name = m.name), (SELECT max(code) FROM badges) FROM members m ORDER BY 1",
			"WITH s AS (SELECT name FROM seats), b AS (SELECT owner FROM badges) SELECT m.name, s.name AS s, b.owner FROM members m, s, b ORDER BY 1, 2, 3",
			"SELECT name FROM members UNION ALL SELECT name FROM seats UNION ALL SELECT owner FROM badges ORDER BY 1",
			"SELECT x.name FROM (SELECT m.name FROM members m JOIN seats USING (name)) x, LATERAL (SELECT * FROM badges b WHERE b.owner = x.name) y ORDER BY 1",
			"SELECT o.name, s.no FROM owners o JOIN seats s ON s.name = o.name ORDER BY 1, 2",
		} {
			var rows []map[string]any
			require.NoError(t, db.Raw(text).Scan(&rows).Error, text)
			got[text] = rows
		}
		return got
	}
	for _, write := range []func(*gorm.DB) error{
		func(db *gorm.DB) error { return db.Create(&seat{"h", 2, "b"}).Error },
		func(db *gorm.DB) error { return db.Create(&badge{2, "y", "b"}).Error },
		func(db *gorm.DB) error { return db.Create(&member{ID: 3, Name: "c"}).Error },
		func(db *gorm.DB) error { return db.Model(&badge{ID: 1}).Update("owner", "c").Error },
		func(db *gorm.DB) error { return db.Model(&seat{Hall: "h", No: 1}).Update("name", "c").Error },
		func(db *gorm.DB) error { return db.Model(&member{ID: 3}).Update("name", "b").Error },
		func(db *gorm.DB) error { return db.Exec("DELETE FROM seats WHERE no = 2").Error },
		func(db *gorm.DB) error { return db.Exec("DELETE FROM badges WHERE id = 1").Error },
	} {
		before := all(plain.DB)
		h.warm(t, func(db *gorm.DB) { require.Equal(t, before, all(db)) })
		require.NoError(t, write(writer.DB))
		require.NotEqual(t, before, all(plain.DB))
		agrees(t, plain, h, "", all)
	}
}
