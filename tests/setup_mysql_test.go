package tests_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// mysqlWith opens a handle on MySQL or MariaDB as applications do, with a plugin of its own.
func (w *world) mysqlWith(dsn string, options ...option) *handle {
	w.t.Helper()
	h := w.mysqlPlain(dsn, options...)
	w.use(h, options...)
	return h
}

func (w *world) mysqlPlain(dsn string, options ...option) *handle {
	w.t.Helper()
	gormConfig := &gorm.Config{Logger: logger.Discard}
	for _, o := range options {
		o(gormConfig, &rediscache.Config{})
	}
	db, err := gorm.Open(mysql.Open(dsn), gormConfig)
	require.NoError(w.t, err)
	pool, err := db.DB()
	require.NoError(w.t, err)
	pool.SetMaxIdleConns(1) // servers have few connections by default
	w.t.Cleanup(func() { _ = pool.Close() })
	return &handle{DB: db, sql: &statements{}, log: &events{}}
}

func TestMySQLIsCachedAndInvalidated(t *testing.T) {
	t.Parallel()
	prepare := withGORM(func(c *gorm.Config) { c.PrepareStmt = true })
	for how, options := range map[string][]option{
		"plain":                       nil,
		"prepared":                    {prepare},
		"without default transaction": {withGORM(func(c *gorm.Config) { c.SkipDefaultTransaction = true })},
		"wrapped":                     {withPlugin(func(c *rediscache.Config) { c.WrapConnPool = true })},
	} {
		for _, arguments := range []string{"", "&interpolateParams=true", "&loc=Local"} {
			t.Run(how+arguments, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				dsn := testkit.MySQL(t) + arguments
				h := w.mysqlWith(dsn, options...)
				want := createGroup(t, h)
				h.warmView(t, 1, want)
				var same []option
				if arguments == "&interpolateParams=true" { // to who prepares statements, the driver delivers other values
					same = options
				}
				reader := w.mysqlWith(dsn, same...)
				reader.requireHits(t, 1, want)
				plain := w.mysqlPlain(dsn)
				for i, write := range mysqlWrites() {
					require.NoError(t, write(h.DB), i)
					want := look(t, plain.DB, 1)
					require.Equal(t, want, look(t, h.DB, 1), i)
					require.Equal(t, want, look(t, reader.DB, 1), i)
					h.warmView(t, 1, want)
				}
			})
		}
	}
}

// Rows are put together in the order of their keys, which is that of numbers.
func TestMySQLRowsAreInTheOrderOfTheirKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dsn := testkit.MySQL(t)
	plain := w.mysqlPlain(dsn)
	require.NoError(t, plain.AutoMigrate(&member{}))
	rows := []member{{ID: 9, Name: "nine"}, {ID: 10, Name: "ten"}, {ID: 100, Name: "hundred"}, {ID: 2, Name: "two"}}
	require.NoError(t, plain.Create(&rows).Error)
	h := w.mysqlWith(dsn)
	for _, order := range []string{"id", "id DESC"} {
		read := func(db *gorm.DB) (found []member) {
			require.NoError(t, db.Order(order).Find(&found, []int{10, 9, 100, 2}).Error)
			return found
		}
		want := read(plain.DB)
		h.warm(t, func(db *gorm.DB) { require.Equal(t, want, read(db)) })
	}
}

