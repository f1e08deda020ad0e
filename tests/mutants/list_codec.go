package main

// codecs are mutants that give the application other values, or values of other types, than the driver did.
func codecs() []mutant {
	const pkg = "internal/rowcodec"
	values := by(pkg, "TestRowsComeBackAsTheDriverReturnedThem")
	times := by(pkg, "TestTimesKeepTheirZone")
	return []mutant{
		{
			name: "booleans come back as numbers",
			file: "internal/rowcodec/decode.go",
			old:  "case markTrue:\n\t\treturn true", new: "case markTrue:\n\t\treturn int64(1)",
			killers: values,
		},
		{
			name: "NULL comes back as an empty text",
			file: "internal/rowcodec/decode.go",
			old:  "case markNil:\n\t\treturn nil", new: "case markNil:\n\t\treturn \"\"",
			killers: values,
		},
		{
			name: "bytes come back as text",
			file: "internal/rowcodec/decode.go",
			old:  "return []byte(r.string())", new: "return r.string()",
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
			file: "internal/rowcodec/player.go",
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
	}
}
