package rediscache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/internal/aead"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// Config configures a plugin. The zero Config works.
type Config struct {
	// Redis holds the cache: one server, Sentinel or Cluster. The client stays the application's. Clients that read from
	// replicas, or that cache themselves, are refused. Defaults to a client made from the environment, which dials when it
	// is first needed: REDIS_URL; or REDIS_HOST, REDIS_PORT, REDIS_USERNAME, REDIS_PASSWORD, REDIS_DB and REDIS_TLS; or
	// REDIS_ADDRS for a Cluster, and with REDIS_MASTER_NAME for Sentinel (docs/connection.md). Without them, to a store made
	// from UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or to localhost:6379.
	Redis redis.UniversalClient
	// Store holds the cache in place of Redis: store/upstashstore, store/memstore, or one of your own (docs/stores.md). Each
	// bounds its own steps; Timeout bounds what has to go on after a request has ended.
	Store store.Store

	// Namespace is the beginning of every key, for applications that share a Redis and must not share a cache, and for
	// databases that are copies of one another, which cannot be told apart. 1 to 64 letters, digits and . _ -
	// Defaults to "rc". The name of the database follows it in any case.
	Namespace string

	// Policy says which answers are kept, and how long. Models gives models policies of their own; ttlconfig.Never turns one
	// off. What Models leaves open is taken from the model itself, if it has a policy (ttlconfig.Carrier), then from Policy.
	// docs/ttl.md says how to choose.
	Policy ttlconfig.Policy
	Models ttlconfig.Models

	// Partition says to whom the answer of a statement belongs, beside its text and arguments: it is called with the
	// statement's context, before the cache is asked, must be quick, and returns any text (a tenant, a role, a schema), or ""
	// for what is everybody's. An answer is only served in the partition that it was stored in; a write reaches those of all.
	// Needed where sessions of one pool get different answers and the plugin cannot see it: a search_path, a role or a setting
	// that a hook of the driver chooses when a connection is taken. If it panics the database answers. Defaults to one
	// partition for all (docs/security.md).
	Partition func(context.Context) string

	// EncryptionKeys encrypt the rows of answers in Redis, with XAES-256-GCM. The first key encrypts, all of them decrypt, so
	// that keys can be changed while processes run. 32 bytes each. An entry that was encrypted with another key, or with
	// none, is a miss, and counted. Names of entries are not encrypted. Defaults to none: rows are stored as they are
	// (docs/security.md).
	EncryptionKeys [][]byte

	// OnOutage says what a write does that cannot tell Redis before its commit. Defaults to Journal.
	OnOutage Outage

	// Timeout bounds each exchange with Redis. Defaults to 100 ms; to 250 ms with Upstash in the environment.
	Timeout time.Duration

	// LearnTimeout bounds how long a statement waits for the schema to be read by another one, or for a connection to read
	// it on: before the first statement is cached, and after a migration. A statement that has waited so long goes on
	// without it: the database answers a read; a write invalidates everything that is cached of the database. Defaults to
	// 200 ms.
	LearnTimeout time.Duration

	// Serverless says whether the process may be frozen between two requests. Defaults to what the environment shows.
	Serverless Serverless

	// MaxRows and MaxBytes bound the answers that are kept. Defaults to 10 000 rows and 1 MiB.
	MaxRows  int
	MaxBytes int

	// MaxMisses bounds how many misses of the plugin's handles read the database at the same time; others wait their turn, or
	// until their context is over. Less than the connections of the pool, it leaves some to writes and transactions while the
	// cache is cold. Defaults to any number: the pool (sql.DB.SetMaxOpenConns) is the bound, as without the plugin.
	MaxMisses int

	// ReadReplicas, with dbresolver, leaves what the cache does not have to the replica that dbresolver chose; nothing
	// of that is stored. By default the source is asked, and the answer stored.
	ReadReplicas bool

	// WrapConnPool observes transactions by wrapping the connection pool, instead of on the *sql.Tx. Programs that look
	// for a *sql.Tx or a *sql.DB in GORM's ConnPool then find another type, and transactions that were begun elsewhere
	// are not seen (docs/decisions/0002-observing-transactions.md).
	WrapConnPool bool

	// Recorder receives what the cache reports about itself; metrics.Tee makes one of several. Defaults to none.
	Recorder metrics.Recorder
	// Annotate is called once for each statement that reads, when its answer is known, with the statement's context and
	// what was done for it: for attributes of the current span, say. It is on the application's path, must be quick, and
	// must not use the handle. The attributes are rediscache.outcome (hit, miss or bypass), rediscache.reason (of a
	// bypass), db.collection.name (the first table; the name is OpenTelemetry's), rediscache.kind (row, list or count), and,
	// unless it is a bypass, rediscache.key (which holds primary keys and values of scope columns that are numbers),
	// rediscache.entries, rediscache.found and rediscache.joined, as [metrics.ReadEvent] describes them. Defaults to none,
	// which costs nothing.
	Annotate func(ctx context.Context, attrs []slog.Attr)
	// Registerer gets the metrics of the plugin, for Prometheus: docs/operations.md lists them. Plugins that have the same one
	// share them: what they count is added up. Close takes them out again. Defaults to none.
	Registerer prometheus.Registerer
	// Logger is told when Redis is first reached, lost, and found again, once each, and what keeps the cache from working. At
	// level Debug it is also told of hits, misses, bypasses, fills and invalidations, ten of each a second at most. Keys are
	// in these lines, which hold primary keys and values of scope columns that are numbers. Defaults to slog.Default().
	Logger *slog.Logger
}

