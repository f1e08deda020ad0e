package main

import "time"

// soundness are mutants that the random test of tests/soundness has to find by itself. Others break the same places, and
// are found by tests that were written for them.
func soundness() []mutant {
	found := by("tests/soundness", "TestAnswerThatAWriteChangedIsNeverServed")
	found.soak = 5 * time.Minute // some writes are rare
	return []mutant{
		{
			name: "soundness: of the tables of a join the first alone counts",
			in:   in("callbacks", "snapshot.dependencies"),
			old:  "return all", new: "return all[:1]",
			killers: found,
		},
		{
			name: "soundness: the tables of subqueries are lost",
			in:   in("internal/sqltext", "parser.scan"),
			old:  "p.name(t.text); i = p.word(l, i)", new: "if t.depth == 0 { p.name(t.text) }; i = p.word(l, i)",
			killers: found,
		},
		{
			name: "soundness: the tables that a view reads are lost",
			in:   in("relations", "reader.name"),
			old:  "t.view == nil", new: "true",
			killers: found,
		},
		{
			name: "soundness: a write through a view does not reach its tables",
			in:   in("relations", "walk.table"),
			old:  "t.view != nil", new: "false",
			killers: found,
		},
		{
			name: "soundness: cascades are ignored",
			in:   in("relations", "walk.table"),
			old:  "w.references(name, c)", new: "",
			killers: found,
		},
		{
			name: "soundness: cascades end after the first table",
			in:   in("relations", "walk.act"),
			old:  "w.table(child, Change{Op: sqltext.Delete}, false)", new: "w.mark(child, sqltext.Delete)",
			killers: found,
		},
		{
			name: "soundness: SET NULL and SET DEFAULT are ignored",
			in:   in("relations", "walk.act"),
			old:  `"n", "d", "set null", "set default"`, new: `""`,
			killers: found,
		},
		{
			name: "soundness: ON UPDATE is ignored",
			in:   in("relations", "walk.references"),
			old:  "c.Op == sqltext.Update && c.touches(k.References)", new: "false",
			killers: found,
		},
		{
			name: "soundness: triggers are ignored",
			in:   in("relations", "walk.table"),
			old:  "w.fire(name, c.Op)", new: "",
			killers: found,
		},
		{
			name: "soundness: a write to a partition or an heir does not reach the table",
			in:   in("relations", "walk.table"),
			old:  "w.inherit(name, c, w.g.parents)", new: "",
			killers: found,
		},
		{
			name: "soundness: a write to a table does not reach its partitions and heirs",
			in:   in("relations", "walk.table"),
			old:  "w.inherit(name, c, w.g.heirs)", new: "",
			killers: found,
		},
		{
			name: "soundness: TRUNCATE CASCADE is ignored",
			in:   in("relations", "walk.references"),
			old:  "c.Cascade", new: "false",
			killers: found,
		},
		{
			name: "soundness: an update of the key invalidates the old row alone",
			in:   in("callbacks", "tableWrite.limits"),
			old:  "assignsKey(c, t)", new: "false",
			killers: found,
		},
		{
			name: "soundness: the conflict target of an upsert is ignored",
			in:   in("callbacks", "tableWrite.replaces"),
			old:  "isKey(c.Target, t) && !assignsKey(c, t)", new: "!assignsKey(c, t)",
			killers: found,
		},
		{
			name: "soundness: a write of unknown rows reaches only the lists",
			in:   in("callbacks", "effect.isBulk"),
			old:  "x.bulk || changed > maxAnnounced", new: "changed > maxAnnounced",
			killers: found,
		},
		{
			name: "soundness: new rows leave who found them absent alone",
			in:   in("callbacks", "effects.add"),
			old:  "x.absent = true", new: "",
			killers: found,
		},
		{
			name: "soundness: keys that differ in case are two rows",
			in:   in("keying", "fold"),
			old:  "c | 0x20", new: "c",
			killers: found,
		},
		{
			name: "soundness: a write within WITH is a query",
			in:   in("internal/sqltext", "parser.statement"),
			old:  "p.out.Class = Change", new: "p.out.Lookup = nil",
			killers: found,
		},
		{
			name: "soundness: a text is its first statement",
			in:   in("callbacks", "snapshot.writes"),
			old:  "for i := range p.script.Parts", new: "for i := range p.script.Parts[:1]",
			killers: found,
		},
		{
			name: "soundness: a function that a query calls changes nothing",
			in:   in("callbacks", "snapshot.writes"),
			old:  "w.reach(k.graph.Call(call))", new: "_ = call",
			killers: found,
		},
	}
}
