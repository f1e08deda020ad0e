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
			file: "internal/rowcodec/value.go",
			old:  "case Bool:\n\t\treturn v.Bool()", new: "case Bool:\n\t\treturn v.Int()",
			killers: values,
		},
		{
			name: "NULL comes back as an empty text",
			file: "internal/rowcodec/value.go",
			old:  "case Null:\n\t\treturn nil", new: "case Null:\n\t\treturn \"\"",
			killers: values,
		},
		{
			name: "bytes come back as text",
			file: "internal/rowcodec/value.go",
			old:  "return []byte(v.text)", new: "return v.text",
			killers: values,
		},
		{
			name: "floats lose digits",
			file: "internal/rowcodec/encode.go",
			old:  "math.Float64bits(v)", new: "math.Float64bits(float64(float32(v)))",
			killers: values,
		},
		{
			name: "times lose their microseconds",
			file: "internal/rowcodec/encode.go",
			old:  "uint64(t.Nanosecond())", new: "uint64(t.Nanosecond()/1e6*1e6)",
			killers: values,
		},
		{
			name: "times lose their zone",
			file: "internal/rowcodec/decode.go",
			old:  ".In(loc)", new: ".In(loc).UTC()",
			killers: times,
		},
		{
			name: "a zone of the database becomes an offset",
			file: "internal/rowcodec/zones.go",
			old:  "case isZone(loc, name):", new: "case false:",
			killers: times,
		},
		{
			name: "a value of a type that is not known is stored as text",
			file: "internal/rowcodec/encode.go",
			old:  `return nil, fmt.Errorf("%w: value of %T", ErrUnsupported, v)`, new: "return appendString(append(b, markString), fmt.Sprint(v)), nil",
			killers: by(pkg, "TestValuesThatAreNotKnownAreNotEncoded"),
		},
		{
			name: "columns lose the name of their type",
			file: "internal/rowcodec/decode.go",
			old:  "d.dbType = strings.Clone(r.string())", new: "_ = r.string()",
			killers: values,
		},
		{
			name: "columns lose the Go type that they are scanned into",
			file: "internal/rowcodec/decode.go",
			old:  "d.scanType = p.scanTypes[scanType]", new: "",
			killers: values,
		},
		{
			name: "columns lose the scale of decimals",
			file: "internal/rowcodec/decode.go",
			old:  "d.precision, d.scale = r.varint(), r.varint()", new: "_, _ = r.varint(), r.varint()",
			killers: values,
		},
		{
			name: "who changes an answer changes that of others",
			file: "internal/rowcodec/value.go",
			old:  "dest[i] = slices.Clone(b)", new: "dest[i] = b",
			killers: by(pkg, "TestPlayedRowsAreNotShared"),
		},
		{
			name: "an error in the middle of an answer ends it as if it were whole",
			file: "internal/rowcodec/set.go",
			old:  "return set, false, rows.Err()", new: "return set, false, nil",
			killers: by("tests", "TestResultsOfReadsAreTheSame"),
		},
		{
			name: "the rows beyond the limit of what is kept are lost",
			file: "internal/rowcodec/player.go",
			old:  "if c.tail != nil && c.tail.Next() {", new: "if false {",
			killers: by(pkg, "TestCaptureStopsAtItsLimitsAndTheRestIsPlayedFromTheCursor"),
		},
		{
			name: "bytes that do not decode end in a panic",
			file: "internal/rowcodec/decode.go",
			old:  "if n > uint64(len(r.data)) {", new: "if false {",
			killers: by(pkg, "TestBytesThatEncodeDidNotMakeAreCorrupt"),
		},
		{
			name: "fields: a number that is too great is cut off",
			file: "callbacks/fields.go",
			old:  " && !to.OverflowInt(v.Int()):", new: ":",
			killers: filled,
		},
		{
			name: "fields: a negative number becomes a great one",
			file: "callbacks/fields.go",
			old:  "v.Int() >= 0 && !to.OverflowUint(uint64(v.Int())):", new: "!to.OverflowUint(uint64(v.Int())):",
			killers: filled,
		},
		{
			name: "fields: NULL clears what GORM leaves as it is",
			file: "callbacks/fields.go",
			old:  "if !f.keeps {", new: "if true {",
			killers: filled,
		},
		{
			name: "fields: those that may not be read are filled",
			file: "callbacks/fields.go",
			old:  "if f == nil || !f.Readable {", new: "if f == nil {",
			killers: filled,
		},
		{
			name: "fields: what was in the room of a slice stays there",
			file: "callbacks/scan.go",
			old:  "at.SetZero()", new: "_ = at",
			killers: filled,
		},
		{
			name: "fields: setters that somebody has replaced are passed over",
			file: "callbacks/fields.go",
			old:  " || code(f.Set) != k.setters[kind]", new: "",
			killers: by("tests", "TestReplacedSettersAreUsed"),
		},
		{
			name: "fields: a row that is not there is no error",
			file: "callbacks/scan.go",
			old:  "if rows == 0 && stmt.RaiseErrorOnNotFound {", new: "if false {",
			killers: filled,
		},
	}
}
