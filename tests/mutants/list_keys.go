package main

// keys are mutants that give one name to what are two things, or two names to one.
func keys() []mutant {
	apart := by("keying", "TestArgumentsThatTheDatabaseTellsApartHaveDifferentDigests")
	return []mutant{
		{
			name: "the last argument of a query is not in its key",
			file: "callbacks/query.go",
			old:  "for _, arg := range q.st.args {", new: "for _, arg := range q.st.args[:max(len(q.st.args), 1)-1] {",
			killers: by("tests", "TestArgumentsThatAreNearlyTheSame"),
		},
		{
			name: "the text of a query is not in its key",
			file: "callbacks/plan.go",
			old:  "append(shape, p.script.Text)", new: "append(shape, names[0])",
			killers: by("tests", "TestQueriesThatOnlyLookLikePointLookupsAreNot"),
		},
		{
			name: "the session's settings are not in the key",
			file: "callbacks/plan.go",
			old:  "[]string{session,", new: "[]string{session[:0],",
			killers: by("tests", "TestSessionsThatSeeSomethingElse"),
		},
		{
			name: "search_path is not among the settings",
			file: "internal/catalog/postgres_settings.sql",
			old:  "'search_path', ", new: "",
			killers: by("internal/catalog", "TestSessionsThatGetOtherAnswersAreToldApart"),
		},
		{
			name: "the types that the driver returns are not in the key",
			file: "internal/catalog/samples.go",
			old:  "slices.Concat(parts, d[way])...", new: "slices.Clip(parts)...",
			killers: by("internal/catalog", "TestDriversThatReturnOtherValuesAreToldApart"),
		},
		{
			name: "the way in which a statement is sent is not in the key",
			file: "callbacks/plan.go",
			old:  "k.found.Sessions[key.way(p.script.Params)]", new: "k.found.Sessions[0]",
			killers: by("tests", "TestValuesAreThoseThatTheDriverWouldDeliver"),
		},
		{
			name: "some rows are asked for in another way than all",
			file: "callbacks/load.go",
			old:  "if len(args) == 0 && len(q.st.args) > 0 {", new: "if false {",
			killers: by("tests", "TestSomeOfTheRowsAreAskedForInTheSameWay"),
		},
		{
			name: "the namespace is not in the key",
			file: "keying/scheme.go",
			old:  `namespace + "/" + strconv`, new: `DefaultNamespace + "/" + strconv`,
			killers: by("tests", "TestNamespacesShareNothing"),
		},
		{
			name: "the database is not in the key",
			file: "keying/scheme.go",
			old:  "escape(database)", new: `""`,
			killers: by("tests", "TestDatabasesOnOneRedisDoNotMix"),
		},
		{
			name: "databases in the memory of two handles are one",
			file: "callbacks/knowledge.go",
			old:  `return "memory-" + rand.Text()`, new: `return "memory-" + process`,
			killers: by("tests", "TestDatabasesInMemoryDoNotMix"),
		},
		{
			name: "text keys that differ by case are one row",
			file: "keying/primarykey.go",
			old:  "exact: escape(s), folded: folded", new: "exact: folded, folded: folded",
			killers: by("keying", "TestEntriesOfDifferentKeysDiffer"),
		},
		{
			name: "a write of one spelling of a text key misses the others",
			file: "keying/primarykey.go",
			old:  "exact: escape(s), folded: folded", new: "exact: escape(s), folded: folded[:0] + escape(s)",
			killers: by("keying", "TestSpellingsOfOneKeyShareTheirTag"),
		},
		{
			name: "07 and 7 are two keys",
			file: "keying/digest.go",
			old:  "if digits = trimZeros(digits); v[0]", new: "if v[0]",
			killers: by("keying", "TestSpellingsOfOneKeyShareTheirTag"),
		},
		{
			name: "text beyond ASCII is folded as if there were no collations",
			file: "keying/primarykey.go",
			old:  `return "", false`, new: "b, digits = append(b, c), false",
			killers: by("keying", "TestKeysWithoutAProvableNameAreRefused"),
		},
		{
			name: "the columns of a composite key run together",
			file: "keying/primarykey.go",
			old:  "exact.WriteByte(',') // no part contains a comma", new: "",
			killers: by("keying", "TestColumnsOfACompositeKeyDoNotRunTogether"),
		},
		{
			name: "the zone of a time is not in the key",
			file: "keying/digest.go",
			old:  "v.Format(withSeconds)", new: "v.UTC().Format(withSeconds)",
			killers: apart,
		},
		{
			name: "bytes and text are one argument",
			file: "keying/digest.go",
			old:  "appendString(b, 'x', string(v))", new: "appendString(b, 's', string(v))",
			killers: apart,
		},
		{
			name: "arguments run together",
			file: "keying/digest.go",
			old:  "b = binary.AppendUvarint(append(b, mark), uint64(len(s)))", new: "b = append(b, mark)",
			killers: apart,
		},
		{
			name: "the type of an argument that the driver knows is not in the key",
			file: "keying/digest.go",
			old:  "b = appendString(b, 'T', t.String())", new: "_ = t",
			killers: apart,
		},
		{
			name: "a key that the driver asks for its value is taken as it looks",
			file: "keying/digest.go",
			old:  "if rv.IsValid() && asked(rv.Type()) {", new: "if false {",
			killers: by("tests", "TestKeyOfATypeThatTheDriverAsks"),
		},
	}
}
