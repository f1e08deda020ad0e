package history

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// around is how many more operations of the register are shown, before and after.
const around = 4

// evidence shows an answer that is wrong, and the fewest operations that show why: what demands more, the writes that made
// what was demanded and what was read; and what else went on then.
func (j *judge) evidence(how Wrong, i, by int) string {
	shown := map[int]string{i: "◀ " + string(how)}
	if by >= 0 && by != i {
		shown[by] = "◀ than this"
		if how == Split || how == Dirty || how == Future || how == Order {
			shown[by] = "◀ this write"
		}
		if w := j.writer(j.ops[by].Nonce); w >= 0 && shown[w] == "" {
			shown[w] = "which it shows"
		}
	}
	nonce := j.ops[i].Nonce
	if j.ops[i].Kind == Count {
		nonce = j.made[j.ops[i].Version]
	}
	if w := j.writer(nonce); w >= 0 && shown[w] == "" {
		shown[w] = "what it shows"
	}
	for n := max(0, i-around); n < min(len(j.ops), i+around+1); n++ {
		if _, ok := shown[n]; !ok {
			shown[n] = ""
		}
	}
	order := make([]int, 0, len(shown))
	for n := range shown {
		order = append(order, n)
	}
	slices.Sort(order) // as they began
	var b strings.Builder
	fmt.Fprintf(&b, "%s: an answer is %s (%d operations; in the beginning version %d)\n",
		j.ops[i].Key, how, len(j.ops), j.initial.Version)
	for _, n := range order {
		b.WriteString(j.ops[n].line(j.ops[order[0]].Began) + "  " + shown[n] + "\n")
	}
	return b.String()
}

// all shows all operations of a register, of which Porcupine alone says that they have no order.
func (j *judge) all() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (in the beginning version %d)\n", j.ops[0].Key, NotLinear, j.initial.Version)
	for _, o := range j.ops {
		b.WriteString(o.line(j.ops[0].Began) + "\n")
	}
	return b.String()
}

// line prints an operation, with moments in milliseconds since another one.
func (o *Op) line(since int64) string {
	ms := func(at int64) string {
		if at == Never {
			return "        ?"
		}
		return fmt.Sprintf("%9.3f", float64(at-since)/1e6)
	}
	what := map[Kind]string{Read: "reads", Count: "counts", Torn: "reads nonsense", Write: "writes"}[o.Kind]
	if o.writes() {
		what += map[Outcome]string{InDoubt: ", in doubt,", Committed: ", committed,", RolledBack: ", rolled back,"}[o.Outcome]
	}
	version := strconv.Itoa(int(o.Version))
	if o.Version == Unknown {
		version = "?"
	}
	return fmt.Sprintf("  %s … %s  process %d %s version %s (%x)", ms(o.Began), ms(o.Ended), o.Process, what, version, o.Nonce)
}
