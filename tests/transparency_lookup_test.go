package tests_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// ticket has columns that can be taken for one another, and values that are equal across them.
type ticket struct {
	ID   int
	Seat int
	Name string
	Paid bool
}

func tickets(t *testing.T) (*world, *handle) {
	t.Helper()
	w := newWorld(t)
	plain := w.migrate(&ticket{})
	for i := 1; i <= 8; i++ {
		require.NoError(t, plain.Create(&ticket{ID: i, Seat: 9 - i, Name: strconv.Itoa(i%3 + 1), Paid: i%2 == 0}).Error)
	}
	return w, plain
}

// conditions are limits to rows, of all the forms that resemble a lookup by key.
func conditions() []string {
	return []string{
		"id = 1", "id = '1'", `"id" = 1`, `tickets."id" = 1`, "TICKETS.ID = 1", "(id = 1)", "((id) = (1))", "(id) = 1", "id = (1)", "1 = id",
		"id = 1::int", "id = +1", "id = -1", "id = - 1", "id = 1.0", "id = 1e0", "id = -- 2\n 1", "id /* = 2 */ = 1", "id = 1 + 1", "id = 2 - 1",
		"id + 0 = 1", "-id = -1", "id = id", "id = seat", "seat = 1", "id = 1 AND id = 2", "id = 1 AND id = 1", "id = 1 AND seat = 8",
		"id = 1 AND seat = 1", "seat = 1 AND id = 8", "id = 1 OR id = 2", "id = 1 OR seat = 1", "id = 1 OR true", "NOT id = 1", "NOT (id = 1)",
		"id = 1 IS FALSE", "(id = 1) = false", "id = 1 IS NOT TRUE", "id <> 1", "id != 1", "id >= 7", "id IN (1)", "id IN (1, 2)", "id IN (2, 1, 2)",
		"id NOT IN (1, 2)", "NOT id IN (1, 2)", "id IN (1, 2) AND id IN (2, 3)", "id IN (1, 2) AND seat IN (7, 6)", "id IN (1, 2) OR seat = 1",
		"id IN (1, NULL)", "id IN (1, 1 + 1)", "id IN (SELECT 1)", "id IN (SELECT seat FROM tickets WHERE paid)", "id IN (VALUES (1), (2))",
		"(id, seat) IN ((1, 8), (2, 8))", "(seat, id) IN ((8, 1), (7, 2))", "(id, seat) = (1, 8)", "(id, id) IN ((1, 1), (1, 2))", "ROW(id) = ROW(1)",
		"id = ANY (ARRAY[1, 2])", "id = ALL (ARRAY[1, 2])", "id = SOME ('{1,2}')", "id IS NOT DISTINCT FROM 1", "id ISNULL", "id = 1 AND paid",
		"id = 2 AND paid", "id = 2 AND NOT paid", "paid AND id = 2 OR id = 3", "id = 2 AND (paid OR id = 3)", "(paid OR id = 3) AND id = 3",
		"id BETWEEN 1 AND 2", "id BETWEEN 1 AND 2 AND id = 2", "id NOT BETWEEN 1 AND 2", "id = 1 AND seat BETWEEN 1 AND 8 OR id = 3",
		"CASE WHEN id = 1 THEN false ELSE paid END", "CASE id WHEN 1 THEN true END AND id = 1", "id = CASE WHEN paid THEN 2 ELSE 1 END",
		"id = (SELECT min(id) FROM tickets)", "EXISTS (SELECT 1 FROM tickets x WHERE x.id = 1 AND tickets.id = x.seat)",
		"name = '1' AND id = 3", "name = 'id = 4' OR id = 4", "id = 4 AND name = ''' OR 1=1 --'", "id = 4 AND name <> $$x$$", "id = 5 AND name LIKE '%'",
		"id = 6 AND name NOT LIKE '1' ESCAPE '!'", "id = 7 IS NOT NULL", "(SELECT id = 1)", "id = 3 AND length(name) = 1", "id::text = '1'",
		"lower(name) = '1' AND id = 3", "id = 99", "id IN (98, 99)", "false AND id = 1", "id = 2147483648", "tickets = tickets AND id = 1",
		"id # 1 = 0", "id % 4 = 1", "id = 1 AND ctid IS NOT NULL", "coalesce(id, 1) = 1", "id = NULLIF(1, 2)", "NOT NOT id = 1",
	}
}

