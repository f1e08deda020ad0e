package main

// codecs are mutants that give the application other values, or values of other types, than the driver did.
func codecs() []mutant {
	const pkg = "internal/rowcodec"
	values := by(pkg, "TestRowsComeBackAsTheDriverReturnedThem")
	filled := by("tests", "TestModelsAreFilledAsGORMDoesIt")
	times := by(pkg, "TestTimesKeepTheirZone")
	return []mutant{
		{
			name: "booleans come back as numbers",
			in:   in(pkg, "Value.Driver"),
			old:  "v.Bool()", new: "v.Int()",
			killers: values,
		},
		{
			name: "NULL comes back as an empty text",
			in:   in(pkg, "Value.Driver"),
			old:  "return nil", new: `return ""`,
			killers: values,
		},
		{
			name: "bytes come back as text",
			in:   in(pkg, "Value.Driver"),
			old:  "[]byte(v.text)", new: "v.text",
			killers: values,
		},
		{
			name: "floats lose digits",
			in:   in(pkg, "Player.appendValue"),
			old:  "math.Float64bits(v)", new: "math.Float64bits(float64(float32(v)))",
			killers: values,
		},
		{
			name: "times lose their microseconds",
			in:   in(pkg, "Player.appendTime"),
			old:  "t.Nanosecond()", new: "t.Nanosecond() / 1e6 * 1e6",
			killers: values,
		},
		{
			name: "times lose their zone",
			in:   in(pkg, "reader.time"),
			old:  "time.Unix(sec, int64(nsec)).In(loc)", new: "time.Unix(sec, int64(nsec)).In(loc).UTC()",
			killers: times,
		},
		{
			name: "a zone of the database becomes an offset",
			in:   in(pkg, "zones.mark"),
			old:  "isZone(loc, name)", new: "false",
			killers: times,
		},
		{
			name:    "a value of a type that is not known is stored as text",
			in:      in(pkg, "Player.appendValue"),
			old:     `nil, fmt.Errorf("%w: value of %T", ErrUnsupported, v)`,
			new:     "appendString(append(b, markString), fmt.Sprint(v)), nil",
			killers: by(pkg, "TestValuesThatAreNotKnownAreNotEncoded"),
		},
		{
			name: "columns lose the name of their type",
			in:   in(pkg, "reader.column"),
			old:  "d.dbType = strings.Clone(r.string())", new: "_ = r.string()",
			killers: values,
		},
		{
			name: "columns lose the Go type that they are scanned into",
			in:   in(pkg, "reader.column"),
			old:  "d.scanType = p.scanTypes[scanType]", new: "",
			killers: values,
		},
		{
			name: "columns lose the scale of decimals",
			in:   in(pkg, "reader.column"),
			old:  "d.precision, d.scale", new: "_, _",
			killers: values,
		},
		{
			name: "who changes an answer changes that of others",
			in:   in(pkg, "Set.copyTo"),
			old:  "slices.Clone(b)", new: "slices.Clip(b)",
			killers: by(pkg, "TestPlayedRowsAreNotShared"),
		},
		{
			name: "an error in the middle of an answer ends it as if it were whole",
			in:   in(pkg, "Player.Capture"),
			old:  "rows.Err()", new: "nil",
			killers: by("tests", "TestResultsOfReadsAreTheSame"),
		},
		{
			name: "the rows beyond the limit of what is kept are lost",
			in:   in(pkg, "cursor.Next"),
			old:  "c.tail != nil && c.tail.Next()", new: "false",
			killers: by(pkg, "TestCaptureStopsAtItsLimitsAndTheRestIsPlayedFromTheCursor"),
		},
		{
			name: "bytes that do not decode end in a panic",
			in:   in(pkg, "reader.string"),
			old:  "n > uint64(len(r.data))", new: "false",
			killers: by(pkg, "TestBytesThatEncodeDidNotMakeAreCorrupt"),
		},
		{
			name: "fields: a number that is too great is cut off",
			in:   in("callbacks", "putWhole"),
			old:  "!to.OverflowInt(v.Int())", new: "true",
			killers: filled,
		},
		{
			name: "fields: a negative number becomes a great one",
			in:   in("callbacks", "putWhole"),
			old:  "v.Int() >= 0", new: "true",
			killers: filled,
		},
		{
			name: "fields: NULL clears what GORM leaves as it is",
			in:   in("callbacks", "field.set"),
			old:  "!f.keeps", new: "true",
			killers: filled,
		},
		{
			name: "fields: those that may not be read are filled",
			in:   in("callbacks", "fieldKinds.fieldsOf"),
			old:  "f == nil || !f.Readable", new: "f == nil",
			killers: filled,
		},
		{
			name: "fields: what was in the room of a slice stays there",
			in:   in("callbacks", "fillSlice"),
			old:  "at.SetZero()", new: "_ = at",
			killers: filled,
		},
		{
			name: "fields: setters that somebody has replaced are passed over",
			in:   in("callbacks", "fieldKinds.of"),
			old:  "code(f.Set) != k.setters[kind]", new: "false",
			killers: by("tests", "TestReplacedSettersAreUsed"),
		},
		{
			name: "fields: a row that is not there is no error",
			in:   in("callbacks", "scanner.fill"),
			old:  "rows == 0 && stmt.RaiseErrorOnNotFound", new: "false",
			killers: filled,
		},
	}
}
