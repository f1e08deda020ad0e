package hitrate

import "github.com/gorm-rediscache/rediscache/metrics"

// A share is how much of something was there.
type share struct{ asked, found, ideal int }

func (s *share) add(asked, found, ideal int) {
	s.asked += asked
	s.found += found
	s.ideal += ideal
}

// A tally is what a simulation counts.
type tally struct {
	// answers, statements and operations count the same at three sizes: an operation consists of statements, a statement
	// asks for answers. A statement or an operation is found if it asked PostgreSQL nothing.
	answers, statements, operations share
	// tables splits answers.
	tables map[string]*share
	// queries reached PostgreSQL through the cache, and through plain GORM.
	queries, plainQueries int
	bypasses              int
	writes, tags          int
	cachedTimes           []float64
	plainTimes            []float64
}

func (t *tally) table(name string) *share {
	s := t.tables[name]
	if s == nil {
		s = &share{}
		t.tables[name] = s
	}
	return s
}

func (t *tally) wrote(writes []metrics.WriteEvent) {
	t.writes++
	for _, w := range writes {
		t.tags += len(w.Tags)
	}
}

// An outcome is that of one operation.
type outcome struct {
	answers, statements share
	bypasses            int
}

// add counts one statement. What it asks for may be kept in as many entries, or in one.
func (o *outcome) add(table *share, e metrics.ReadEvent, answers, ideal int) {
	found := 0
	switch {
	case e.Outcome == metrics.Bypass:
		o.bypasses++
	case e.Outcome == metrics.Hit:
		found = answers
	case e.Entries > 0:
		found = answers * e.Found / e.Entries
	}
	table.add(answers, found, ideal)
	o.answers.add(answers, found, ideal)
	o.statements.add(1, whole(found, answers), whole(ideal, answers))
}

// add counts one operation.
func (t *tally) add(o outcome) {
	t.bypasses += o.bypasses
	t.answers.add(o.answers.asked, o.answers.found, o.answers.ideal)
	t.statements.add(o.statements.asked, o.statements.found, o.statements.ideal)
	all := o.statements.asked
	t.operations.add(1, whole(o.statements.found, all), whole(o.statements.ideal, all))
}

// whole is 1 if all of it was there.
func whole(part, all int) int {
	if part == all {
		return 1
	}
	return 0
}