// A read answers what the database answers, whatever else is stored.
func TestReadsThatResembleALookup(t *testing.T) {
	t.Parallel()
	w, plain := tickets(t)
	h := w.cached()
	for id := 1; id <= 9; id++ {
		h.warm(t, func(db *gorm.DB) {
			require.NoError(t, db.Raw(fmt.Sprintf("SELECT * FROM tickets WHERE id = %d", id)).Scan(&[]ticket{}).Error)
		})
	}
	heads := []string{
		"*", "id, seat, name", "seat, id", "name", "seat AS x, id", "tickets.*", "id, id", "count(*)", "max(seat) AS seat", "DISTINCT paid", "1 AS id", "id + 1 AS id",
		"id, row_number() OVER (ORDER BY seat) AS n", "ALL id, name", "DISTINCT ON (paid) id, paid",
	}
	tails := []string{
		"", "ORDER BY id", "ORDER BY id DESC", "ORDER BY seat", "ORDER BY id + 0 DESC", "ORDER BY -id", "ORDER BY 1 DESC", "ORDER BY paid, id", "ORDER BY id DESC NULLS LAST",
		"ORDER BY id USING >", "LIMIT 0", "ORDER BY id LIMIT 1", "ORDER BY id DESC LIMIT 1", "ORDER BY id LIMIT 2", "ORDER BY id LIMIT ALL", "ORDER BY id LIMIT 1 OFFSET 1",
		"ORDER BY id OFFSET 1", "ORDER BY id OFFSET 1 ROW FETCH NEXT ROW ONLY", "ORDER BY id FETCH FIRST 1 ROW ONLY", "GROUP BY tickets.id", "UNION SELECT 99",
		"EXCEPT SELECT 1", "FOR UPDATE",
	}
	read := func(text string) func(*gorm.DB) any {
		return func(db *gorm.DB) any {
			var m []map[string]any
			err := db.Raw(text).Scan(&m).Error
			return fmt.Sprint(m, err)
		}
	}
	for _, condition := range conditions() {
		agrees(t, plain, h, condition, read("SELECT * FROM tickets WHERE "+condition+" ORDER BY id"))
		agrees(t, plain, h, condition, read("SELECT count(*) FROM tickets WHERE "+condition))
	}
	for _, head := range heads {
		for _, tail := range tails {
			for _, condition := range []string{"id = 2", "id IN (2, 1)", "id = 2 AND paid"} {
				text := "SELECT " + head + " FROM tickets WHERE " + condition + " " + tail
				agrees(t, plain, h, text, func(db *gorm.DB) any {
					var m []map[string]any
					if err := db.Raw(text).Scan(&m).Error; err != nil {
						return err.Error()
					}
					if tail == "" || tail == "LIMIT 0" || tail == "FOR UPDATE" || tail == "GROUP BY tickets.id" || tail[0] == 'U' || tail[0] == 'E' || tail == "ORDER BY paid, id" {
						return unordered(m) // in any order
					}
					return fmt.Sprint(m)
				})
			}
		}
	}
	for _, text := range []string{
		"SELECT * FROM tickets t WHERE t.id = 1", "SELECT * FROM tickets AS t WHERE id = 1", "SELECT t.* FROM tickets t WHERE tickets.id = 1",
		"SELECT * FROM tickets AS t (seat, id) WHERE id = 1", "SELECT * FROM tickets t (a, b, id) WHERE id = '1' ORDER BY a", "SELECT * FROM ONLY tickets WHERE id = 1",
		"SELECT * FROM tickets WHERE id = 1 AND EXISTS (SELECT 1 FROM tickets WHERE id = 2)", "SELECT * FROM tickets, (SELECT 1 AS one) x WHERE id = 1",
		"SELECT a.* FROM tickets a JOIN tickets b ON a.id = b.seat WHERE b.id = 1", "SELECT b.* FROM tickets a, tickets b WHERE a.id = 1 AND b.seat = a.id",
		"SELECT * FROM (SELECT seat AS id FROM tickets) tickets WHERE id = 1", "WITH tickets AS (SELECT 7 AS id) SELECT * FROM tickets WHERE id = 7",
		"SELECT * FROM tickets WHERE id = 1 UNION ALL SELECT * FROM tickets WHERE id = 2", "TABLE tickets ORDER BY id", "SELECT id FROM tickets WHERE id = 1 LIMIT 1 + 1",
		"SELECT (t).id FROM tickets t WHERE id = 1", "SELECT t FROM tickets t WHERE id = 1", "SELECT FROM tickets WHERE id = 1",
	} {
		agrees(t, plain, h, text, read(text))
	}
}

