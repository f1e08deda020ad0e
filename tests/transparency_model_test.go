package tests_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// secret has nothing that a codec by reflection could see.
type secret struct{ hidden string } //nolint:recvcheck // as database/sql wants them

func (s *secret) Scan(v any) error {
	switch v := v.(type) {
	case string:
		s.hidden = "scanned " + v
	case []byte:
		s.hidden = "scanned bytes " + string(v)
	case nil:
		s.hidden = "scanned nothing"
	default:
		return fmt.Errorf("%T", v)
	}
	return nil
}

func (s secret) Value() (driver.Value, error) { return s.hidden, nil }

// words is an array as applications write it for themselves.
type words []string //nolint:recvcheck // as database/sql wants them

func (w *words) Scan(v any) error {
	s, _ := v.(string)
	*w = strings.Split(strings.Trim(s, "{}"), ",")
	return nil
}

func (w words) Value() (driver.Value, error) { return "{" + strings.Join(w, ",") + "}", nil }

type place struct {
	Street string
	Zip    *string
}

type person struct {
	gorm.Model
	Password string           `json:"-"`
	Secret   secret           `gorm:"type:text"`
	Pointer  *secret          `gorm:"type:text"`
	Tags     []string         `gorm:"serializer:json"`
	Gob      map[string]int64 `gorm:"serializer:gob;type:bytea"`
	Since    int64            `gorm:"serializer:unixtime;type:timestamptz"`
	Home     place            `gorm:"embedded;embeddedPrefix:home_"`
	Work     *place           `gorm:"embedded;embeddedPrefix:work_"`
	Nick     *string
	Null     sql.NullInt16
	Generic  sql.Null[time.Time]
	Array    words `gorm:"type:text[]"`
	Raw      []byte
	Computed string `gorm:"->;-:migration"`
	Hidden   string `gorm:"-"`
	private  string
}

func people(t *testing.T) (*world, *handle) {
	t.Helper()
	w := newWorld(t)
	plain := w.migrate(&person{})
	nick, zip := "nick", ""
	require.NoError(t, plain.Exec("ALTER TABLE people ADD computed text").Error)
	require.NoError(t, plain.Create(&[]person{
		{Password: "p1", Secret: secret{"s1"}, Tags: []string{"a", "b"}, Gob: map[string]int64{"x": 1 << 60}, Since: 1700000000},
		{
			Password: "p2", Secret: secret{"s2"}, Pointer: &secret{"s3"}, Nick: &nick, Home: place{"h", &zip}, Work: &place{"w", nil},
			Null: sql.NullInt16{Int16: 3, Valid: true}, Generic: sql.Null[time.Time]{V: time.Unix(1, 5000), Valid: true},
			Array: words{"x", "y"}, Raw: []byte{},
		},
	}).Error)
	require.NoError(t, plain.Exec("UPDATE people SET computed = 'by the database' WHERE id = 2").Error)
	return w, plain
}

// A model gets every field from the cache that it gets from the database, also those that no other encoding of it would
// keep; and what is read and saved again is what was there.
func TestEveryFieldOfAModelComesBack(t *testing.T) {
	t.Parallel()
	w, plain := people(t)
	h := w.cached()
	for name, read := range map[string]func(*gorm.DB) any{
		"find":     func(db *gorm.DB) any { var p []person; require.NoError(t, db.Order("id").Find(&p).Error); return p },
		"first":    func(db *gorm.DB) any { var p person; require.NoError(t, db.First(&p, 2).Error); return p },
		"pointers": func(db *gorm.DB) any { var p []*person; require.NoError(t, db.Order("id").Find(&p).Error); return p },
		"some": func(db *gorm.DB) any {
			var p []person
			require.NoError(t, db.Select("id", "secret", "tags").Order("id").Find(&p).Error)
			return p
		},
		"smaller": func(db *gorm.DB) any {
			var p []struct {
				ID     int
				Secret secret
				Since  time.Time
			}
			require.NoError(t, db.Model(&person{}).Order("id").Find(&p).Error)
			return p
		},
		"scan": func(db *gorm.DB) any {
			var p []person
			require.NoError(t, db.Raw("SELECT * FROM people ORDER BY id").Scan(&p).Error)
			return p
		},
		"over what was there": func(db *gorm.DB) any {
			p := person{Password: "old", Pointer: &secret{"old"}, Hidden: "kept", private: "kept", Work: &place{"old", nil}}
			require.NoError(t, db.First(&p, 1).Error)
			return p
		},
		"pluck scanner": func(db *gorm.DB) any {
			var s []secret
			require.NoError(t, db.Model(&person{}).Order("id").Pluck("secret", &s).Error)
			return s
		},
		"map of a model": func(db *gorm.DB) any {
			m := map[string]any{}
			require.NoError(t, db.Model(&person{}).Select("id", "password", "null", "computed").Where("id = 2").Take(&m).Error)
			return fmt.Sprint(m["id"], m["password"], m["null"], len(m))
		},
	} {
		agreesFromCache(t, plain, h, name, read)
	}
	var before, after []map[string]any
	require.NoError(t, plain.Table("people").Select("id, password, tags, gob, since, home_street, nick, \"array\", raw").Order("id").Find(&before).Error)
	for id := 1; id <= 2; id++ {
		var p person
		require.NoError(t, h.First(&p, id).Error)
		p.Secret.hidden = strings.TrimPrefix(p.Secret.hidden, "scanned ")
		require.NoError(t, h.Save(&p).Error)
	}
	require.NoError(t, plain.Table("people").Select("id, password, tags, gob, since, home_street, nick, \"array\", raw").Order("id").Find(&after).Error)
	require.Equal(t, printed(before), printed(after))
}

