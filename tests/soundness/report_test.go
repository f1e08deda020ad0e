package soundness_test

import (
	"fmt"
	"strings"
)

// report writes what was counted as a document.
func (l *ledger) report() string {
	var b strings.Builder
	t := l.sum(anyCell)
	writes := 0
	for _, k := range writeKinds() {
		writes += l.done[k.name] + l.refused[k.name]
	}
	fmt.Fprintf(&b, `# Precision

*Written by `+"`make precision`"+`. Do not edit: run it again.*

A stored answer should die when a write changes it, and live on when it does not. The first is the promise, and
`+"`tests/soundness`"+` fails if it is broken once. The second is counted here: how often an answer was dropped although the
database would have given the same one.

How it is measured: on PostgreSQL, with tables that have foreign keys with actions, triggers, views, partitions, heirs and
odd keys, queries are drawn of every kind, and all their answers are stored. Then one write is drawn, made by the process
that reads or by another one with other models, and every query is asked again, without the plugin and with it. %d epochs
of %d writes, with the seeds 1 to %d; the rows are put back after each epoch. A query of several statements, as one with
preloads, died if one of them was not answered from Redis. The tables are small (6 to 20 rows), so that writes meet what
queries ask for; in larger ones answers change more rarely.

**%d writes met %d stored answers. %d of the answers (%.1f %%) changed: all of them died. %d (%.1f %%) did not change: of
these, %d (%.1f %%) died for nothing.**

`, epochsOfReport, roundsOfEpoch, epochsOfReport, writes, t.stored, t.changed, percent(t.changed, t.stored), t.stored-t.changed,
		percent(t.stored-t.changed, t.stored), t.idle, percent(t.idle, t.stored-t.changed))
	l.byRead(&b)
	l.byWrite(&b)
	l.byBoth(&b)
	return b.String()
}

const header = "stored answers | changed, and died | died for nothing | of those that had not changed |\n|---|--:|--:|--:|--:|\n"

func (l *ledger) byRead(b *strings.Builder) {
	b.WriteString("## By kind of query\n\n| query | " + header)
	for _, k := range readKinds() {
		row(b, k.name, l.sum(func(c cell) bool { return c.read == k.name }))
	}
	row(b, "**all**", l.sum(anyCell))
}

func (l *ledger) byWrite(b *strings.Builder) {
	b.WriteString("\n## By kind of write\n\n*Undone* are writes that the database refused, and transactions that were rolled back.\n\n| write | " + header)
	for _, g := range groups() {
		row(b, g, l.sum(func(c cell) bool { return c.group == g }))
	}
}

func row(b *strings.Builder, name string, t tally) {
	fmt.Fprintf(b, "| %s | %d | %d (%.1f %%) | %d | %.1f %% |\n", name, t.stored, t.changed, percent(t.changed, t.stored), t.idle,
		percent(t.idle, t.stored-t.changed))
}

func (l *ledger) byBoth(b *strings.Builder) {
	b.WriteString("\n## Died for nothing, by both\n\nIn per cent of the answers that had not changed.\n\n| query |")
	for _, g := range groups() {
		b.WriteString(" " + g + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(groups())) + "\n")
	for _, k := range readKinds() {
		fmt.Fprintf(b, "| %s |", k.name)
		for _, g := range groups() {
			t := l.sum(func(c cell) bool { return c == cell{k.name, g} })
			if t.stored == t.changed {
				b.WriteString(" |")
				continue
			}
			fmt.Fprintf(b, " %.0f |", percent(t.idle, t.stored-t.changed))
		}
		b.WriteString("\n")
	}
}