func unordered(m []map[string]any) any {
	set := map[string]int{}
	for _, row := range m {
		set[fmt.Sprint(row)]++
	}
	return set
}

// A write makes old what it changes, whatever its condition looks like; everything that is stored is compared.
func TestWritesThatResembleOneByKey(t *testing.T) {
	t.Parallel()
	for _, some := range raced(slices.Collect(slices.Chunk(conditions(), 20))) {
		t.Run(some[0], func(t *testing.T) {
			t.Parallel()
			writesThatResembleOneByKey(t, some)
		})
	}
}

func writesThatResembleOneByKey(t *testing.T, conditions []string) {
	t.Helper()
	w, plain := tickets(t)
	h, writer := w.cached(), w.cached()
	all := func(db *gorm.DB) any {
		got := make([]any, 0, 24)
		for id := 1; id <= 9; id++ {
			var one []ticket
			require.NoError(t, db.Find(&one, id).Error)
			got = append(got, fmt.Sprint(one))
		}
		var list, some []ticket
		var paid int64
		require.NoError(t, db.Order("id").Find(&list).Error)
		require.NoError(t, db.Where("paid").Order("id").Find(&some).Error)
		require.NoError(t, db.Model(&ticket{}).Where("paid").Count(&paid).Error)
		var in []ticket
		require.NoError(t, db.Order("id").Find(&in, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}).Error)
		return fmt.Sprint(got, list, some, paid, in)
	}
	for i, condition := range conditions {
		texts := []string{
			"UPDATE tickets SET name = name || 'x' WHERE " + condition,
			"UPDATE tickets SET paid = NOT paid FROM (SELECT 1 AS one) x WHERE " + condition,
			"DELETE FROM tickets WHERE " + condition,
			"DELETE FROM tickets USING (SELECT 1 AS one) x WHERE (" + condition + ")",
			"INSERT INTO tickets SELECT id + 8, seat, name, paid FROM tickets WHERE " + condition,
			"WITH x AS (UPDATE tickets SET seat = seat + 10 WHERE " + condition + " RETURNING id) SELECT count(*) FROM x",
		}
		for _, text := range []string{texts[0], texts[1+i%(len(texts)-1)]} { // in turns: all of each take long
			h.warm(t, func(db *gorm.DB) { all(db) })
			err := writer.Exec(text).Error
			want := all(plain.DB)
			for range 2 {
				require.Equal(t, want, all(h.DB), "%d: %s (%v)", i, text, err)
			}
			require.NoError(t, writer.Exec("DELETE FROM tickets").Error)
			require.NoError(t, writer.Exec("INSERT INTO tickets SELECT i, 9 - i, (i % 3 + 1)::text, i % 2 = 0 FROM generate_series(1, 8) i").Error)
		}
	}
}

// badge has two keys by which an upsert may find a row.
type badge struct {
	ID    int
	Code  string `gorm:"uniqueIndex:badge_code"`
	Owner string
}

// A write that names one row by its key may change another, or give a row another key.
func TestWritesThatChangeAnotherRowThanTheyName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&badge{})
	h, writer := w.cached(), w.cached()
	all := func(db *gorm.DB) any {
		var list, in []badge
		require.NoError(t, db.Order("id").Find(&list).Error)
		require.NoError(t, db.Order("id").Find(&in, []int{1, 2, 3, 4}).Error)
		return []any{list, in}
	}
	for _, text := range []string{
		"UPDATE badges SET id = 4 WHERE id = 1",
		"UPDATE badges SET (id, owner) = (4, 'new') WHERE id = 1",
		"INSERT INTO badges (id, code, owner) VALUES (1, 'c', 'new') ON CONFLICT (id) DO UPDATE SET id = 4",
		"INSERT INTO badges (id, code, owner) VALUES (1, 'c', 'new') ON CONFLICT (id) DO UPDATE SET owner = 'new'",
		"INSERT INTO badges (id, code, owner) VALUES (3, 'b', 'new') ON CONFLICT (code) DO UPDATE SET owner = 'new'",
		"INSERT INTO badges (id, code, owner) VALUES (3, 'c', 'new') ON CONFLICT (code) DO UPDATE SET owner = 'new'",
	} {
		require.NoError(t, writer.Exec("DELETE FROM badges").Error)
		require.NoError(t, writer.Create(&[]badge{{1, "a", "x"}, {2, "b", "y"}}).Error)
		h.warm(t, func(db *gorm.DB) { all(db) })
		require.NoError(t, writer.Exec(text).Error, text)
		agrees(t, plain, h, text, all)
	}
}
