// Package metrics defines what the cache reports about itself, and the Recorder that receives it.
package metrics

import "time"

// A Recorder receives an event for each read, fill, write and change of state. It is called on the application's
// path by many goroutines at once: it must be quick, and must not call the cache. Events may gain fields.
type Recorder interface {
	// Read is called once for each statement that reads, when its answer is known.
	Read(ReadEvent)
	// Fill is called when an answer was stored, or could not be.
	Fill(FillEvent)
	// Write is called when a write that touched cached tables is over.
	Write(WriteEvent)
	// State is called when the cache's own state changes.
	State(StateEvent)
}

// An Outcome says where an answer came from.
type Outcome string

// The outcomes of a read.
const (
	// Hit: from the store, or with another goroutine that was reading the database for it; without asking the database.
	Hit Outcome = "hit"
	// Miss: from the database, wholly or in part, and on its way into the store.
	Miss Outcome = "miss"
	// Bypass: from the database, as if there were no cache. The event has a Reason.
	Bypass Outcome = "bypass"
)

// A Kind says what an entry holds.
type Kind string

// The kinds of entries.
const (
	// Row: one row, looked up by its primary key.
	Row Kind = "row"
	// List: the rows of a scope, or the whole answer of any query that is no count.
	List Kind = "list"
	// Count: the whole answer of a query whose answer is one row of aggregates: SELECT count(*), sum(amount) …
	Count Kind = "count"
	// Query: a query that the cache can have no entry for. It is always a Bypass.
	Query Kind = "query"
)

// A Reason says why a read was not answered from the cache, or why a finer tag was not used.
type Reason string

// The reasons of a bypass.
const (
	ReasonControl     Reason = "control"     // the application asked for it
	ReasonTransaction Reason = "transaction" // inside a transaction
	ReasonConnection  Reason = "connection"  // on a connection whose session the application controls
	ReasonCursor      Reason = "cursor"      // Rows and Row hand a cursor to the application
	ReasonLock        Reason = "lock"        // the statement locks rows
	ReasonVolatile    Reason = "volatile"    // the answer depends on more than tables: now(), random(), a function
	ReasonStatement   Reason = "statement"   // not a single query that is understood
	ReasonRelation    Reason = "relation"    // reads what is not a known table: a catalog, a temporary table …
	ReasonArgument    Reason = "argument"    // an argument without a canonical form
	ReasonPolicy      Reason = "policy"      // the model is not to be cached
	ReasonSession     Reason = "session"     // settings of the session were changed on pooled connections
	ReasonDatabase    Reason = "database"    // the database could not be asked what it is and holds
	ReasonReplica     Reason = "replica"     // answered by a replica
	ReasonWriting     Reason = "writing"     // a write to what it reads is under way
	ReasonJournal     Reason = "journal"     // writes that Redis was not told of have to be told first
	ReasonStore       Reason = "store"       // Redis does not answer
	ReasonTorn        Reason = "torn"        // rows changed while they were read one by one
	ReasonScopes      Reason = "scopes"      // the table has as many scopes as can be
	ReasonPartition   Reason = "partition"   // the application's function that names it panicked
	ReasonChurn       Reason = "churn"       // what it reads is written faster than it is read
	ReasonPanic       Reason = "panic"       // the cache's own code panicked
)

// A ReadEvent tells of one statement that reads.
type ReadEvent struct {
	// Table is the first table of the statement, or empty if it is not known.
	Table   string
	Kind    Kind
	Outcome Outcome
	Reason  Reason // of a bypass
	// Key is the name of the entry; of the first one, if there are several.
	Key string
	// Tags are what the entry depends on; of the first one, if there are several.
	Tags []string
	// Entries is how many entries the answer consists of, and Found how many of them were in the store.
	Entries, Found int
	// Joined is set if the database was read by another goroutine, or another process, for the same entry at the same time.
	Joined bool
	// Stale is set for a Hit with what may have been written since: the application has asked for that (StaleOK).
	Stale bool
	// Written is how many entries were in the store, but had been written since. Ended is how many were not, although what
	// they depend on had not been written: their time to live was over, or they were evicted, or nobody had asked for them.
	Written, Ended int
	// Age is how long ago the database was read for it, by the clocks of the processes that stored and read it; of the oldest
	// of several entries. TTL is how long that entry is served, counted from then. Both are zero for a bypass.
	Age, TTL time.Duration
	Duration time.Duration
}

// A FillResult says what became of an answer that was to be stored.
type FillResult string

// The results of a fill.
const (
	Stored    FillResult = "stored"
	TooLarge  FillResult = "too_large"
	Unstable  FillResult = "unencodable"
	Expired   FillResult = "expired" // the database took longer than the entry would have lived
	Dropped   FillResult = "dropped" // too many fills were under way
	FillError FillResult = "error"   // Redis did not take it
)

// A FillEvent tells of entries that were stored together, or could not be.
type FillEvent struct {
	// Table and Kind are those of the read that they are for.
	Table    string
	Kind     Kind
	Key      string // of the first entry
	Entries  int
	Bytes    int
	Result   FillResult
	Duration time.Duration
}