func mysqlWrites() []func(*gorm.DB) error {
	statement := func(text string) func(*gorm.DB) error {
		return func(db *gorm.DB) error { return db.Exec(text).Error }
	}
	return []func(*gorm.DB) error{
		func(db *gorm.DB) error { return db.Model(&ware{ID: 10}).Update("name", "one").Error },
		func(db *gorm.DB) error { return db.Create(&ware{ID: 12, Grp: 1}).Error },
		func(db *gorm.DB) error { r := stickerOf(1); return db.Create(&r).Error },
		func(db *gorm.DB) error { return db.Delete(&ware{}, 11).Error },
		func(db *gorm.DB) error { return db.Save(&ware{ID: 10, Grp: 1, Name: "three"}).Error },
		func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Model(&ware{ID: 10}).Update("name", "five").Error })
		},
		statement("UPDATE wares SET name = 'two' WHERE id = 10"),
		statement("UPDATE IGNORE wares SET name = 'two and a half' WHERE id = 10"),
		statement("INSERT INTO wares (id, grp, name) VALUES (10, 1, 'x') ON DUPLICATE KEY UPDATE name = 'seven'"),
		statement("UPDATE wares w JOIN stickers s ON s.ware_id = w.id SET s.text = 'eight', w.name = 'eight'"),
		statement("UPDATE wares w, stickers s SET s.text = 'nine' WHERE s.ware_id = w.id"),
		statement("DELETE s FROM stickers s JOIN wares w ON s.ware_id = w.id"),
		statement("REPLACE INTO wares (id, grp, name) VALUES (10, 1, 'six')"),
		statement("INSERT INTO wares SET id = 11, grp = 1, name = \"ten\""),
		statement("DELETE FROM w USING wares AS w WHERE w.id = 11"),
		statement("SET STATEMENT max_statement_time = 10 FOR UPDATE wares SET name = 'eleven'"),
		statement("BEGIN NOT ATOMIC UPDATE wares SET name = 'twelve'; END"),
		statement("UPDATE wares SET name = 'thirteen' # WHERE FALSE"),
		statement("TRUNCATE stickers"),
		statement("ALTER TABLE wares ADD COLUMN extra int"),
	}
}

func TestMySQLTypesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	dsn := testkit.MySQL(t)
	w := newWorld(t)
	plain := w.mysqlPlain(dsn)
	require.NoError(t, plain.Exec(`CREATE TABLE kinds (id int PRIMARY KEY, a tinyint, b bigint unsigned, c float, d double,
		e decimal(20, 5), f date, g datetime(6), h timestamp(3) NULL, i time, j year, k varchar(20), l text, m blob, n varbinary(5),
		o enum('x', 'y'), p set('x', 'y'), q json, r bit(9), s boolean, t char(5), u mediumint unsigned)`).Error)
	require.NoError(t, plain.Exec(`INSERT INTO kinds VALUES (1, -5, 9223372036854775807, 1.1, 2.2, 12345.67891, '2020-02-03',
		'2020-02-03 04:05:06.123456', '2020-02-03 04:05:06.123', '-12:34:56', 1999, 'é', 'text', x'00ff', x'00', 'y', 'x,y', '{"a": 1}',
		b'101010101', true, 'ab', 7)`).Error)
	require.NoError(t, plain.Exec("INSERT INTO kinds (id, g) VALUES (2, '0000-00-00')").Error)
	for _, arguments := range []string{
		"", "&interpolateParams=true", "&loc=Local", "&parseTime=false", "&loc=Asia%2FTokyo&clientFoundRows=true",
	} {
		plain, cached := w.mysqlPlain(dsn+arguments), w.mysqlWith(dsn+arguments)
		for name, read := range map[string]func(db *gorm.DB, into any) error{
			"by placeholder": func(db *gorm.DB, into any) error {
				return db.Table("kinds").Where("id IN ?", []int{1, 2}).Order("id").Find(into).Error
			},
			"by text": func(db *gorm.DB, into any) error {
				return db.Raw("SELECT * FROM kinds WHERE id IN (1,2) ORDER BY id").Scan(into).Error
			},
		} {
			for _, into := range []func() any{
				func() any { return &[]map[string]any{} }, func() any { return &[]kind{} },
			} {
				want, got := into(), into()
				failed := read(plain.DB, want)
				if failed == nil {
					cached.warm(t, func(db *gorm.DB) { require.NoError(t, read(db, into())) })
				}
				require.Equal(t, fmt.Sprint(failed), fmt.Sprint(read(cached.DB, got)), "%s %s", name, arguments)
				require.Equal(t, want, got, "%s %s", name, arguments)
			}
		}
	}
}

// kind has the columns whose Go types matter.
type kind struct {
	ID int
	A  int8
	B  uint64
	C  float32
	D  float64
	E  string
	F  string
	I  string
	J  *int
	M  []byte
	Q  sql.NullString
	S  *bool
}