// What a caller does to what it got is its own affair.
func TestChangingAnAnswerChangesNobodyElses(t *testing.T) {
	t.Parallel()
	w, plain := people(t)
	h := w.cached()
	read := func(db *gorm.DB) any {
		var p person
		require.NoError(t, db.First(&p, 2).Error)
		return fmt.Sprint(*p.Nick, p.Tags, p.Array, p.Home.Street, string(p.Raw))
	}
	require.NoError(t, plain.Exec("UPDATE people SET raw = 'raw' WHERE id = 2").Error)
	agrees(t, plain, h, "before", read)
	for range 3 {
		var p person
		require.NoError(t, h.First(&p, 2).Error)
		*p.Nick, p.Array[0], p.Home.Street = "spoiled", "spoiled", "spoiled"
		copy(p.Raw, "XXX")
		m := map[string]any{}
		require.NoError(t, h.Table("people").Select("raw, tags").Where("id = 2").Take(&m).Error)
		for _, v := range m {
			if b, ok := v.([]byte); ok {
				copy(b, "XXXXXXXX")
			}
		}
		agrees(t, plain, h, "after", read)
		agrees(t, plain, h, "map", func(db *gorm.DB) any {
			m := map[string]any{}
			require.NoError(t, db.Table("people").Select("raw, tags").Where("id = 2").Take(&m).Error)
			return m
		})
	}
}

// hooked counts its hooks, which are the same with the plugin and without.
type hooked struct {
	ID   int
	Name string
}

type hookKey struct{}

var errHook = errors.New("of a hook")

func (x *hooked) AfterFind(tx *gorm.DB) error {
	if n, ok := tx.Statement.Context.Value(hookKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
	var others int64 // hooks may read
	if err := tx.Model(&member{}).Count(&others).Error; err != nil {
		return err
	}
	if x.Name == "panics" {
		panic("of a hook")
	}
	if x.Name == "fails" {
		return errHook
	}
	x.Name += fmt.Sprintf(" found with %d members", others)
	return nil
}

func TestHooksRunAsOftenAsWithoutACache(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	require.NoError(t, plain.AutoMigrate(&hooked{}))
	require.NoError(t, plain.Create(&[]hooked{{1, "a"}, {2, "fails"}, {3, "panics"}, {4, "b"}}).Error)
	h := w.cached()
	for name, find := range map[string]func(*gorm.DB) (any, error){
		"one":     func(db *gorm.DB) (any, error) { var x hooked; err := db.First(&x, 1).Error; return x, err },
		"several": func(db *gorm.DB) (any, error) { var x []hooked; err := db.Find(&x, []int{1, 4}).Error; return x, err },
		"pointers": func(db *gorm.DB) (any, error) {
			var x []*hooked
			err := db.Find(&x, []int{1, 4}).Error
			return len(x), err
		},
		"list": func(db *gorm.DB) (any, error) {
			var x []hooked
			err := db.Where("id <> 3").Order("id").Find(&x).Error
			return x, err
		},
		"none":      func(db *gorm.DB) (any, error) { var x []hooked; err := db.Find(&x, 99).Error; return x, err },
		"not found": func(db *gorm.DB) (any, error) { var x hooked; err := db.First(&x, 99).Error; return x, err },
		"fails":     func(db *gorm.DB) (any, error) { var x hooked; err := db.First(&x, 2).Error; return x, err },
		"skipped": func(db *gorm.DB) (any, error) {
			var x hooked
			err := db.Session(&gorm.Session{SkipHooks: true}).First(&x, 1).Error
			return x, err
		},
		"scan": func(db *gorm.DB) (any, error) {
			var x hooked
			err := db.Raw("SELECT * FROM hookeds WHERE id = 1").Scan(&x).Error
			return x, err
		},
		"map": func(db *gorm.DB) (any, error) {
			x := map[string]any{}
			err := db.Model(&hooked{}).Where("id = 1").Take(&x).Error
			return x, err
		},
		"or create": func(db *gorm.DB) (any, error) {
			var x hooked
			err := db.FirstOrCreate(&x, hooked{ID: 1}).Error
			return x, err
		},
	} {
		agrees(t, plain, h, name, func(db *gorm.DB) any {
			var calls atomic.Int64
			got, err := find(db.WithContext(withValue(t, &calls)))
			return fmt.Sprintf("%d calls, %s, %v", calls.Load(), printed(got), err)
		})
	}
	// A hook that panics leaves nothing behind that would stop the next one.
	for range 3 {
		require.Panics(t, func() { h.First(&hooked{}, 3) })
	}
	var x hooked
	require.NoError(t, h.Session(&gorm.Session{SkipHooks: true}).First(&x, 3).Error)
	require.Equal(t, "panics", x.Name)
}
