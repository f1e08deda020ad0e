package differential_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

func TestMain(m *testing.M) {
	flag.Parse()
	settings := map[string]string{
		// How many programs there are is decided here; what failed is printed, not kept in a file.
		"rapid.checks": "1000000000", "rapid.nofailfile": "true", "rapid.shrinktime": "10s",
		"rapid.seed": "1", // the same programs each time
	}
	if os.Getenv(envSoak) != "" {
		settings["rapid.seed"] = "0" // others each time
	}
	for name, value := range settings {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// envSoak says how long random programs are run, in place of how many.
const envSoak = "REDISCACHE_SOAK"

// enough returns what ends the random programs: there were so many, or the soak is over.
func enough(t *testing.T, programs int) func() bool {
	t.Helper()
	if soak := os.Getenv(envSoak); soak != "" {
		d, err := time.ParseDuration(soak)
		require.NoError(t, err, envSoak)
		end := time.Now().Add(d)
		return func() bool { return time.Now().After(end) }
	}
	if testing.Short() {
		programs /= 3
	}
	return func() bool { programs--; return programs < 0 }
}

// The test of this package.
func TestProgramsCannotTellThatTheyAreCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	programs := 0
	verdict := check(t.Name(), enough(t, 800), w, func(program) { programs++ })
	require.Empty(t, verdict)
	hits, misses, bypasses := w.reads.hits.Load(), w.reads.misses.Load(), w.reads.bypasses.Load()
	t.Logf("%d programs, %d hits, %d misses, %d bypasses %v", programs, hits, misses, bypasses, w.reads.reasons)
	require.Greater(t, hits, misses/2, "the cache is hardly used")
}

// What programs are drawn from is in some of them.
func TestProgramsHaveEverything(t *testing.T) {
	t.Parallel()
	words := []string{
		".Where(", ".Or(", ".Not(", ".Joins(", ".InnerJoins(", ".Preload(", ".Select(", ".Omit(", ".Distinct(", ".Group(", ".Having(",
		".Order(", ".Limit(", ".Offset(", ".Table(", ".Unscoped(", ".Session(", ".Scopes(", ".Model(", ".Raw(", ".Clauses(",
		".First(", ".Last(", ".Take(", ".Find(", ".Count(", ".Pluck(", ".Scan(", ".Rows(", ".Row(", ".FindInBatches(", ".FirstOrInit(",
		".FirstOrCreate(", ".Create(", ".CreateInBatches(", ".Save(", ".Update(", ".Updates(", ".UpdateColumn(", ".UpdateColumns(",
		".Delete(", ".Exec(", ".Association(", ".Transaction(", "clause.OnConflict{", "clause.Returning{", " IN (?)",
		"gorm.G[person](", "gorm.G[pet](", "gorm.G[kind](", "gorm.G[rarity](", "gorm.G[dto](", "gorm.G[map[string]any](",
		"new([]map[string]interface {})", "new(map[string]interface {})", "dto)", "label)", "crowd",
		"Simple:true", "Prepare:true", "Skip:true", "Fields:true", "Translate:true", "Batch:2", "Zone:Asia/Kathmandu",
	}
	for _, s := range subjects() {
		words = append(words, "&"+s.name+"{", "new("+fmt.Sprintf("%T", s.one())[1:]+")", "new("+fmt.Sprintf("%T", s.many())[1:]+")")
	}
	programs := rapid.Custom(drawProgram)
	for seed := 0; len(words) > 0; seed++ {
		require.Less(t, seed, 10_000, "no program has any of %q", words)
		text := programs.Example(seed).String()
		words = slices.DeleteFunc(words, func(word string) bool { return strings.Contains(text, word) })
	}
}

// A column that GORM could not read would keep the whole row from being compared.
func TestEveryModelIsReadWithoutErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, set := range settings() {
		w.reset()
		for _, s := range subjects() {
			many := s.many()
			result := w.without(set).Unscoped().Find(many)
			require.NoError(t, result.Error, s.name)
			require.Positive(t, result.RowsAffected, s.name)
		}
	}
	for _, s := range subjects() {
		require.Empty(t, w.differ(program{steps: []step{
			{calls: []call{on("Unscoped")}, finish: reading(s.into("many", s.many, "", findAll, "Find"))},
			{calls: []call{on("Model", s.empty())}, finish: reading(s.into("rows", func() any { return new([]map[string]any) }, "", findAll, "Find"))},
		}}))
	}
}

