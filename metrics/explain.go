package metrics

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// An Explanation says what the cache did for a statement, and why: for people, and for bug reports. It holds the text of the
// statement and the names of keys and tags, which hold primary keys and values of scope columns if they are numbers, but no
// other arguments and no rows. Its sentences may change from one version to the next.
type Explanation struct {
	// Statement is the text that GORM made. It is empty if nothing was sent: for a dry run, or after an error.
	Statement string
	// Outcome says where an answer came from. It is empty for what is not a query.
	Outcome Outcome
	// Reason says why a read was a Bypass, and Detail, what in it.
	Reason Reason
	Detail string
	// Key is the name of the entry; of the first one, if there are several.
	Key string
	// Partition stands for what Config.Partition said; empty, if it is not set, or said nothing.
	Partition string
	// Entries is how many entries the answer consists of, and Found how many of them were in the store.
	Entries, Found int
	// Joined is set if the database was read by another goroutine, or another process, for the same entry at the same time.
	Joined bool
	// Stale is set if it was served although it may have been written since: StaleOK asked for that.
	Stale bool
	// Tags are what the entry depends on, the first one if there are several; for a write, what it made unservable, or will
	// when its transaction commits.
	Tags []TagReason
	// Age is how long ago the database was read, by the clocks of the processes that stored and read it; of the oldest of
	// several entries. TTL is how long that entry is served, counted from then.
	Age, TTL time.Duration
	// Besides are other statements of the same call, in their order: its preloads, associations and batches.
	Besides []Explanation
}

// A TagReason is a tag, and why it is that one.
type TagReason struct {
	// Tag is the name, without what all tags of a database have in common: "row:users:42".
	Tag string
	// Why says what it stands for; for a coarse tag, why it is not a finer one.
	Why string
}

// String returns the explanation as text, a line for each thing that it says.
func (e Explanation) String() string {
	var b strings.Builder
	e.write(&b, "")
	return b.String()
}

func (e Explanation) write(b *strings.Builder, indent string) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(b, "%s%-10s%s\n", indent, name, fmt.Sprintf(format, args...))
	}
	if e.Statement == "" {
		line("outcome", "nothing was sent to the database or to Redis")
	} else {
		line("statement", "%s", strings.Join(strings.Fields(e.Statement), " "))
		line("outcome", "%s", e.outcome())
	}
	if e.Key != "" {
		line("key", "%s", e.Key)
	}
	if e.Partition != "" {
		line("partition", "%s", e.Partition)
	}
	if e.Entries > 1 {
		line("entries", "%d, of which %d were found", e.Entries, e.Found)
	}
	if e.TTL > 0 {
		line("age", "%s of %s", e.Age.Round(time.Millisecond), e.TTL.Round(time.Millisecond))
	}
	for _, t := range e.Tags {
		line("tag", "%s: %s", t.Tag, t.Why)
	}
	for _, other := range e.Besides {
		line("besides", "")
		other.write(b, indent+"  ")
	}
}

func (e Explanation) outcome() string {
	parts := []string{string(cmp.Or(e.Outcome, "wrote"))}
	if e.Reason != "" {
		parts = append(parts, fmt.Sprintf("%s: %s", e.Reason, e.Reason.Sentence()))
	}
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	if e.Stale {
		parts = append(parts, "it may have been written since, which StaleOK allows")
	}
	if e.Joined {
		parts = append(parts, "joined another's read of the database")
	}
	return strings.Join(parts, "; ")
}

// Sentence says what a reason means.
func (r Reason) Sentence() string {
	if s, ok := sentences()[r]; ok {
		return s
	}
	return string(r)
}

func sentences() map[Reason]string {
	return map[Reason]string{
		ReasonControl:     "the application asked for it",
		ReasonTransaction: "inside a transaction the database answers",
		ReasonConnection:  "the application controls the session of this connection",
		ReasonCursor:      "Rows and Row hand a live cursor to the application",
		ReasonLock:        "it locks rows",
		ReasonVolatile:    "its answer depends on more than tables",
		ReasonStatement:   "it is not a single query that is understood",
		ReasonRelation:    "it reads what is no table that may be cached",
		ReasonArgument:    "an argument has no canonical form",
		ReasonPolicy:      "the policy says that it is not to be cached",
		ReasonSession:     "settings of the session were changed on a pooled connection",
		ReasonDatabase:    "the database could not be asked what it is and holds",
		ReasonReplica:     "a replica answered, and nothing is stored from it",
		ReasonWriting:     "a write to what it reads is under way",
		ReasonJournal:     "Redis has to be told of earlier writes first",
		ReasonStore:       "Redis does not answer",
		ReasonTorn:        "rows changed while they were read one by one",
		ReasonChurn:       "what it reads is written faster than it is read, so that storing it is seldom worth it",
		ReasonPartition:   "Config.Partition panicked",
		ReasonPanic:       "the cache's own code panicked: the log has the stack; please report it",
		ReasonScopes:      "a table has as many scopes as can be",
	}
}
