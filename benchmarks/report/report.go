// Package report writes what was measured as Markdown.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Section is a part of the report.
type Section struct {
	Title string
	// Text says what was done, and how to read the tables.
	Text   string
	Tables []Table
}

// A Table has a cell for each column in each row.
type Table struct {
	Title   string
	Columns []string
	Rows    [][]string
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Write writes the section.
func (s Section) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n", s.Title)
	if s.Text != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(s.Text))
	}
	for i := range s.Tables {
		s.Tables[i].write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Table) write(b *strings.Builder) {
	if t.Title != "" {
		fmt.Fprintf(b, "\n### %s\n", t.Title)
	}
	rule := slices.Repeat([]string{"---"}, len(t.Columns))
	fmt.Fprintf(b, "\n| %s |\n| %s |\n", strings.Join(t.Columns, " | "), strings.Join(rule, " | "))
	for _, row := range t.Rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}

// Percent formats a part of a whole.
func Percent(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// Points formats the difference of two parts of a whole, in percentage points.
func Points(part, other, whole int) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%+.1f", 100*float64(part-other)/float64(whole))
}

// Range formats the least, the median and the greatest of some figures.
func Range(figures []float64) string {
	if len(figures) == 0 {
		return "–"
	}
	sorted := slices.Sorted(slices.Values(figures))
	return fmt.Sprintf("%s – **%s** – %s", Figure(sorted[0]), Figure(Median(sorted)), Figure(sorted[len(sorted)-1]))
}

// Median returns the middle of some figures; zero if there are none.
func Median(figures []float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(figures))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Figure formats a figure with what of it is worth reading.
func Figure(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	default:
		return fmt.Sprintf("%.2f", f)
	}
}
