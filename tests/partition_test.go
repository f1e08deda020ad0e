package tests_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// tenantKey is the key of the tenant in a context.
type tenantKey struct{}

func tenantOf(ctx context.Context) string {
	name, _ := ctx.Value(tenantKey{}).(string)
	return name
}

// as returns a handle for the statements of a tenant.
func (h *handle) as(tenant string) *gorm.DB {
	return h.WithContext(context.WithValue(context.Background(), tenantKey{}, tenant))
}

var partitioned = withPlugin(func(c *rediscache.Config) { c.Partition = tenantOf })

// perCheckout makes the world's pools send a text for the tenant of the context whenever a connection is taken: below
// everything that the plugin can see.
func (w *world) perCheckout(set func(tenant string) string) {
	d := *w.dialect
	d.open = func(dsn string, noted *statements) (gorm.Dialector, *sql.DB, error) {
		conn, err := pgx.ParseConfig(dsn)
		if err != nil {
			return nil, nil, err
		}
		conn.Tracer = noted
		hook := func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(context.WithoutCancel(ctx), set(tenantOf(ctx)))
			return err
		}
		pool := stdlib.OpenDB(*conn, stdlib.OptionAfterConnect(hook), stdlib.OptionResetSession(hook))
		return postgres.New(postgres.Config{Conn: pool}), pool, nil
	}
	w.dialect = &d
}

// schemas makes a world in which each tenant has tables of its own, which a search_path chooses for each checkout of a
// connection.
func schemas(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t) // which of the tables of one name a tenant's session finds is not known: all count
	w.members(3)
	admin := w.plain()
	var home string
	require.NoError(t, admin.Raw("SELECT current_schema()").Scan(&home).Error)
	for tenant, age := range map[string]int{"ann": 100, "bob": 200} {
		schema := home + "_" + tenant
		for _, text := range []string{
			"CREATE SCHEMA " + schema,
			"CREATE TABLE " + schema + ".members (LIKE members INCLUDING ALL)",
			"INSERT INTO " + schema + ".members SELECT id, '" + tenant + "' || id, age + ? FROM members",
		} {
			var args []any
			if text[:6] == "INSERT" {
				args = append(args, age)
			}
			require.NoError(t, admin.Exec(text, args...).Error)
		}
		t.Cleanup(func() { admin.Exec("DROP SCHEMA " + schema + " CASCADE") })
	}
	w.perCheckout(func(tenant string) string {
		if tenant == "" {
			return "SET search_path TO " + home
		}
		return "SET search_path TO " + home + "_" + tenant
	})
	return w
}

// tenantReads are reads of each kind. Of two tenants no answer is the same, unless it is that there is none.
func tenantReads() map[string]func(*gorm.DB) (any, error) {
	return map[string]func(*gorm.DB) (any, error){
		"a row": func(db *gorm.DB) (any, error) { var m member; err := db.First(&m, 1).Error; return m, err },
		"rows": func(db *gorm.DB) (any, error) {
			var m []member
			err := db.Find(&m, []int{1, 2, 3}).Error
			return m, err
		},
		"a row, restricted": func(db *gorm.DB) (any, error) {
			var m []member
			err := db.Where("age > ?", 10).Find(&m, []int{2}).Error
			return m, err
		},
		"a list": func(db *gorm.DB) (any, error) { var m []member; err := db.Order("id").Find(&m).Error; return m, err },
		"a count": func(db *gorm.DB) (any, error) {
			var n int64
			err := db.Model(&member{}).Where("age > 150").Count(&n).Error
			return n, err
		},
		"no row": func(db *gorm.DB) (any, error) {
			var m []member
			err := db.Where("name = ?", "ann1").Find(&m, []int{1}).Error
			return m, err
		},
		"a column": func(db *gorm.DB) (any, error) {
			var n []string
			err := db.Model(&member{}).Order("id").Pluck("name", &n).Error
			return n, err
		},
	}
}

// The plugin cannot see what a hook of the driver does with a connection when it is taken. If answers depend on it, and
// nobody says so, tenants get each other's.
func TestWithoutPartitionTenantsThatNobodyTellsApartShareAnswers(t *testing.T) {
	t.Parallel()
	w := schemas(t)
	w.old = true
	h, plain := w.cached(), w.plain()
	for name, read := range tenantReads() {
		right, err := read(plain.as("bob"))
		require.NoError(t, err)
		h.warm(t, func(*gorm.DB) { _, _ = read(h.as("ann")) })
		leaked, err := read(h.as("bob"))
		require.NoError(t, err)
		require.NotEqual(t, right, leaked, name)
	}
}

