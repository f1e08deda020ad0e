package keying

// A Layout says over how many slots of a Redis Cluster the names of a database are spread. It is part of the scheme of tags:
// processes with different layouts do not hear of each other's writes. See docs/decisions/0003-partitions.md.
type Layout uint8

// Layouts.
const (
	// OneSlot is for a store that is one server: all names of a database have the same hash tag, and there is one tag of each
	// kind. Where what seems to be one server is a Cluster behind a proxy, the names are in one slot there, too.
	OneSlot Layout = iota
	// ManySlots is for a Redis Cluster: see [Partitions].
	ManySlots
)

// Partitions is the number of places, spread evenly over the slots of a Redis Cluster, that the names of a database
// live in. A Cluster of that many masters at most can share the load.
//
// Copies is the number of them that one table uses. A row, the copy of its table's bulk tag and the copy of the
// database's tag for everything are in one slot: a point lookup asks one node, and no key is asked for by every
// lookup of a table. A write whose rows are not known pays for it with one step for each copy.
//
// Both numbers are part of the scheme of tags, as [FormatVersion] is.
const (
	Partitions = 64
	Copies     = 16
)

func (l Layout) partitions() int {
	if l == OneSlot {
		return 1
	}
	return Partitions
}

func (l Layout) copies() int {
	if l == OneSlot {
		return 1
	}
	return Copies
}

// partition returns the partition of a table's n-th copy. The copies of one table are as far apart as can be.
func (l Layout) partition(tableHash, n uint32) int {
	if l == OneSlot {
		return 0
	}
	const groups = Partitions / Copies
	return int(tableHash%groups + groups*(n%Copies))
}

// slotTags holds a two-letter hash tag for each partition. The slot of the i-th one, CRC16 mod 16384 as in the Redis
// Cluster specification, lies in the middle of [256·i, 256·(i+1)), so that partitions divide evenly over masters
// that own contiguous ranges of slots.
const slotTags = "mm6q9ie82921apax0jkvdndf3go6gcxw8gd6lc02g34con4r99911dm5fmyy2iiu" +
	"7ak0ce8y4lopx9x1jf1zzjb3ik2wygfsbk9w6omsafan5bi3c5dpkh0txixahe44"

// slotTag returns the part of a name that puts it in a partition.
func slotTag(partition int) string { return "{" + slotTags[2*partition:2*partition+2] + "}:" }

// fnv is FNV-1a, 32 bits: short, stable, and good enough to spread names over partitions.
func fnv(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}
