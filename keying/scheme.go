// Package keying names everything the cache stores: entries, and the tags that they depend on.
//
// A name reads
//
//	<namespace>/<format version>:{<database>}:<kind>:<table>[:<row or digest>…]
//
// so that redis-cli shows what a key is about. Numbers stand in it as they are, texts as digests:
//
//	rc/2:{shop-1f9c2b7a}:row:users:42=Zk3xW0aPq1LmN8Yd    an entry: the row 42 of users
//	rc/2:{shop-1f9c2b7a}:row:users:42:t                   the token of that row's tag
//	rc/2:{shop-1f9c2b7a}:scope:orders:user_id=42:t        the token of the orders of user 42
//	rc/2:{shop-1f9c2b7a}:query:users=…                    an entry: the answer of any other query
//	rc/2:{shop-1f9c2b7a}:list:users:t                     the token of the table's list tag
//
// On a Redis Cluster a database is spread over many slots, and a slot tag decides which one a name is in:
//
//	rc/2:shop-1f9c2b7a:{3b}:row:users:42:t
//
// Names of tags depend on nothing but the layout, the namespace, the database, the table and the primary key, so that two
// versions of an application, with different models, invalidate each other.
package keying

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// FormatVersion is part of every name. It changes with the scheme of tags, and then nothing that is stored under
// the old names is seen again.
const FormatVersion = 2

// DefaultNamespace is the namespace of a configuration that names none.
const DefaultNamespace = "rc"

// maxNamespace is the greatest length of a namespace, in bytes: it is repeated in every key.
const maxNamespace = 64

// ErrNamespace is returned by [NewSpace] for a namespace that cannot be part of a key.
var ErrNamespace = errors.New("want 1 to 64 of the characters A-Z a-z 0-9 . _ -")

// A Key is the name under which an entry is stored.
type Key string

// A Tag is something that entries depend on. Its value is the name of the tag's token.
type Tag string

const (
	tokenSuffix   = ":t"
	writersSuffix = ":w"
)

// Token returns the key of the tag's token.
func (t Tag) Token() string { return string(t) }

// Writers returns the key of the tag's set of writers. It is in the slot of the token.
func (t Tag) Writers() string { return strings.TrimSuffix(string(t), tokenSuffix) + writersSuffix }

// Everything returns the tags that a change of the schema of the tag's database announces, as [Space.Everything] does.
func (t Tag) Everything() []Tag {
	return spaceOf(string(t)).Everything()
}

// IsFine reports whether the tag is a row's or a scope's. There are as many of them as rows; the others are as many as
// tables.
func (t Tag) IsFine() bool {
	_, name, _ := strings.Cut(string(t), "}:")
	return strings.HasPrefix(name, "row:") || strings.HasPrefix(name, "scope:")
}

// Lease returns the tag whose token says which process reads the database for an entry, under the stamps that it will be
// stored with. Nothing depends on it. It is in the slot of the entry.
func (k Key) Lease(stamps string) Tag {
	prefix, _, _ := strings.Cut(string(k), "}:")
	return Tag(prefix + "}:lease:" + string(NewFingerprint(stamps).Query()) + tokenSuffix)
}

// String returns the tag without what is the same for every tag of a database: "row:users:42".
func (t Tag) String() string {
	_, s, _ := strings.Cut(strings.TrimSuffix(string(t), tokenSuffix), "}:")
	return s
}

// A Space is the set of names of one database in one namespace.
type Space struct {
	prefix string
	layout Layout
}

// NewSpace returns the names of a database. Two databases must have different names; every process that uses a
// database must give it the same name, and the same layout. An invalid namespace is [ErrNamespace].
func NewSpace(namespace, database string, layout Layout) (Space, error) {
	if err := ValidNamespace(namespace); err != nil {
		return Space{}, err
	}
	return newSpace(namespace+"/"+strconv.Itoa(FormatVersion)+":", database, layout), nil
}

// newSpace returns the names of a database that begin with a namespace and a version.
func newSpace(head, database string, layout Layout) Space {
	database = escape(database)
	if layout == OneSlot {
		database = "{" + database + "}"
	}
	return Space{prefix: head + database + ":", layout: layout}
}

// Elsewhere returns the names of another database in the same namespace, with the same layout.
func (s Space) Elsewhere(database string) Space {
	head, _, _ := strings.Cut(s.prefix, ":")
	return newSpace(head+":", database, s.layout)
}

