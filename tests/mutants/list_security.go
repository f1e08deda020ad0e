package main

// leaks are mutants that show what is secret, or serve what belongs to somebody else.
func leaks() []mutant {
	const tests = "tests"
	partitions := by(tests, "TestTenantsOfPartitionsNeverGetEachOthersAnswers")
	return []mutant{
		{
			name: "rows are everybody's, whatever the partition",
			file: "callbacks/query.go",
			old:  "rows.variant = rows.variant.In(q.st.partition)", new: "",
			killers: partitions,
		},
		{
			name: "whole answers are everybody's, whatever the partition",
			file: "callbacks/query.go",
			old:  "f.Query().In(q.st.partition)", new: "f.Query()",
			killers: partitions,
		},
		{
			name: "the catalog is read on behalf of whoever asks first",
			file: "callbacks/partition.go",
			old:  "if h.opt.Partition != nil {", new: "if false {",
			killers: partitions,
		},
		{
			name: "texts are in names as they are",
			file: "keying/scheme.go",
			old:  "return string(NewFingerprint(value).Query())", new: "return value",
			killers: by("keying", "TestTextsAreNotInNames"),
		},
		{
			name: "an entry is served under the name of another one",
			file: "internal/consistency/entry.go",
			old:  "crc32.Checksum(bytesOf(string(key)), crcTable())", new: "crc32.Checksum(nil, crcTable())",
			killers: by(consistencyPkg, "TestEntryOfAnotherKeyIsNotServed"),
		},
		{
			name: "an encrypted entry is not bound to its name",
			file: "internal/consistency/cipher.go",
			old:  "return append(append(append(b, key...), 0), head...)", new: "return append(b, head...)",
			killers: by(consistencyPkg, "TestEntryOfAnotherKeyIsNotServed"),
		},
		{
			name: "what is not encrypted is served where it should be",
			file: "internal/consistency/entry.go",
			old:  ", sealed.encrypted != (p.cfg.Cipher != nil):", new: ":",
			killers: by(consistencyPkg, "TestEncryptedEntriesAreReadByWhoHasTheKey"),
		},
		{
			name: "entries of any size are decoded",
			file: "internal/consistency/entry.go",
			old:  "len(sealed.payload) > p.cfg.MaxEntry, ", new: "",
			killers: by(consistencyPkg, "TestEntryThatIsTooLargeIsNotDecoded"),
		},
		{
			name: "a token that is none stays for ever",
			file: "internal/consistency/tokens.go",
			old:  "*v = store.Value{}", new: "_ = v",
			killers: by(consistencyPkg, "TestTokenThatIsNoneCountsAsNothing"),
		},
		{
			name: "a value of another type stops every step",
			file: "store/internal/script/call.lua",
			old:  "redis.call('DEL', key)", new: "",
			killers: by("store/redisstore", "TestValuesOfOtherTypesCountAsNothing"),
		},
		{
			name: "the last key encrypts",
			file: "internal/aead/aead.go",
			old:  "return r.keys[0].seal(", new: "return r.keys[len(r.keys)-1].seal(",
			killers: by("internal/aead", "TestTheFirstKeyEncrypts"),
		},
	}
}

const consistencyPkg = "internal/consistency"