func TestTenantsOfPartitionsNeverGetEachOthersAnswers(t *testing.T) {
	t.Parallel()
	w := schemas(t)
	h, other, plain := w.cached(partitioned), w.cached(partitioned), w.plain()
	for name, read := range tenantReads() {
		for _, tenant := range []string{"ann", "bob", ""} {
			want, err := read(plain.as(tenant))
			require.NoError(t, err)
			h.warm(t, func(*gorm.DB) {
				got, err := read(h.as(tenant))
				require.NoError(t, err)
				require.Equal(t, want, got, "%s of %q", name, tenant)
			})
			got, err := read(other.as(tenant))
			require.NoError(t, err)
			require.Equal(t, want, got, "%s of %q, in another process", name, tenant)
			require.Equal(t, metrics.Hit, other.log.lastOutcome(), "%s of %q, in another process", name, tenant)
		}
	}
}

// What they have in common is what a write touches: it reaches the answers of all.
func TestWriteOfOnePartitionIsSeenByAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	h := w.cached(partitioned)
	for name, read := range tenantReads() {
		h.warm(t, func(*gorm.DB) { _, _ = read(h.as("ann")) })
		h.warm(t, func(*gorm.DB) { _, _ = read(h.as("bob")) })
		for _, writer := range []string{"ann", "bob", "eve", ""} {
			require.NoError(t, h.as(writer).Model(&member{}).Where("id IN ?", []int{1, 2}).
				Update("age", gorm.Expr("age + 1")).Error)
			for _, reader := range []string{"ann", "bob"} {
				got, err := read(h.as(reader))
				require.NoError(t, err)
				want, err := read(h.as(reader).Clauses(rediscache.Bypass))
				require.NoError(t, err)
				require.Equal(t, want, got, "%s by %s, written by %q", name, reader, writer)
			}
		}
	}
}

// Readers that miss at the same time share a read of the database only within their partition.
func TestFlightsAreOfOnePartition(t *testing.T) {
	t.Parallel()
	w := schemas(t)
	h := w.cached(partitioned)
	var all sync.WaitGroup
	for i := range 60 {
		tenant := []string{"ann", "bob"}[i%2]
		all.Go(func() {
			var m member
			if err := h.as(tenant).First(&m, 1+i/20).Error; err != nil || m.Name[:3] != tenant {
				t.Errorf("%s got %v, %v", tenant, m, err)
			}
		})
	}
	all.Wait()
}

// A role that may not read a table gets the database's refusal, and no answer that another role was given.
func TestRoleThatMayNotReadIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	admin := w.plain()
	var role string
	require.NoError(t, admin.Raw("SELECT current_schema() || '_poor'").Scan(&role).Error)
	require.NoError(t, admin.Exec("CREATE ROLE "+role).Error)
	t.Cleanup(func() { admin.Exec("DROP ROLE " + role) })
	w.perCheckout(func(tenant string) string {
		if tenant == "poor" {
			return "SET ROLE " + role
		}
		return "RESET ROLE"
	})
	for name, options := range map[string][]option{"no partition": nil, "a partition": {partitioned}} {
		h := w.cached(options...)
		h.warm(t, func(*gorm.DB) { require.NoError(t, h.as("rich").First(&member{}, 1).Error) })
		err := h.as("poor").First(&member{}, 1).Error
		if options == nil {
			require.NoError(t, err, "the leak")
		} else {
			require.Error(t, err, name)
		}
	}
}

// Row-level security is known from the catalog. Who sees what may be anybody's rule: nothing is cached.
func TestRowLevelSecurityIsNotCachedInAnyPartition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	// A name of its own: tables that share one, in whatever schema, are taken for one.
	require.NoError(t, w.plain().Exec("CREATE TABLE walled (id bigint PRIMARY KEY)").Error)
	require.NoError(t, w.plain().Exec("ALTER TABLE walled ENABLE ROW LEVEL SECURITY").Error)
	for _, h := range []*handle{w.cached(), w.cached(partitioned)} {
		for range 2 {
			e := h.log.read(t, func() { h.as("ann").Raw("SELECT id FROM walled").Scan(&[]int{}) })
			require.Equal(t, metrics.ReasonRelation, e.Reason)
		}
	}
}

func TestPartitionThatPanicsIsTheDatabases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.Partition = func(context.Context) string { panic("no tenant") } }))
	for range 2 {
		e := h.log.read(t, func() { require.NoError(t, h.First(&member{}, 1).Error) })
		require.Equal(t, metrics.ReasonPartition, e.Reason)
	}
}

// Explain shows which partition an answer is of, but not what the application calls it.
func TestExplainTellsPartitionsApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached(partitioned)
	explain := func(tenant string) (why rediscache.Explanation) {
		require.NoError(t, h.as(tenant).Clauses(rediscache.Explain(&why)).First(&member{}, 1).Error)
		return why
	}
	ann, bob, nobody := explain("ann"), explain("bob"), explain("")
	require.Empty(t, nobody.Partition)
	require.NotEqual(t, ann.Partition, bob.Partition)
	require.NotEqual(t, ann.Key, bob.Key)
	require.Equal(t, ann.Tags, bob.Tags)
	require.Contains(t, ann.String(), "partition "+ann.Partition)
	require.NotContains(t, ann.String(), "ann")
	require.Less(t, len(explain(string(make([]byte, 1<<20))).Key), 200, "a long name makes no long key")
}