// spaceOf returns the space that a name is in, or that has the name as its prefix.
func spaceOf(name string) Space {
	head, rest, _ := strings.Cut(name, "{")
	if strings.Count(head, ":") > 1 { // behind the version and the database
		return Space{prefix: head, layout: ManySlots}
	}
	database, _, _ := strings.Cut(rest, "}:")
	return Space{prefix: head + "{" + database + "}:", layout: OneSlot}
}

// ValidNamespace returns [ErrNamespace], with the value, unless the namespace can be part of a key.
func ValidNamespace(namespace string) error {
	ok := namespace != "" && len(namespace) <= maxNamespace
	for i := 0; ok && i < len(namespace); i++ {
		ok = isPlain(namespace[i])
	}
	if !ok {
		return fmt.Errorf("%w, got %q", ErrNamespace, namespace)
	}
	return nil
}

// Prefix is the beginning of every name in the space.
func (s Space) Prefix() string { return s.prefix }

// All returns the copies of the tag that every entry of the database depends on, one for each partition.
func (s Space) All() []Tag {
	tags := make([]Tag, s.layout.partitions())
	for p := range tags {
		tags[p] = s.all(p)
	}
	return tags
}

// Schema returns the copies of the tag of the database's schema, one for each partition. No entry depends on it: a process
// looks at it to see whether the schema is still the one that it has read.
func (s Space) Schema() []Tag {
	tags := make([]Tag, s.layout.partitions())
	for p := range tags {
		tags[p] = s.tag(p, "schema")
	}
	return tags
}

// Everything returns the tags that a change of the schema announces: all copies of both tags. The schema's comes first in
// each slot: where they are dropped one by one, nobody may find the new token of all entries beside the old one of the
// schema.
func (s Space) Everything() []Tag {
	tags := make([]Tag, 0, 2*s.layout.partitions())
	for p := range s.layout.partitions() {
		tags = append(tags, s.tag(p, "schema"), s.all(p))
	}
	return tags
}

func (s Space) all(partition int) Tag { return s.tag(partition, "all") }

func (s Space) tag(partition int, name string) Tag { return Tag(s.in(partition) + name + tokenSuffix) }

// in returns what the names in a partition begin with.
func (s Space) in(partition int) string {
	if s.layout == OneSlot {
		return s.prefix
	}
	return s.prefix + slotTag(partition)
}

// Table returns the names that belong to a table. Upper and lower case are the same table, whatever the database
// says: one tag too many is only a miss.
func (s Space) Table(name string) *Table {
	name = escape(strings.ToLower(name))
	h := fnv(name)
	home := s.layout.partition(h, h/Partitions)
	t := &Table{name: name, copies: make([]tableCopy, s.layout.copies())}
	t.list = s.tag(home, "list:"+name)
	t.absent = s.tag(home, "absent:"+name)
	t.registry = s.tag(home, "registry:"+name)
	t.allHome = s.all(home)
	t.query = s.in(home) + "query:" + name + "="
	for c := range t.copies {
		p := s.layout.partition(h, uint32(c))
		t.copies[c] = tableCopy{
			bulk:  s.tag(p, "bulk:"+name),
			all:   s.all(p),
			row:   s.in(p) + "row:" + name + ":",
			scope: s.in(p) + "scope:" + name + ":",
		}
	}
	return t
}

// A Table holds the names that belong to one table of one database.
type Table struct {
	name                   string
	list, absent, registry Tag
	allHome                Tag
	query                  string
	copies                 []tableCopy
}

// tableCopy is what a table has in each of its partitions.
type tableCopy struct {
	bulk, all  Tag
	row, scope string
}

// List is the tag of everything that depends on the table as a whole. Every write to the table rotates it.
func (t *Table) List() Tag { return t.list }

// Absent is the tag of every answer that says "there is no such row". A write rotates it if it adds rows whose keys
// cannot be announced one by one.
func (t *Table) Absent() Tag { return t.absent }

// Registry is the tag that every entry with a scope of the table depends on. Its token says by which columns the table has
// scopes. A write rotates it if it cannot tell the scopes of the rows that it touches. It is in the slot of the list tag.
func (t *Table) Registry() Tag { return t.registry }

// Bulk returns the copies of the tag of every row of the table. A write whose rows are not known rotates them all.
func (t *Table) Bulk() []Tag {
	tags := make([]Tag, len(t.copies))
	for c := range tags {
		tags[c] = t.copies[c].bulk
	}
	return tags
}