// A WriteOutcome says what became of a write.
type WriteOutcome string

// The outcomes of a write.
const (
	Committed  WriteOutcome = "committed"
	RolledBack WriteOutcome = "rolled_back"
	InDoubt    WriteOutcome = "in_doubt" // the database did not tell whether it committed
	Unseen     WriteOutcome = "unseen"   // its end cannot be observed
	Refused    WriteOutcome = "refused"  // FailWrite, and Redis was not reached before the COMMIT
)

// A Cause says what made answers unservable.
type Cause string

// The causes of a write's tags.
const (
	CauseCreate     Cause = "create"     // GORM's Create, Save …
	CauseUpdate     Cause = "update"     // Update, Updates …
	CauseDelete     Cause = "delete"     // Delete, a soft delete, too
	CauseRaw        Cause = "raw"        // Exec, Raw: a text of the application's own
	CauseDatabase   Cause = "database"   // the database changes it by itself: cascades, triggers, rules, functions
	CauseTouches    Cause = "touches"    // Touches says so
	CauseInvalidate Cause = "invalidate" // Invalidate says so
	CauseSchema     Cause = "schema"     // the schema changes, or has changed meanwhile
	CauseUnknown    Cause = "unknown"    // it may be anything, as the statement is not understood
	CauseSeveral    Cause = "several"    // statements of one transaction, with different causes
)

// A WriteEvent tells of one transaction, or one statement in autocommit, that wrote.
type WriteEvent struct {
	// Tags are what it rotated: "row:users:42", "list:users" …
	Tags []string
	// Causes says why, by table, as its name is in the tags; by "", why all tables.
	Causes  map[string]Cause
	Outcome WriteOutcome
	// Announced is false if Redis was not told before the COMMIT; Released, if it was not told after it either, so
	// that it still has to be.
	Announced, Released bool
	// Lapsed is set if the COMMIT took longer than the intent lived.
	Lapsed bool
	// Journaled is set if others may serve what was there before the write, until Redis is told; this process serves nothing
	// before that.
	Journaled bool
	// Outboxed is set if it left a row in the outbox: Redis had not been told before the COMMIT. Any process will tell it.
	Outboxed bool
	// Before and After are the times that the cache took before and after the COMMIT.
	Before, After time.Duration
}

// A State is a condition of the cache as a whole.
type State string

// The states.
const (
	// StoreOpen: Redis has stopped answering and is not asked.
	StoreOpen State = "store_open"
	// JournalOpen: writes that Redis was not told of are remembered; this process serves nothing from the cache.
	JournalOpen State = "journal_open"
	// OutboxOpen: the outbox of a database has rows, of any process, of which Redis has not been told. Detail is the name of
	// its table.
	OutboxOpen State = "outbox_open"
	// CorruptEntry: an entry that does not decode was found, and taken for a miss.
	CorruptEntry State = "corrupt_entry"
	// StoreError: a step that was asked of Redis failed. The event has an ErrorKind.
	StoreError State = "store_error"
	// Panicked: the cache's own code panicked, and the database has answered the statement. Detail is the panic's value.
	Panicked State = "panicked"
)

// An ErrorKind says how Redis failed.
type ErrorKind string

// The kinds of errors.
const (
	ErrorTimeout    ErrorKind = "timeout"    // no answer in time
	ErrorPool       ErrorKind = "pool"       // no connection became free in time
	ErrorConnection ErrorKind = "connection" // refused, closed, not found
	ErrorMemory     ErrorKind = "memory"     // OOM: its memory is full, and nothing may be evicted
	ErrorAuth       ErrorKind = "auth"       // the password is wrong, or the user may not do this
	ErrorReadOnly   ErrorKind = "readonly"   // it is a replica
	ErrorScript     ErrorKind = "script"     // a script failed
	ErrorOther      ErrorKind = "other"
)

// A StateEvent tells that a state began, or ended.
type StateEvent struct {
	State State
	// On is true also for a state that has no end: CorruptEntry, StoreError, Panicked.
	On    bool
	Error ErrorKind // of a StoreError
	// Detail is for people: an error, a key.
	Detail string
}

// ReadTagsUnwanted is implemented by a Recorder that does not look at the Tags of a ReadEvent. Then they need not be made,
// and a hit is cheaper.
type ReadTagsUnwanted interface{ ReadTagsUnwanted() }

// WantsReadTags reports whether a Recorder looks at the Tags of a ReadEvent.
func WantsReadTags(r Recorder) bool {
	switch r.(type) {
	case Nop, ReadTagsUnwanted:
		return false
	default:
		return true
	}
}

// Nop is the Recorder that forgets everything. Who embeds it gets all events, with their tags.
type Nop struct{}

var _ Recorder = Nop{}

// Read implements [Recorder].
func (Nop) Read(ReadEvent) {}

// Fill implements [Recorder].
func (Nop) Fill(FillEvent) {}

// Write implements [Recorder].
func (Nop) Write(WriteEvent) {}

// State implements [Recorder].
func (Nop) State(StateEvent) {}