func reading(f finisher) finisher {
	f.reads = true
	return f
}

// The same test finds what a broken cache shows, and prints a short program.
func TestBrokenCachesAreFoundOut(t *testing.T) {
	t.Parallel()
	for name, deaf := range map[string]func(keying.Tag) bool{
		"it is not told of writes": func(keying.Tag) bool { return true },
		"it forgets single rows":   keying.Tag.IsFine,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := &testkit.Forgetful{Forgets: deaf}
			w := newWorld(t, func(s store.Store) store.Store { broken.Store = s; return broken })
			w.resetting = broken.Listens.Store
			difference := check(t.Name(), enough(t, 3000), w, func(program) {}) // ends with the first one that differs
			require.Contains(t, difference, "this program is another one")
			_, shown, _ := strings.Cut(difference, "this program is another one:")
			program, _, _ := strings.Cut(shown, "\nstep ")
			steps := strings.Count(program, "\ndb")
			require.Positive(t, steps, "it shows no program:\n%s", shown)
			require.LessOrEqual(t, steps, 6, "it was not shrunk:\n%s", shown)
		})
	}
}

// check runs random programs until there were enough. It returns in what the shortest one that was found differs; nothing, if
// all agree.
func check(name string, enough func() bool, w *world, agreed func(program)) (difference string) {
	tb := &recorder{name: name}
	var differing program
	done := make(chan struct{})
	go func() { // which rapid, and the last program, end
		defer close(done)
		rapid.Check(tb, func(rt *rapid.T) {
			if difference == "" && enough() {
				runtime.Goexit()
			}
			p := drawProgram(rt)
			if found := w.differ(p); found != "" {
				difference, differing = found, p // the last one is the shortest
				rt.Fatalf("it differs")
			}
			agreed(p)
		})
	}()
	<-done
	switch {
	case difference != "":
		return shortest(differing, difference, w.differ)
	case tb.failed:
		return tb.log.String()
	default:
		return ""
	}
}

// shortest leaves out of a program that differs what is not needed for that, step by step. It returns what differs then.
// Rapid shrinks what is in the steps, but stops where its time ends.
func shortest(p program, difference string, differ func(program) string) string {
	for i := 0; i < len(p.steps); {
		fewer := program{set: p.set, steps: slices.Delete(slices.Clone(p.steps), i, i+1)}
		if found := differ(fewer); found != "" {
			p, difference, i = fewer, found, 0
		} else {
			i++
		}
	}
	return difference
}

// recorder is a test whose failure is looked at.
type recorder struct {
	name   string
	log    strings.Builder
	failed bool
}

func (r *recorder) Helper()                           {}
func (r *recorder) Name() string                      { return r.name }
func (r *recorder) Logf(format string, args ...any)   { fmt.Fprintf(&r.log, format+"\n", args...) }
func (r *recorder) Log(args ...any)                   { fmt.Fprintln(&r.log, args...) }
func (r *recorder) Skipf(format string, args ...any)  { r.Logf(format, args...); r.SkipNow() }
func (r *recorder) Skip(args ...any)                  { r.Log(args...); r.SkipNow() }
func (r *recorder) SkipNow()                          { runtime.Goexit() }
func (r *recorder) Errorf(format string, args ...any) { r.Logf(format, args...); r.Fail() }
func (r *recorder) Error(args ...any)                 { r.Log(args...); r.Fail() }
func (r *recorder) Fatalf(format string, args ...any) { r.Logf(format, args...); r.FailNow() }
func (r *recorder) Fatal(args ...any)                 { r.Log(args...); r.FailNow() }
func (r *recorder) FailNow()                          { r.Fail(); runtime.Goexit() }
func (r *recorder) Fail()                             { r.failed = true }
func (r *recorder) Failed() bool                      { return r.failed }