// copyOf returns what the table has in the partition that a row, or a scope, is in.
func (t *Table) copyOf(k PrimaryKey) *tableCopy {
	if len(t.copies) == 1 {
		return &t.copies[0]
	}
	return &t.copies[fnv(k.folded)%Copies]
}

// Row is the tag of one row.
func (t *Table) Row(k PrimaryKey) Tag {
	return Tag(t.copyOf(k).row + shown(k.folded) + tokenSuffix)
}

// RowEntry names the entry of one row as one kind of query sees it: the variant tells apart what the queries select
// and how else they restrict the row. The entry depends on the tags that are returned.
func (t *Table) RowEntry(k PrimaryKey, variant Digest) (Key, [3]Tag) {
	c := t.copyOf(k)
	exact := shown(k.exact)
	both := c.row + exact + "=" + string(variant) + c.row + shown(k.folded) + tokenSuffix // allocated together
	at := len(c.row) + len(exact) + 1 + len(variant)
	return Key(both[:at]), [3]Tag{Tag(both[at:]), c.bulk, c.all}
}

// Scope is the tag of the rows with one value in a column, or in several that are taken together. Columns is the name of
// the scope: see [ScopeName].
func (t *Table) Scope(columns string, value PrimaryKey) Tag {
	return Tag(t.copyOf(value).scope + escape(columns) + "=" + shown(value.folded) + tokenSuffix)
}

// ScopeEntry names the entry of all rows of one scope as one kind of query sees them. The entry depends on the tags that
// are returned.
func (t *Table) ScopeEntry(columns string, value PrimaryKey, variant Digest) (Key, [4]Tag) {
	c := t.copyOf(value)
	columns, exact := escape(columns), shown(value.exact)
	both := c.scope + columns + "=" + exact + "=" + string(variant) + // allocated together
		c.scope + columns + "=" + shown(value.folded) + tokenSuffix
	at := len(c.scope) + len(columns) + 1 + len(exact) + 1 + len(variant)
	return Key(both[:at]), [4]Tag{Tag(both[at:]), t.registry, c.bulk, c.all}
}

// RowDependency returns the tags of what is read of one row, whatever the query, and whether it is there or not.
func (t *Table) RowDependency(k PrimaryKey) [3]Tag {
	return [3]Tag{t.Row(k), t.absent, t.copyOf(k).bulk}
}

// ScopeDependency returns the tags of what is read of the rows of one scope, whatever the query.
func (t *Table) ScopeDependency(columns string, value PrimaryKey) [3]Tag {
	return [3]Tag{t.Scope(columns, value), t.registry, t.copyOf(value).bulk}
}

// shown returns how a value stands in a name: a number as it is, anything else as its digest. Texts may be secret, as
// tokens of sessions and addresses of people are, and names are shown to many: to who lists keys, and in logs.
func shown(value string) string {
	if strings.Trim(value, "0123456789-,") == "" {
		return value
	}
	return string(NewFingerprint(value).Query())
}

// ScopeName is the name of a scope of these columns, which are taken together. Their order does not count. It answers
// false if there are too many, or one has a name that cannot be part of a registry.
func ScopeName(columns []string) (string, bool) {
	if len(columns) == 0 || len(columns) > maxScopeColumns {
		return "", false
	}
	for _, c := range columns {
		if c == "" || strings.ContainsAny(c, "+\n") {
			return "", false
		}
	}
	return strings.Join(slices.Sorted(slices.Values(columns)), "+"), true
}

// ScopeColumns returns the columns that a scope's name stands for, in the order of a scope's values.
func ScopeColumns(name string) []string { return strings.Split(name, "+") }

// maxScopeColumns is the greatest number of columns that are taken together.
const maxScopeColumns = 3

// QueryEntry names the entry of a query's whole answer. The table is the first one that the query reads; the entry
// is in the slot of its list tag. It depends on the tag that is returned, and on the list tags of its tables.
func (t *Table) QueryEntry(d Digest) (Key, Tag) {
	return Key(t.query + string(d)), t.allHome
}

// escape makes s safe in a name: what is not a plain character is written %XX. Different strings stay different.
func escape(s string) string {
	plain := true
	for i := 0; plain && i < len(s); i++ {
		plain = isPlain(s[i])
	}
	if plain {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if isPlain(s[i]) {
			b.WriteByte(s[i])
		} else {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[s[i]>>4], hex[s[i]&15]})
		}
	}
	return b.String()
}

// isPlain reports whether c stands for itself in a name.
func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}
