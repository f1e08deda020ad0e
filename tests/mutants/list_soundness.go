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
			file: "callbacks/dependency.go",
			old:  "\treturn all\n}\n\n// narrow", new: "\treturn all[:1]\n}\n\n// narrow",
			killers: found,
		},
		{
			name: "soundness: the tables of subqueries are lost",
			file: "internal/sqltext/scan.go",
			old:  "p.name(t.text)\n\t\t\ti = p.word(l, i)", new: "if t.depth == 0 {\n\t\t\t\tp.name(t.text)\n\t\t\t}\n\t\t\ti = p.word(l, i)",
			killers: found,
		},
		{
			name: "soundness: the tables that a view reads are lost",
			file: "relations/reads.go",
			old:  "if t.view == nil {", new: "if true {",
			killers: found,
		},
		{
			name: "soundness: a write through a view does not reach its tables",
			file: "relations/writes.go",
			old:  "if t.view != nil {", new: "if false {",
			killers: found,
		},
		{
			name: "soundness: cascades are ignored",
			file: "relations/writes.go",
			old:  "w.references(name, c)\n", new: "",
			killers: found,
		},
		{
			name: "soundness: cascades end after the first table",
			file: "relations/writes.go",
			old:  "w.table(child, Change{Op: sqltext.Delete}, false)", new: "w.mark(child, sqltext.Delete)",
			killers: found,
		},
		{
			name: "soundness: SET NULL and SET DEFAULT are ignored",
			file: "relations/writes.go",
			old:  `case "n", "d", "set null", "set default":`, new: `case "":`,
			killers: found,
		},
		{
			name: "soundness: ON UPDATE is ignored",
			file: "relations/writes.go",
			old:  "c.Op == sqltext.Update && c.touches(k.References)", new: "false",
			killers: found,
		},
		{
			name: "soundness: triggers are ignored",
			file: "relations/writes.go",
			old:  "w.fire(name, c.Op)", new: "",
			killers: found,
		},
		{
			name: "soundness: a write to a partition or an heir does not reach the table",
			file: "relations/writes.go",
			old:  "w.inherit(name, c, w.g.parents)", new: "",
			killers: found,
		},
		{
			name: "soundness: a write to a table does not reach its partitions and heirs",
			file: "relations/writes.go",
			old:  "w.inherit(name, c, w.g.heirs)", new: "",
			killers: found,
		},
		{
			name: "soundness: TRUNCATE CASCADE is ignored",
			file: "relations/writes.go",
			old:  "if c.Cascade {", new: "if false {",
			killers: found,
		},
		{
			name: "soundness: an update of the key invalidates the old row alone",
			file: "callbacks/writeplan.go",
			old:  "(assignsKey(c, t) ||", new: "(false ||",
			killers: found,
		},
		{
			name: "soundness: the conflict target of an upsert is ignored",
			file: "callbacks/writeplan.go",
			old:  "isKey(c.Target, t) && !assignsKey(c, t)", new: "!assignsKey(c, t)",
			killers: found,
		},
		{
			name: "soundness: a write of unknown rows reaches only the lists",
			file: "callbacks/effects.go",
			old:  "return x.bulk || changed > maxAnnounced", new: "return changed > maxAnnounced",
			killers: found,
		},
		{
			name: "soundness: new rows leave who found them absent alone",
			file: "callbacks/effects.go",
			old:  "\t\tdefault:\n\t\t\tx.absent = true", new: "\t\tdefault:",
			killers: found,
		},
		{
			name: "soundness: keys that differ in case are two rows",
			file: "keying/primarykey.go",
			old:  "b, digits = append(b, c|0x20), false", new: "b, digits = append(b, c), false",
			killers: found,
		},
		{
			name: "soundness: a write within WITH is a query",
			file: "internal/sqltext/sqltext.go",
			old:  "p.out.Class = Change\n", new: "p.out.Lookup = nil\n",
			killers: found,
		},
		{
			name: "soundness: a text is its first statement",
			file: "callbacks/writeplan.go",
			old:  "for i := range p.script.Parts {", new: "for i := range p.script.Parts[:1] {",
			killers: found,
		},
		{
			name: "soundness: a function that a query calls changes nothing",
			file: "callbacks/writeplan.go",
			old:  "w.reach(k.graph.Call(call))", new: "_ = call",
			killers: found,
		},
	}
}
