package hitrate

// An oracle is the ideal cache.
type oracle struct{ settled map[string]bool }

func newOracle() *oracle { return &oracle{settled: map[string]bool{}} }

// ask returns how many of the answers it had. It has all of them afterwards.
func (o *oracle) ask(answers []string) (had int) {
	for _, a := range answers {
		if o.settled[a] {
			had++
		}
		o.settled[a] = true
	}
	return had
}

// changed says that a write changed these answers.
func (o *oracle) changed(answers ...string) {
	for _, a := range answers {
		delete(o.settled, a)
	}
}
