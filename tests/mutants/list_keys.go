package main

// keys are mutants that give one name to what are two things, or two names to one.
func keys() []mutant {
	apart := by("keying", "TestArgumentsThatTheDatabaseTellsApartHaveDifferentDigests")
	return []mutant{
		{
			name: "the last argument of a query is not in its key",
			in:   in("callbacks", "query.bind"),
			old:  "for _, arg := range q.st.args", new: "for _, arg := range q.st.args[:max(len(q.st.args), 1)-1]",
			killers: by("tests", "TestArgumentsThatAreNearlyTheSame"),
		},
		{
			name: "the text of a query is not in its key",
			in:   in("callbacks", "snapshot.reads"),
			old:  "append(shape, p.script.Text)", new: "append(shape, names[0])",
			killers: by("tests", "TestQueriesThatOnlyLookLikePointLookupsAreNot"),
		},
		{
			name: "the session's settings are not in the key",
			in:   in("callbacks", "snapshot.reads"),
			old:  "session, fingerprint(key.model)", new: "session[:0], fingerprint(key.model)",
			killers: by("tests", "TestSessionsThatSeeSomethingElse"),
		},
		{
			name: "search_path is not among the settings",
			in:   inText("internal/catalog/postgres_settings.sql"),
			old:  "'search_path', ", new: "",
			killers: by("internal/catalog", "TestSessionsThatGetOtherAnswersAreToldApart"),
		},
		{
			name: "the types that the driver returns are not in the key",
			in:   in("internal/catalog", "delivered.sessions"),
			old:  "slices.Concat(parts, d[way])", new: "slices.Clip(parts)",
			killers: by("internal/catalog", "TestDriversThatReturnOtherValuesAreToldApart"),
		},
		{
			name: "the way in which a statement is sent is not in the key",
			in:   in("callbacks", "snapshot.reads"),
			old:  "key.way(p.script.Params)", new: "0",
			killers: by("tests", "TestValuesAreThoseThatTheDriverWouldDeliver"),
		},
		{
			name: "some rows are asked for in another way than all",
			in:   in("callbacks", "query.load"),
			old:  "len(args) == 0 && len(q.st.args) > 0", new: "false",
			killers: by("tests", "TestSomeOfTheRowsAreAskedForInTheSameWay"),
		},
		{
			name: "the namespace is not in the key",
			in:   in("keying", "NewSpace"),
			old:  `namespace + "/"`, new: `DefaultNamespace + "/"`,
			killers: by("tests", "TestNamespacesShareNothing"),
		},
		{
			name: "the database is not in the key",
			in:   in("keying", "newSpace"),
			old:  "escape(database)", new: `""`,
			killers: by("tests", "TestDatabasesOnOneRedisDoNotMix"),
		},
		{
			name: "databases in the memory of two handles are one",
			in:   in("callbacks", "database.memory"),
			old:  "rand.Text()", new: "process",
			killers: by("tests", "TestDatabasesInMemoryDoNotMix"),
		},
		{
			name: "text keys that differ by case are one row",
			in:   in("keying", "primaryKeyPart"),
			old:  "exact: escape(s)", new: "exact: folded",
			killers: by("keying", "TestEntriesOfDifferentKeysDiffer"),
		},
		{
			name: "a write of one spelling of a text key misses the others",
			in:   in("keying", "primaryKeyPart"),
			old:  "folded: folded", new: "folded: folded[:0] + escape(s)",
			killers: by("keying", "TestSpellingsOfOneKeyShareTheirTag"),
		},
		{
			name: "07 and 7 are two keys",
			in:   in("keying", "integerText"),
			old:  "trimZeros(digits)", new: "digits",
			killers: by("keying", "TestSpellingsOfOneKeyShareTheirTag"),
		},
		{
			name: "text beyond ASCII is folded as if there were no collations",
			in:   in("keying", "fold"),
			old:  `return "", false`, new: "b, digits = append(b, c), false",
			killers: by("keying", "TestKeysWithoutAProvableNameAreRefused"),
		},
		{
			name: "the columns of a composite key run together",
			in:   in("keying", "NewPrimaryKey"),
			old:  "exact.WriteByte(',')", new: "",
			killers: by("keying", "TestColumnsOfACompositeKeyDoNotRunTogether"),
		},
		{
			name: "the zone of a time is not in the key",
			in:   in("keying", "appendValue"),
			old:  "v.Format(withSeconds)", new: "v.UTC().Format(withSeconds)",
			killers: apart,
		},
		{
			name: "bytes and text are one argument",
			in:   in("keying", "appendValue"),
			old:  "appendString(b, 'x', string(v))", new: "appendString(b, 's', string(v))",
			killers: apart,
		},
		{
			name: "arguments run together",
			in:   in("keying", "appendString"),
			old:  "b = binary.AppendUvarint(append(b, mark), uint64(len(s)))", new: "b = append(b, mark)",
			killers: apart,
		},
		{
			name: "the type of an argument that the driver knows is not in the key",
			in:   in("keying", "appendReflected"),
			old:  "b = appendString(b, 'T', t.String())", new: "_ = t",
			killers: apart,
		},
		{
			name: "a key that the driver asks for its value is taken as it looks",
			in:   in("keying", "Plain"),
			old:  "rv.IsValid() && asked(rv.Type())", new: "false",
			killers: by("tests", "TestKeyOfATypeThatTheDriverAsks"),
		},
	}
}
