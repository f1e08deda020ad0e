// Package consistency is the protocol that keeps cached answers true to the database: when an answer may be
// served, when it may be stored, and what a write does before and after its COMMIT. It knows neither GORM nor
// Redis; it asks a [store.Store] for a few atomic steps and is told by its caller what a statement reads and writes.
//
// Change this page before the code.
//
//	protocol.go  what a process has of it, and how it ends
//	entry.go     an entry as it is stored        tokens.go    what was found under tags
//	cipher.go    the same, encrypted
//	read.go      R1 to R4                        database.go  R5
//	fill.go      R6
//	instant.go   several entries, one instant    pin.go       what is known holds under pins
//	stampede.go  many readers, one read          stale.go     relaxed reads
//	write.go     W1 to W5                        registry.go  by which columns a table has scopes
//	keeper.go    what the store still has to be told          backlog.go  the same, counted
//	outbox.go    the same, left in the database
//
// # Promise
//
// S (strict). A read that starts after a write's COMMIT returned to the application never sees data older than
// that write. L (linearizable). A read never sees data older than what an earlier, completed read saw. Q
// (quiescent). When nothing is in flight, no entry that would be served differs from the database.
//
// S, L and Q hold while the store is healthy, with processes free to die at any instruction. No time to live is
// part of them. What holds when the store is not healthy is under Faults, below.
//
// # Words
//
// An entry is one cached answer, stored under a key. It depends on tags: a row, a table's list, and so on. A tag
// has, in the store, a token (16 bytes that never repeat) and a set of writers. A stamp is a token together with
// the history of the dataset that it was read from. An entry carries the stamps of its tags.
//
// A scope is the rows of a table that have one value in one column, or in several: the orders of user 7. An entry that
// depends on nothing else in a table depends on the scope's tag instead of the table's list. By which columns entries are
// told apart is up to the readers. Writers have to know, so each table has a registry: a tag whose token carries the names
// of the columns behind its 16 bytes.
//
// # States of a tag
//
//	                 mint (nobody writes)
//	     ┌────────┐ ──────────────────────▶ ┌─────────┐
//	     │ absent │                         │ token T │
//	     └────────┘ ◀────────────────────── └─────────┘
//	       ▲    │     evicted, expired        │
//	last   │    │                             │
//	writer │    │ intend                      │ intend: T is gone for good
//	gone   │    ▼                             ▼
//	     ┌──────────────────────────────────────────┐
//	     │ being written by {w1, w2, …}, until t    │
//	     └──────────────────────────────────────────┘
//
// Invariant I: while a live writer is in a tag's set, the tag has no token. It follows that whatever was read from
// the database under a token was read while nobody was about to commit, and that the token outlives no commit.
//
// # Read
//
//	R0  know what the statement depends on (Pins)
//	R1  load the entry and the tokens of its tags: one step, one round trip
//	    the tag of all entries has another stamp than when the schema was last seen to be the pinned one → look at the
//	    schema's tag: it has the pinned stamp → the schema is seen to be that one, with this stamp, too; it has not → what is
//	    known is out of date: begin again with R0
//	R2  a tag is being written         → read the database, store nothing
//	R3  the entry's stamps are current → hit: serve it
//	R4  mint the tokens that are absent; a tag being written → as R2
//	    an entry with a scope: declare the scope's columns in the registry, then see that nobody writes the table, once
//	    for each token of the registry; the table being written → as R2
//	R5  read the database: the primary, outside any transaction
//	R6  store the answer with the stamps of R1 and R4: an unconditional write, off the caller's path
//
// Stamps are taken before the database is read and compared when the entry is served, so a fill needs no
// condition: one that comes late carries stamps that are no longer current, and is never served. The keys of an
// entry and of its tags need not be on one node for the same reason.
//
// Concurrent misses share one R5 only if they hold the same stamps (package flight). A reader that joins such a
// flight saw, after it started, that those tokens were still current, so the flight's answer is as fresh as a hit.
//
// A read of several entries (rows by primary key) must look like one statement, hence like one instant. Every entry
// has to be current at that instant: R1 reads all of them in one step; where the store cannot (several nodes), or
// where some entries came from the database at R5, the tokens of the entries served from the store are loaded once
// more, and if one has changed the whole answer is read from the database.
//
// What a statement reads is known from its text and from the database's schema, which changes too. The schema is treated as
// an entry is: it has a tag, whose stamp is taken before the catalog is read (Pin), and what was read holds for as long as
// that stamp is current. Nobody looks at this tag for each read: all entries depend on another one, which is dropped by
// whatever may have changed rows of any table. A change of the schema drops both, so while the tag of all entries has a
// stamp with which the schema was once seen to be the pinned one, it is that one. Who finds another stamp looks.
//
// An answer that says "there is no such row" depends on one more tag, which is loaded only when such an answer is
// found or about to be stored (Entry.AbsentTags): a row whose key the database chooses while it is inserted in
// autocommit cannot be announced beforehand under its own tag.
//
// # Stampedes
//
// Nothing in this section is needed for the promise: any of it may fail, or not happen, and costs a read of the database.
//
// A cold entry that many processes want. The one reader of each process that leads its flight asks, before R5, for a lease
// if the entry is hot: asked for often in this process, or slow to read when it was last read. The lease is a token for
// which R4's step is asked, under a name made of the entry and of its stamps: who finds its own token there holds it. The
// others look at the entry again and again for a while, and take what they find if it carries their stamps: those were
// current after they started, so it is as fresh as a flight that they had joined. If nothing comes, or if other stamps do,
// they read the database. Who dies with a lease costs the others their patience, once. A write drops the stamps, and with
// them the lease.
//
// An entry whose time is nearly over. An entry carries how long the database took for it. The nearer its end, the likelier
// is a hit taken for a miss (XFetch; Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention,
// VLDB 2015), so that one reader reads it anew while the others are still served. If the database fails then, the reader is
// served, too.
//
// Tags that are written faster than read. What is stored under them dies before it is of use to anybody. A tag for which
// this process has minted a token many times in a row, without a hit on anything that depends on it, and without anybody who
// shared what was read under it, is minted ever more rarely; in between its readers read the database and store nothing.
//
// Many cold entries. Config.MaxMisses bounds how many R5 are under way in a process; the others wait their turn. R4 may then
// be long ago: a late fill, like any other.
//
// # Relaxed reads
//
// A read may give up a part of the promise, for itself alone.
//
// ReadOnly. What the store does not have is a bypass: nothing is minted, nothing is stored.
//
// MaxAge. An entry that is older than that is a miss, whatever its stamps say. It is asked of readers of one entry that
// want it for different times; the store keeps it for the time of whoever stored it.
//
// StaleFor. An entry is served although its stamps are not current, or it is older than MaxAge, if the database was read
// for it at most so long ago. When it became stale is not known, only when it was true: its span has the moment before the
// database was read. So "at most d old" is what is looked at, and "stale by at most d" follows, by the clocks of the process
// that stored the entry and of the one that serves it. An entry from the future tells nothing, and is not served.
//
//	after R1 to R3, if something is missing or a tag is being written:
//	Z1  an entry that is missing in the store, or older than StaleFor → go on as if it had not been asked for
//	    a tag that is pinned is not what was pinned, or not what the entry carries → the same
//	Z2  serve what there is, unless the caller has to do Z3 itself
//	Z3  one reader of a process for each entry takes R1 to R6 in the background, as a strict reader does; if as many do as
//	    may, it does so itself, and its caller waits; while a tag is being written, or under ReadOnly, nobody does
//
// Nobody else is given a stale answer. It does not come near a flight, which holds answers of R5 only, nor a fill, which
// stores them; Z3 is a read of its own that begins with R1, so what it stores was read from the database under stamps
// that were current after it began. Pins are not relaxed: what a statement reads, and the shape of its answer, must be
// known. An entry that is taken for a miss because its time is nearly over is served to a reader with StaleFor; Z3 follows.
//
// Entries that are served together may be of as many instants. An absence that was not confirmed counts as stale.
// L does not hold for the answer: a later one may be older, from an entry that another process wrote.
//
// # Write
//
//	W1  collect the tags of everything the transaction touched
//	W2  intend: for each tag drop its token and join its writers, until a deadline on the store's clock
//	    in the same step, after it: look at the registry of each table; it has columns whose scopes are not among the tags
//	    → intend on the registry, too
//	W3  COMMIT
//	W4  release: for each tag drop its token and leave its writers
//	    in the same step, after it: look at the registries once more; they have such columns → drop their tokens, too
//	W5  return to the application
//
// W2 and W4 are one round trip each, all tags together. While COMMIT is under way the intent is renewed; W4 begins when the
// renewal that is under way has ended, or the writer would join once more after it has left. A
// transaction that is rolled back has announced nothing.
//
// # Why each step is there
//
// Late fill. Reader takes token T; writer intends, commits, releases; reader stores under T.
// → T was dropped at W2 and tokens never repeat: the entry is never served.
//
// Between COMMIT and invalidation. Writer commits; reader hits the old entry; writer invalidates.
// → W2 dropped the token before W3: from W2 on nothing old can be served, and R4 mints nothing before W4.
//
// Crash after COMMIT. Writer commits and dies before W4.
// → As above; the writer's place in the set lapses, and the next reader starts from the database.
//
// Two writers. w1 and w2 intend; w1 commits and releases; a reader mints T and reads what w2 is about to change;
// w2 commits and dies.
// → The writers are a set, not a slot: w1's release leaves w2 in it, and nothing is minted.
//
// A writer that sleeps. w intends, stops for longer than its intent lives, commits, goes on. Meanwhile a reader
// minted T and stored the old row.
// → W4 drops T before W5: the strict promise S is kept. (L is lost while w sleeps; if w also dies, S is bounded by
// the entry's time to live.)
//
// A joined flight. r1 reads the database; w commits and returns; r2 starts, joins r1's flight, gets the old row.
// → Flights are keyed by entry and stamps; r2's stamps are not r1's.
//
// A token that comes back. A counter restarts at 1 after an eviction and revives old entries. Or the step that minted a
// token is carried out a second time, after a write dropped it: it was repeated, or a copy of it was under way for long.
// → Tokens are random, never counted, and each carries the store's clock at the step that made it.
//
// A store that goes back in time. A failover loses the writer's W2 and W4: the old token is there again, and so is
// the old entry.
// → A stamp contains the dataset's history, which a promotion or a restart changes.
//
// A dependency that is not known yet. A view is redefined to read another table; a process that still knows the old
// definition stores an answer without the new dependency.
// → The change of the definition drops the schema's tag and that of all entries. At R1 the latter has another stamp, and the
// former is not the pinned one.
//
// A table that comes back. Another program, without this protocol, drops a table and makes another one of that name and
// shape. Answers from the first one carry stamps that are current: nothing was announced.
// → The caller's names of entries hold what identifies the table, the view or the function (catalog.Table.Identity). Who
// has read the catalog since asks for other entries. Who has not does so within the minute for which a catalog is
// believed.
//
// A look at the schema that is too early. A reader sees that the schema's stamp is the pinned one; m changes the schema; the
// reader loads the tag of all entries, and takes the new stamp for one that goes with the pinned schema.
// → The tag of all entries is loaded first, the schema's after it. If m released before the first look, the second one finds
// another schema. If m announced after it, what the first look found has been dropped since, and is never current again.
// Where the two are dropped one by one, the schema's comes first.
//
// A schema that is learned for ever. w writes while its schema changes, and has to announce everything; that made others
// learn the schema anew, and find what they were writing planned by an old one, and so on, while writes overlap.
// → w drops the tag of all entries alone. The schema's is dropped by what may have changed the schema: a definition, what is
// not understood, and what a function, trigger or rule does that cannot be read.
//
// A definition that a writer does not know. w knows no cascade from a to b; m adds one, commits and returns; w, whose
// statement has waited for m, deletes a row of a, and with it rows of b.
// → w looks at the schema's tag when its statement is over, before its COMMIT or, in autocommit, before it returns. m has
// announced the change on that tag before its own COMMIT. If it has changed, w announces all entries.
//
// Columns that a writer does not know. w knows no entries by user_id, and announces the row and the list; r declares
// user_id, and stores the orders of user 7; w commits.
// → Every write of a table intends on its list tag, and looks at the registry no earlier than that. If r declared before
// w looked, w finds user_id and intends on the registry, which every entry with a scope depends on. If r declared after it,
// r finds the list being written until w has released: what r stores, it reads after w's COMMIT.
//
// A registry that is lost. It is evicted, and a writer that finds none announces no scopes.
// → The columns are in the token itself. Without it no entry with a scope is served; a new one is another token.
//
// A writer that slept while a column was declared. w's intent lapses, or is evicted, or a failover loses it; r declares
// user_id, finds nobody writing, and stores; w, which did not know of user_id, commits.
// → W4 looks, too, whatever w believes of its intent: w's clock may have stood still with it. If r declared before w
// looked, w drops the registry's token before W5; if after it, r reads after w's COMMIT. Renewing looks as W2 does. A write
// in doubt, whose W4 is not its own, intends on its registries.
//
// A slot that is being moved. Of a Cluster, two servers share a slot for a while. A step that needs two keys of which one is
// there and one is here is refused; a reader whose keys are all on one side is served. So w cannot do W2, commits, and r is
// served what was there before.
// → W2 is done in two steps of one key each: w joins the writers, then drops the token. Between the two nobody mints, as R4
// looks at the writers, and is refused unless it finds both. W4 is the other way round: w drops the token, then leaves. The
// look at the registries follows. What has moved is of another history, so what was stored before is a miss.
//
// A server among many. One server of a Cluster is away; a writer gives the store up, and others, which still reach the rest
// of it, are served what was there before.
// → One server's failure is not the store's: who does not answer is left out, and the others are told. What is left out is
// owed, as under Faults.
//
// An old primary that is alone. It has been cut off; another one has taken its place, and was told of w.
// → Of a Cluster, it answers nobody any more after the node timeout. Where Sentinels watch, it goes on, and only a server
// that itself takes no writes without replicas is refused when it has none (package redisstore).
//
// A torn answer. Row 1 is read from its entry; w commits rows 1 and 2; row 2 misses and is read from the database.
// → Row 1's token is loaded again after the database was read; it has changed; everything is read again.
//
// A torn answer of a flight. On several servers: row 1 is looked at; w commits rows 1 and 2; row 2 is looked at, and found
// as w has left it; row 1 misses, and a flight is joined that read it before w. → The tokens of what a joined flight has
// brought are loaded again, too, where R1 was not one instant: row 1's has changed.
//
// An old absence among rows. Row 3 was found absent; a row of unknown key is created. A lookup of rows 1 and 3 finds both
// entries, and only the second look, which has the tag of absent rows in it, shows that row 3's is old.
// → It is a miss: what the second look has loaded is what the database is read under. Called torn, it would be so for ever.
//
// An unknown outcome. The connection is lost while COMMIT is on the wire; it may still be carried out.
// → In doubt: the intent is renewed for Config.InDoubtHold, then released.
//
// A canceled request. The context ends after COMMIT.
// → W2 and W4 run on a context of their own.
//
// # Faults
//
// A store step that fails or is late counts as not done, and every step may be repeated. A read falls back to the
// database. A write that cannot do W2 follows Config.Outage: FailWrite refuses it; Journal commits, does W4 if it can
// by then, and otherwise keeps the tags in this process's journal, which must be empty before this process serves a
// hit again; other processes may serve the old answer until then, at most for an entry's time to live. A write that
// did W2 but cannot do W4 is safe without it, and retries in the background.
//
// Outbox is Journal, and the caller also leaves the tags in the database, in a row that commits with the write:
//
//	O1  W2 failed → write the tags (Write.Untold) into the outbox, in the same transaction, before W3
//	O2  any process: find rows that are committed, release their tags (Relay), then delete the rows
//
// Who sees the row sees the write: what is minted after O2's release is read from the database after W3, and what was
// minted before it is dropped. So O2 is W4, done by somebody else, and its bound is O2's delay, with no word about the
// writer. A row is deleted after its release, never before: who dies in between leaves it to the next, and a tag that is
// released twice is a miss. The order of rows does not matter for the same reason, so who relays takes what nobody else
// has locked. As nobody looks at registries then, they are among the tags. Who relays may serve what it has in the
// meantime, as anybody may: it promises the bound, and nothing more. The writer itself promises S: its journal is paid as
// without the outbox. Without W2's failure there is no row, so a write that the store was told of costs nothing more.
//
// If O1 fails, the write is as under Journal: the cache is no reason to refuse it. If O1 has taken the transaction down
// with it, W3 is not sent.
//
// A process that may be frozen when its caller has gone (Config.Foreground) has no background: R6 is on the caller's path,
// what is owed is paid at the next read or W2, and an intent in doubt is made to last for all of Config.InDoubtHold at once.
//
// A stall that is over when the COMMIT is must not count as an outage: W4 after a failed W2 is tried twice, and the
// steps of writes are tried for a while after reads have given the store up (package breaker).
//
// What is under a name, but was not put there by the protocol, counts as nothing: an entry that does not decode, that
// belongs to another key or is larger than one may be, a token that is too short, a value of another type. It is
// reported, and overwritten by the next step that has something to put there.
//
// An evicted token is a miss. An evicted set of writers is a writer that sleeps. Tokens carry no order and no time:
// nothing here compares clocks of two machines; the deadline of an intent is kept by the store's clock alone.
//
// # Not promised
//
// Two statements may be answered from two instants, as without a cache under READ COMMITTED. Writes that the
// caller does not announce are bounded by the entry's time to live. A trigger that changes the schema, made by m while w's
// statement waits for m, and the first one of its database of which it cannot be read what it does: the change is seen when
// the catalog is read the next time.
//
// # Model
//
// Package model, in the folder below, has this protocol as a model: reads with two tags, several entries, absences, shared
// flights and leases; writes with renewal, COMMITs in doubt, the keeper, and each Outage policy. Its tests visit every
// interleaving of a few readers and writers with crashes, evictions, lapsed intents, repeated steps, another server in
// the place of the first, and a store that cannot be reached, and say of each which of S, L and Q hold and which do
// not. For each step they show what goes wrong without it. They also hold the stores to the model's steps, and this
// package to their order: who changes a script, or the order of steps, changes the model first.
//
// Package sim, beside this one, plays the code itself: thousands of runs of processes, a store of one or of two servers, a
// database and a clock, in which it is drawn from a seed who goes on and what breaks. It has pins, times and stalls, and no
// scopes.
//
// Pins have a search of their own, too, in this package's tests (schema_test.go): all histories of a few steps. The model
// has no times to live, no pins, no relaxed reads, and no deadlines; of W4, that it is tried twice is seen in the comparison
// only. Scopes and registries have a model of their own, in this package's tests.
//
// # Room for an in-process tier
//
// A process that wants to keep entries in its own memory will hold a lease that W2 can see: an intent must then
// reach every holder, or outlast its lease, before W3. Steps are per tag and return nothing but success, so such a
// step can be added to W2 without a change for its callers.
package consistency