// Outage says what a write does that cannot tell Redis before its commit.
type Outage uint8

const (
	// Journal commits. The process remembers what was touched, serves nothing from the cache before Redis has been
	// told, and tells it as soon as it answers. Other processes may serve what was there before until then, at most for
	// its time to live.
	Journal Outage = iota
	// FailWrite refuses the write with ErrUnannounced: nothing stale is ever served, and nothing can be written while
	// Redis does not answer.
	FailWrite
	// Outbox is Journal, and leaves what was touched in a table of the database, too, in the same transaction: any
	// process that reaches Redis tells it, within about a second, also when the one that wrote is gone. While Redis
	// answers, nothing is written there. The table has to be there when a handle begins to use the plugin: see
	// [CreateOutbox]. If it does not take a row, the write is as under Journal, and the log says so. For PostgreSQL,
	// MySQL 8.0, MariaDB 10.6 and SQLite.
	Outbox
)

// Defaults of [Config].
const (
	defaultTimeout      = consistency.DefaultTimeout
	defaultLearnTimeout = 200 * time.Millisecond
	defaultMaxRows      = 10_000
	defaultMaxBytes     = consistency.DefaultMaxEntry
)

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.LearnTimeout == 0 {
		c.LearnTimeout = defaultLearnTimeout
	}
	if c.MaxRows == 0 {
		c.MaxRows = defaultMaxRows
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.Recorder == nil {
		c.Recorder = metrics.Nop{}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// cipher returns what encrypts entries; nil, if nothing does.
func (c Config) cipher() (consistency.Cipher, error) {
	if c.EncryptionKeys == nil {
		return nil, nil
	}
	return aead.New(c.EncryptionKeys)
}

// validate returns everything that is wrong, naming the fields.
func (c Config) validate() []error {
	var errs []error
	wrong := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("Config.%s: %w", field, err)) //nolint:staticcheck // begins with a name
		}
	}
	if c.Redis != nil && c.Store != nil {
		wrong("Store", errors.New("want Redis or Store, not both"))
	}
	if c.Namespace != "" {
		wrong("Namespace", keying.ValidNamespace(c.Namespace))
	}
	_, err := c.cipher()
	wrong("EncryptionKeys", err)
	wrong("Policy", c.Policy.ValidateWith(ttlconfig.Default()))
	for model, policy := range c.Models {
		if model.New() == nil {
			wrong("Models", errors.New("want models named by ttlconfig.For"))
		}
		wrong(fmt.Sprintf("Models[%s]", model), policy.ValidateWith(c.Policy))
	}
	if c.OnOutage > Outbox {
		wrong("OnOutage", fmt.Errorf("want Journal, FailWrite or Outbox, got %d", c.OnOutage))
	}
	if c.Serverless > ServerlessOff {
		wrong("Serverless", fmt.Errorf("want ServerlessAuto, ServerlessOn or ServerlessOff, got %d", c.Serverless))
	}
	if c.Timeout < 0 {
		wrong("Timeout", fmt.Errorf("want a positive duration, got %v", c.Timeout))
	}
	if c.LearnTimeout < 0 {
		wrong("LearnTimeout", fmt.Errorf("want a positive duration, got %v", c.LearnTimeout))
	}
	if c.MaxRows < 0 {
		wrong("MaxRows", fmt.Errorf("want a positive number, got %d", c.MaxRows))
	}
	if c.MaxMisses < 0 {
		wrong("MaxMisses", fmt.Errorf("want a positive number, got %d", c.MaxMisses))
	}
	if c.MaxBytes < 0 {
		wrong("MaxBytes", fmt.Errorf("want a positive number, got %d", c.MaxBytes))
	}
	return errs
}
