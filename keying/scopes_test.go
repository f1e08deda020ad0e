package keying_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/keying"
)

func TestScopeEntryAndItsFineTagsAreInOneSlot(t *testing.T) {
	t.Parallel()
	users := space(t).Table("users")
	used := map[string]bool{}
	for id := range 1000 {
		v := key(t, integer, id)
		k, tags := users.ScopeEntry("user_id", v, "v")
		slot := slotOf(string(k))
		used[slot] = true
		for _, tag := range []keying.Tag{tags[0], tags[2], tags[3]} {
			require.Equal(t, slot, slotOf(tag.Token()))
			require.Equal(t, slot, slotOf(tag.Writers()))
		}
		require.Equal(t, [3]keying.Tag{users.Scope("user_id", v), users.Registry(), tags[2]}, users.ScopeDependency("user_id", v))
		require.Equal(t, users.ScopeDependency("user_id", v), [3]keying.Tag(tags[:3]))
		require.Contains(t, users.Bulk(), tags[2])
		require.Contains(t, space(t).All(), tags[3])
	}
	require.Len(t, used, keying.Copies)
}

// A writer looks at the registry in the step of its intent on the list.
func TestRegistryIsInTheSlotOfTheListTag(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"users", "orders", "größe"} {
		table := space(t).Table(name)
		require.Equal(t, slotOf(table.List().Token()), slotOf(table.Registry().Token()))
		require.Equal(t, slotOf(table.List().Token()), slotOf(table.Registry().Writers()))
	}
}

// There are as many tags of rows and scopes as rows, whatever tables are called.
func TestTagsOfRowsAndScopesAreFine(t *testing.T) {
	t.Parallel()
	k := key(t, integer, 42)
	for _, name := range []string{"users", "row:", "scope:x", "}:row:"} {
		table := space(t).Table(name)
		require.True(t, table.Row(k).IsFine())
		require.True(t, table.Scope("user_id", k).IsFine())
		coarse := append(table.Bulk(), table.List(), table.Absent(), table.Registry(), space(t).All()[0])
		for _, tag := range coarse {
			require.False(t, tag.IsFine(), tag)
		}
	}
}

func TestScopesOfDifferentColumnsOrValuesDiffer(t *testing.T) {
	t.Parallel()
	users := space(t).Table("users")
	pair := []keying.KeyKind{keying.Text, keying.Text}
	entries, tags := map[keying.Key]bool{}, map[keying.Tag]bool{}
	n := 0
	for _, columns := range [][]string{{"a"}, {"b"}, {"a", "b"}, {"a", "b", "c"}, {"a=1"}, {"a:b"}, {"a%2Bb"}, {"a,b"}} {
		name, ok := keying.ScopeName(columns)
		require.True(t, ok)
		for _, v := range []keying.PrimaryKey{
			key(t, text, "x"), key(t, text, "y"), key(t, text, "1"), key(t, pair, "x", "y"), key(t, pair, "", "xy"),
		} {
			entry, of := users.ScopeEntry(name, v, "v")
			entries[entry], tags[of[0]] = true, true
			n++
		}
	}
	require.Len(t, entries, n)
	require.Len(t, tags, n)
}

// A write must reach the entries of every spelling that the database may take for the same value.
func TestSpellingsOfOneValueShareTheirScope(t *testing.T) {
	t.Parallel()
	users := space(t).Table("users")
	require.Equal(t, users.Scope("email", key(t, text, "ABC")), users.Scope("email", key(t, text, "abc ")))
	a, _ := users.ScopeEntry("email", key(t, text, "ABC"), "v")
	b, _ := users.ScopeEntry("email", key(t, text, "abc "), "v")
	require.NotEqual(t, a, b)
	require.Equal(t, users.Scope("user_id", key(t, integer, 7)), users.Scope("user_id", key(t, integer, "007")))
}

func TestScopeNameDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	for _, columns := range [][]string{{"b", "a", "c"}, {"a", "b", "c"}, {"c", "a", "b"}} {
		name, ok := keying.ScopeName(columns)
		require.True(t, ok)
		require.Equal(t, "a+b+c", name)
		require.Equal(t, []string{"a", "b", "c"}, keying.ScopeColumns(name))
	}
	for _, columns := range [][]string{nil, {""}, {"a", ""}, {"a+b"}, {"a\nb"}, {"a", "b", "c", "d"}} {
		_, ok := keying.ScopeName(columns)
		require.False(t, ok, "%q", columns)
	}
}

// A text may be a session's token, or somebody's address.
func TestTextsAreNotInNames(t *testing.T) {
	t.Parallel()
	users := space(t).Table("users")
	for _, value := range []string{"hunter2", "ann@shop.example", "a b", "deadbeef"} {
		k := key(t, text, value)
		entry, tags := users.RowEntry(k, "v")
		scope, scopeTags := users.ScopeEntry("email", k, "v")
		pair, pairTags := users.ScopeEntry("email+id", key(t, append(text, integer...), value, 7), "v")
		names := []string{
			string(entry), string(scope), string(pair), string(tags[0]), string(scopeTags[0]), string(pairTags[0]),
			users.Row(k).Writers(), users.Scope("email", k).Token(),
		}
		for _, name := range names {
			_, shown, _ := strings.Cut(name, "users:")
			require.NotContains(t, strings.ToLower(shown), strings.ToLower(value))
			require.NotContains(t, shown, k.Folded())
		}
	}
	entry, _ := users.RowEntry(key(t, integer, -42), "v")
	require.Contains(t, entry, ":-42=v", "a number is for who looks with redis-cli")
}
