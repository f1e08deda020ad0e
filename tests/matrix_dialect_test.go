package tests_test

import (
	"strings"

	"gorm.io/gorm"
)

// A matrixDialect is what of the matrix exists only on one kind of database, or reads otherwise there.
type matrixDialect struct {
	// words stand for the words in braces of matrixSchema.
	words []string
	// schema and rows come after the common ones.
	schema, rows string
	// renumber makes new rows get keys from 101 on. It runs without the plugin.
	renumber func(db *gorm.DB) error
	// finish comes after the first rows.
	finish                  string
	statements, definitions []matrixMutation
	reads                   []matrixRead
}

// schema returns the definitions of all tables.
func (d *dialect) schema() string {
	m := d.matrix()
	return d.text(matrixSchema, m.words...) + m.schema
}

// rows returns what gives all tables the rows that they begin with.
func (d *dialect) rows() string {
	m := d.matrix()
	return d.text(matrixRows, m.words...) + m.rows
}

// text puts names and words in the place of words in braces.
func (d *dialect) text(text string, words ...string) string {
	words = append(words, "{key}", d.quoted("key"), "{some text}", d.quoted("Some Text"), "{odd}", d.quoted("Odd.Name"),
		"{value}", d.quoted("Value"))
	return strings.NewReplacer(words...).Replace(text)
}
