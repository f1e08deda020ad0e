package main

// leaks are mutants that show what is secret, or serve what belongs to somebody else.
func leaks() []mutant {
	const tests = "tests"
	partitions := by(tests, "TestTenantsOfPartitionsNeverGetEachOthersAnswers")
	return []mutant{
		{
			name: "rows are everybody's, whatever the partition",
			in:   in("callbacks", "query.bind"),
			old:  "rows.variant = rows.variant.In(q.st.partition)", new: "",
			killers: partitions,
		},
		{
			name: "whole answers are everybody's, whatever the partition",
			in:   in("callbacks", "query.bind"),
			old:  "f.Query().In(q.st.partition)", new: "f.Query()",
			killers: partitions,
		},
		{
			name: "the catalog is read on behalf of whoever asks first",
			in:   in("callbacks", "Hooks.nobodys"),
			old:  "h.opt.Partition != nil", new: "false",
			killers: partitions,
		},
		{
			name: "texts are in names as they are",
			in:   in("keying", "shown"),
			old:  "string(NewFingerprint(value).Query())", new: "value",
			killers: by("keying", "TestTextsAreNotInNames"),
		},
		{
			name: "an entry is served under the name of another one",
			in:   in(consistencyPkg, "checksum"),
			old:  "bytesOf(string(key))", new: "nil",
			killers: by(consistencyPkg, "TestEntryOfAnotherKeyIsNotServed"),
		},
		{
			name: "an encrypted entry is not bound to its name",
			in:   in(consistencyPkg, "bound"),
			old:  "append(append(b, key...), 0)", new: "b",
			killers: by(consistencyPkg, "TestEntryOfAnotherKeyIsNotServed"),
		},
		{
			name: "what is not encrypted is served where it should be",
			in:   in(consistencyPkg, "Protocol.payload"),
			old:  "sealed.encrypted != (p.cfg.Cipher != nil)", new: "false",
			killers: by(consistencyPkg, "TestEncryptedEntriesAreReadByWhoHasTheKey"),
		},
		{
			name: "entries of any size are decoded",
			in:   in(consistencyPkg, "Protocol.payload"),
			old:  "len(sealed.payload) > p.cfg.MaxEntry", new: "false",
			killers: by(consistencyPkg, "TestEntryThatIsTooLargeIsNotDecoded"),
		},
		{
			name: "a token that is none stays for ever",
			in:   in(consistencyPkg, "tokens.forget"),
			old:  "*v = store.Value{}", new: "_ = v",
			killers: by(consistencyPkg, "TestTokenThatIsNoneCountsAsNothing"),
		},
		{
			name: "a value of another type stops every step",
			in:   inText("store/internal/script/call.lua"),
			old:  "redis.call('DEL', key)", new: "",
			killers: by("store/redisstore", "TestValuesOfOtherTypesCountAsNothing"),
		},
		{
			name: "the last key encrypts",
			in:   in("internal/aead", "Ring.Seal"),
			old:  "r.keys[0]", new: "r.keys[len(r.keys)-1]",
			killers: by("internal/aead", "TestTheFirstKeyEncrypts"),
		},
	}
}

const consistencyPkg = "internal/consistency"
