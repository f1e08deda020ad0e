package tests_test

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// delivered is what a driver hands to a Scanner: the type and the value.
type delivered struct{ value string }

// Scan implements sql.Scanner.
func (d *delivered) Scan(v any) error {
	d.value = fmt.Sprintf("%T %v", v, v)
	return nil
}

// Value implements driver.Valuer.
func (d *delivered) Value() (driver.Value, error) { return d.value, nil }

// sample has columns whose values drivers deliver in more than one way.
type sample struct {
	ID int
	F  float64
	S  delivered
	B  delivered
	D  delivered
	N  delivered
	T  delivered
}

// samplesOf are the texts that make the table of samples, by dialect.
func samplesOf() map[string][]string {
	return map[string][]string{
		"mysql": {
			"CREATE TABLE samples (id int PRIMARY KEY, f float, s float, b bigint unsigned, d date, n decimal(10,2), t time)",
			"INSERT INTO samples VALUES (1, 16777216, 16777216, 18446744073709551615, '2001-02-03', 1.50, '04:05:06'), (2, 0.1, 0.1, 2, NULL, 2, NULL)",
		},
		"postgres": {
			"CREATE TABLE samples (id int PRIMARY KEY, f float4, s float4, b bytea, d date, n numeric, t interval)",
			"INSERT INTO samples VALUES (1, 16777216, 0.1, '\\x00ff5c', '2001-02-03', 1.50, '1 day 02:00'), (2, 0.1, 1e-20, NULL, NULL, 2, NULL)",
		},
		"sqlite": {
			"CREATE TABLE samples (id integer PRIMARY KEY, f real, s real, b blob, d date, n numeric, t text)",
			"INSERT INTO samples VALUES (1, 16777216, 0.1, x'00ff5c', '2001-02-03', 1.50, '1'), (2, 0.1, 1e-20, NULL, NULL, 2, NULL)",
		},
	}
}

// lookupsOfSamples look up the same rows, whose texts have arguments, or not.
func lookupsOfSamples() []func(*gorm.DB) *gorm.DB {
	return []func(*gorm.DB) *gorm.DB{
		func(db *gorm.DB) *gorm.DB { return db.Where("id = 1") },
		func(db *gorm.DB) *gorm.DB { return db.Where("id = ?", 1) },
		func(db *gorm.DB) *gorm.DB { return db.Where("id IN (1, 2)") },
		func(db *gorm.DB) *gorm.DB { return db.Where("id IN ?", []int{1, 2}) },
		func(db *gorm.DB) *gorm.DB { return db.Where("id IN (?, 2)", 1) },
		func(db *gorm.DB) *gorm.DB { return db.Where("id IN (?, 2)", 3) },
		func(db *gorm.DB) *gorm.DB { return db.Where("id > 0") },
		func(db *gorm.DB) *gorm.DB { return db.Where("id > ?", 0) },
	}
}

// A driver delivers values in other ways when it sends arguments, when it writes them into the text, when statements are prepared,
// and in each of pgx's modes. Handles of all kinds share a Redis, and each gets what it would without the cache.
func TestValuesAreThoseThatTheDriverWouldDeliver(t *testing.T) {
	t.Parallel()
	prepares := withGORM(func(c *gorm.Config) { c.PrepareStmt = true })
	parameters := map[string][]string{
		"mysql": {"interpolateParams=false", "interpolateParams=true", "parseTime=false"},
		"postgres": {
			"default_query_exec_mode=cache_statement", "default_query_exec_mode=simple_protocol", "default_query_exec_mode=exec",
			"default_query_exec_mode=describe_exec", "bytea_output=escape",
		},
		"sqlite": {"_txlock=deferred"},
	}
	for _, d := range dialects() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, d)
			setup := w.plain()
			for _, text := range samplesOf()[d.name] {
				require.NoError(t, setup.Exec(text).Error)
			}
			type pair struct {
				name          string
				plain, cached *handle
			}
			var pairs []pair
			for _, parameter := range parameters[d.name] {
				name, value, _ := strings.Cut(parameter, "=")
				odd := w.with(name, value)
				pairs = append(pairs, pair{parameter, odd.plain(), odd.cached()},
					pair{parameter + ", prepared", odd.plain(prepares), odd.cached(prepares)})
			}
			for range 3 {
				for i, lookup := range lookupsOfSamples() {
					for _, p := range pairs {
						read := func(db *gorm.DB) (rows []sample, maps []map[string]any, errs error) {
							errs = errors.Join(lookup(db).Order("id").Find(&rows).Error,
								lookup(db.Table("samples")).Order("id").Find(&maps).Error) // GORM takes no great number into a map
							return rows, maps, errs
						}
						rows, maps, err := read(p.plain.DB)
						gotRows, gotMaps, gotErr := read(p.cached.DB)
						require.Equal(t, fmt.Sprint(err), fmt.Sprint(gotErr), "%s, lookup %d", p.name, i)
						require.Equal(t, rows, gotRows, "%s, lookup %d", p.name, i)
						require.Equal(t, maps, gotMaps, "%s, lookup %d", p.name, i)
					}
				}
			}
			for _, p := range pairs {
				require.True(t, slices.ContainsFunc(p.cached.log.reads, func(e metrics.ReadEvent) bool {
					return e.Outcome == metrics.Hit
				}), p.name)
			}
		})
	}
}

// Of a lookup with an argument, the row that is not cached is named by the text alone. What is asked for it must be sent with an
// argument, too, or it would be stored as another text delivers it.
func TestSomeOfTheRowsAreAskedForInTheSameWay(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, onMySQL())
	plain, h := w.plain(), w.cached()
	for _, text := range samplesOf()["mysql"] {
		require.NoError(t, plain.Exec(text).Error)
	}
	find := func(db *gorm.DB, condition string, args ...any) (rows []sample) {
		require.NoError(t, db.Order("id").Where(condition, args...).Find(&rows).Error)
		return rows
	}
	h.warm(t, func(db *gorm.DB) { find(db, "id = ?", 1) })
	require.Equal(t, find(plain.DB, "id IN (?, 2)", 1), find(h.DB, "id IN (?, 2)", 1))
	h.warm(t, func(db *gorm.DB) { require.Equal(t, find(plain.DB, "id = ?", 2), find(db, "id = ?", 2)) })
}
