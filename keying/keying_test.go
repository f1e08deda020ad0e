package keying_test

import (
	"database/sql"
	"database/sql/driver"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/keying"
)

var update = flag.Bool("update", false, "write testdata/names.golden anew")

var (
	integer = []keying.KeyKind{keying.Integer}
	text    = []keying.KeyKind{keying.Text}
)

func space(t testing.TB) keying.Space { return spaceWith(t, keying.ManySlots) }

func spaceWith(t testing.TB, layout keying.Layout) keying.Space {
	t.Helper()
	s, err := keying.NewSpace("shop", "orders-1f9c2b7a", layout)
	require.NoError(t, err)
	return s
}

func key(t testing.TB, kinds []keying.KeyKind, values ...any) keying.PrimaryKey {
	t.Helper()
	k, ok := keying.NewPrimaryKey(kinds, values...)
	require.True(t, ok, "%v", values)
	return k
}

// What is stored under these names is read by other versions of the library. If this test fails, the names have
// changed: increment keying.FormatVersion, so that old and new versions do not share a Redis half-way, run
// "go test ./keying -update", and say so in the CHANGELOG.
func TestNamesAreWhatTheyWere(t *testing.T) {
	t.Parallel()
	got := names(t, keying.OneSlot) + names(t, keying.ManySlots)
	golden := filepath.Join("testdata", "names.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func names(t *testing.T, layout keying.Layout) string {
	t.Helper()
	s := spaceWith(t, layout)
	users, odd := s.Table("users"), s.Table(`Größe {x}:y`)
	variant := keying.NewFingerprint("select *").Variant()
	query := keying.NewFingerprint("select count(*)").Query()
	rowKey, rowTags := users.RowEntry(key(t, integer, 42), variant)
	textKey, textTags := users.RowEntry(key(t, text, "A-b c"), variant)
	pairKey, pairTags := users.RowEntry(key(t, append(integer, text...), 7, "x,y"), variant)
	queryKey, queryTag := users.QueryEntry(query)
	oddKey, oddTag := odd.QueryEntry(query)
	var b strings.Builder
	for _, k := range []keying.Key{rowKey, textKey, pairKey, queryKey, oddKey} {
		fmt.Fprintln(&b, string(k))
	}
	tags := slices.Concat(rowTags[:], textTags[:], pairTags[:], users.Bulk(), s.All())
	for _, tag := range append(tags, queryTag, oddTag, users.List(), users.Absent(), odd.List()) {
		fmt.Fprintln(&b, tag.Token(), tag.Writers(), tag)
	}
	columns, _ := keying.ScopeName([]string{"user_id", "Kind"})
	scopeKey, scopeTags := users.ScopeEntry(columns, key(t, append(text, integer...), "A-b", 7), variant)
	oneKey, oneTags := odd.ScopeEntry("größe", key(t, integer, 42), variant)
	fmt.Fprintf(&b, "%s\n%s\n", scopeKey, oneKey)
	for _, tag := range slices.Concat(scopeTags[:], oneTags[:]) {
		fmt.Fprintln(&b, tag.Token(), tag.Writers(), tag)
	}
	return b.String()
}

// On one server there is one tag of each kind, and what seems to be one server may be a Cluster behind a proxy.
func TestOnOneServerAllNamesAreInOneSlot(t *testing.T) {
	t.Parallel()
	s := spaceWith(t, keying.OneSlot)
	used := map[string]bool{}
	for _, tag := range append(s.Everything(), s.Elsewhere("orders-1f9c2b7a").All()...) {
		used[slotOf(tag.Token())] = true
	}
	for _, name := range []string{"users", "orders", "größe {x}:"} {
		table := s.Table(name)
		require.Len(t, table.Bulk(), 1)
		for id := range 100 {
			rowKey, rowTags := table.RowEntry(key(t, integer, id), "v")
			scopeKey, scopeTags := table.ScopeEntry("user_id", key(t, integer, id), "v")
			used[slotOf(string(rowKey))], used[slotOf(string(scopeKey))] = true, true
			for _, tag := range slices.Concat(rowTags[:], scopeTags[:], table.Bulk()) {
				used[slotOf(tag.Token())], used[slotOf(tag.Writers())] = true, true
			}
		}
	}
	require.Equal(t, map[string]bool{"orders-1f9c2b7a": true}, used)
}

func TestEverythingOfADatabaseIsFoundFromEachOfItsNames(t *testing.T) {
	t.Parallel()
	for _, layout := range []keying.Layout{keying.OneSlot, keying.ManySlots} {
		s := spaceWith(t, layout)
		users := s.Table("users")
		for _, tag := range append(s.Everything(), users.List(), users.Row(key(t, integer, 42)), keying.Tag(s.Prefix())) {
			require.Equal(t, s.Everything(), tag.Everything(), tag)
		}
		other := s.Elsewhere("Größe {x}")
		require.Equal(t, other.Everything(), other.Everything()[0].Everything())
		require.NotEqual(t, s.Everything(), other.Everything())
		require.Equal(t, s, other.Elsewhere("orders-1f9c2b7a"))
	}
}

func TestPartitionsAreSpreadEvenlyOverTheSlots(t *testing.T) {
	t.Parallel()
	const slots = 16384
	for p, tag := range space(t).All() {
		_, rest, _ := strings.Cut(string(tag), "{")
		slot := int(crc16(rest[:2])) % slots
		middle := p*slots/keying.Partitions + slots/keying.Partitions/2
		require.InDelta(t, middle, slot, 32, "partition %d is in slot %d", p, slot)
	}
}

// crc16 is the checksum of the Redis Cluster specification (XMODEM).
func crc16(s string) (crc uint16) {
	for i := range len(s) {
		crc ^= uint16(s[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

func TestRowAndItsTagsAreInOneSlot(t *testing.T) {
	t.Parallel()
	users := space(t).Table("users")
	bulk := users.Bulk()
	used := map[string]bool{}
	for id := range 1000 {
		k, tags := users.RowEntry(key(t, integer, id), "v")
		slot := slotOf(string(k))
		used[slot] = true
		for _, tag := range tags {
			require.Equal(t, slot, slotOf(tag.Token()))
			require.Equal(t, slot, slotOf(tag.Writers()))
		}
		require.Equal(t, users.Row(key(t, integer, id)), tags[0])
		require.Contains(t, bulk, tags[1])
		require.Contains(t, space(t).All(), tags[2])
	}
	require.Len(t, used, keying.Copies)
}

func TestQueryEntryIsInTheSlotOfItsListTag(t *testing.T) {
	t.Parallel()
	users := space(t).Table("users")
	k, all := users.QueryEntry("q")
	require.Equal(t, slotOf(users.List().Token()), slotOf(string(k)))
	require.Equal(t, slotOf(users.Absent().Token()), slotOf(string(k)))
	require.Contains(t, space(t).All(), all)
}

func slotOf(key string) string {
	_, rest, _ := strings.Cut(key, "{")
	tag, _, _ := strings.Cut(rest, "}")
	return tag
}

func TestTableNamesDifferOnlyByMoreThanCase(t *testing.T) {
	t.Parallel()
	s := space(t)
	require.Equal(t, s.Table("users").List(), s.Table("USERS").List())
	seen := map[keying.Tag]string{}
	for _, name := range []string{"users", "users ", "user", "u{sers}", "u%7Bsers%7D", "users:t", "größe", "grösse"} {
		tag := s.Table(name).List()
		require.NotContains(t, seen, tag, "%q and %q", name, seen[tag])
		seen[tag] = name
	}
}

func TestNamespaceThatCannotBePartOfAKeyIsRefused(t *testing.T) {
	t.Parallel()
	for _, ns := range []string{"", "a b", "a:b", "{a}", "ä", strings.Repeat("a", 65)} {
		_, err := keying.NewSpace(ns, "db", keying.ManySlots)
		require.ErrorIs(t, err, keying.ErrNamespace, "%q", ns)
	}
}

// One row must have one tag, whatever Go type or spelling the program used.
func TestSpellingsOfOneKeyShareTheirTag(t *testing.T) {
	t.Parallel()
	users := space(t).Table("users")
	type userID uint32
	seven := 7
	for _, group := range []struct {
		kinds  []keying.KeyKind
		values []any
	}{
		{integer, []any{
			7, int8(7), int64(7), uint(7), uint64(7), userID(7), &seven, "7", "007",
			sql.NullInt64{Int64: 7, Valid: true},
			sql.NullString{String: "7", Valid: true},
		}},
		{integer, []any{0, "0", "-0", "000"}},
		{integer, []any{-3, "-3", "-03"}},
		{integer, []any{uint64(math.MaxUint64), "18446744073709551615"}},
		{text, []any{"abc", "ABC", "aBc  ", "a-b-c", "{ABC}", sql.NullString{String: "abc", Valid: true}}},
		{text, []any{
			"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
			"{a0eebc999c0b4ef8bb6d6bb9bd380a11}",
		}},
		{text, []any{"7", "07"}},
	} {
		want := users.Row(key(t, group.kinds, group.values[0]))
		for _, v := range group.values {
			require.Equal(t, want, users.Row(key(t, group.kinds, v)), "%T %v", v, v)
		}
	}
}

func TestKeysWithoutAProvableNameAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kinds  []keying.KeyKind
		values []any
	}{
		{integer, []any{"7.0"}},
		{integer, []any{"1e1"}},
		{integer, []any{" 7"}},
		{integer, []any{""}},
		{integer, []any{"-"}},
		{integer, []any{7.0}},
		{integer, []any{nil}},
		{integer, []any{true}},
		{text, []any{"é"}},
		{text, []any{7}},
		{text, []any{[]byte("a")}},
		{text, []any{strings.Repeat("a", 129)}},
		{[]keying.KeyKind{keying.Opaque}, []any{1}},
		{integer, []any{1, 2}},
		{integer, nil},
		{nil, nil},
		{integer, []any{failing{}}},
	} {
		_, ok := keying.NewPrimaryKey(c.kinds, c.values...)
		require.False(t, ok, "%v", c.values)
	}
}

type failing struct{}

func (failing) Value() (driver.Value, error) { return nil, sql.ErrConnDone }

func TestEntriesOfDifferentKeysDiffer(t *testing.T) {
	t.Parallel()
	users := space(t).Table("users")
	pair := []keying.KeyKind{keying.Text, keying.Text}
	seen := map[keying.Key]any{}
	for _, k := range []keying.PrimaryKey{
		key(t, text, "abc"), key(t, text, "ABC"), key(t, text, "a-b-c"), key(t, text, "a%2Db"), key(t, text, "a b"),
		key(t, pair, "a", "b:c"), key(t, pair, "a:b", "c"), key(t, pair, "a,b", "c"), key(t, pair, "a", "b,c"),
		key(t, pair, "", "ab"), key(t, pair, "ab", ""), key(t, text, ""), key(t, text, "="),
	} {
		entry, _ := users.RowEntry(k, "v")
		require.NotContains(t, seen, entry, "%v and %v", k, seen[entry])
		seen[entry] = k
	}
}

// Wherever the values of a composite key are cut, they are another key.
func TestColumnsOfACompositeKeyDoNotRunTogether(t *testing.T) {
	t.Parallel()
	users := space(t).Table("users")
	letters := strings.Repeat("a", 60)
	seen := map[keying.Key]int{}
	for cut := range letters {
		entry, _ := users.RowEntry(key(t, []keying.KeyKind{keying.Text, keying.Text}, letters[:cut], letters[cut:]), "v")
		require.NotContains(t, seen, entry, "cut at %d and %d", cut, seen[entry])
		seen[entry] = cut
	}
}

type status string

type money struct{ cents int64 }

func (m money) Value() (driver.Value, error) { return m.cents, nil }

func digest(t testing.TB, args ...any) keying.Digest {
	t.Helper()
	f := keying.NewFingerprint("select")
	for _, a := range args {
		require.NoError(t, f.Arg(a), "%T", a)
	}
	return f.Query()
}

func TestArgumentsThatTheDatabaseTellsApartHaveDifferentDigests(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	seen := map[keying.Digest]string{}
	for _, args := range [][]any{
		{},
		{nil},
		{nil, nil},
		{1},
		{"1"},
		{1.0},
		{float32(1)},
		{true},
		{false},
		{""},
		{[]byte{}},
		{[]byte("1")},
		{"x y", "z"},
		{"x", "y z"},
		{"x:y", "z"},
		{"x", "y:z"},
		{"xy", "z"},
		{"x", "yz"},
		{"xsy", "z"},
		{"x", "ysz"},
		{"<nil>"},
		{"nil"},
		{status("1")},
		{money{1}},
		{uint64(math.MaxUint64)},
		{-1},
		{math.Inf(1)},
		{at},
		{at.In(time.FixedZone("", 3600))},
		{at.Add(1)},
		{sql.NullString{String: "1", Valid: true}},
	} {
		d := digest(t, args...)
		require.NotContains(t, seen, d, "%#v and %s", args, seen[d])
		seen[d] = fmt.Sprintf("%#v", args)
	}
}

func TestArgumentsThatAreTheSameToTheDatabaseShareTheirDigest(t *testing.T) {
	t.Parallel()
	seven, name := 7, "x"
	require.Equal(t, digest(t, 7), digest(t, int8(7)))
	require.Equal(t, digest(t, 7), digest(t, uint64(7)))
	require.Equal(t, digest(t, 7), digest(t, &seven))
	require.Equal(t, digest(t, "x"), digest(t, &name))
	require.Equal(t, digest(t, nil), digest(t, (*int)(nil)))
	require.Equal(t, digest(t, nil), digest(t, []byte(nil)))
	monotonic := time.Now()
	require.Equal(t, digest(t, monotonic), digest(t, monotonic.Round(0)))
}

func TestArgumentsWithoutACanonicalFormAreRefused(t *testing.T) {
	t.Parallel()
	for _, a := range []any{[]int{1}, map[string]int{}, struct{}{}, make(chan int), [2]int{}, failing{}, 1i} {
		require.Error(t, keying.NewFingerprint("select").Arg(a), "%T", a)
	}
}

func FuzzEntryNamesAreInjective(f *testing.F) {
	f.Add("a", "b")
	f.Add("a:b", "a,b")
	f.Add("A", "a")
	f.Fuzz(func(t *testing.T, a, b string) {
		ka, okA := keying.NewPrimaryKey(text, a)
		kb, okB := keying.NewPrimaryKey(text, b)
		if !okA || !okB {
			return
		}
		users := space(t).Table("users")
		ea, _ := users.RowEntry(ka, "v")
		eb, _ := users.RowEntry(kb, "v")
		if (ea == eb) != (a == b) {
			t.Fatalf("%q and %q: entries %q and %q", a, b, ea, eb)
		}
		if strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) && users.Row(ka) != users.Row(kb) {
			t.Fatalf("%q and %q may be equal, but their tags differ", a, b)
		}
		if strings.Count(string(ea), "{") != 1 || strings.Count(string(ea), "}") != 1 {
			t.Fatalf("%q has more than one hash tag", ea)
		}
	})
}

func FuzzDigestsAreInjective(f *testing.F) {
	f.Add("a", "b", "c", "d")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		if same := a == c && b == d; same != (digest(t, a, b) == digest(t, c, d)) {
			t.Fatalf("(%q, %q) and (%q, %q)", a, b, c, d)
		}
	})
}

// MySQL compares a long text with an integer as floating-point numbers: several integers may be equal to it. Its zero,
// inserted, is another one.
func TestLooseIntegersHaveNamesOnlyWhereTheyAreOneNumber(t *testing.T) {
	t.Parallel()
	loose := []keying.KeyKind{keying.LooseInteger}
	require.Equal(t, key(t, loose, 7), key(t, loose, "007"))
	require.Equal(t, key(t, loose, 9007199254740993), key(t, loose, uint64(9007199254740993)))
	for _, v := range []any{"9007199254740993", 0, "0", "00", "7abc", 7.5, true} {
		_, ok := keying.NewPrimaryKey(loose, v)
		require.False(t, ok, "%v", v)
	}
}
