package plugins_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/plugin/soft_delete"
)

// Models whose rows are marked when they are deleted, in each way that soft_delete has.
type (
	inSeconds struct {
		ID        int `gorm:"primaryKey;autoIncrement:false"`
		Name      string
		DeletedAt soft_delete.DeletedAt
	}
	inMillis struct {
		ID        int `gorm:"primaryKey;autoIncrement:false"`
		Name      string
		DeletedAt soft_delete.DeletedAt `gorm:"softDelete:milli"`
	}
	inNanos struct {
		ID        int `gorm:"primaryKey;autoIncrement:false"`
		Name      string
		DeletedAt soft_delete.DeletedAt `gorm:"softDelete:nano"`
	}
	byFlag struct {
		ID    int `gorm:"primaryKey;autoIncrement:false"`
		Name  string
		IsDel soft_delete.DeletedAt `gorm:"softDelete:flag"`
	}
	byFlagAndTime struct {
		ID        int `gorm:"primaryKey;autoIncrement:false"`
		Name      string
		DeletedAt time.Time
		IsDel     soft_delete.DeletedAt `gorm:"softDelete:flag,DeletedAtField:DeletedAt"`
	}
	byFlagAndMillis struct {
		ID        int `gorm:"primaryKey;autoIncrement:false"`
		Name      string
		DeletedAt int64
		IsDel     soft_delete.DeletedAt `gorm:"softDelete:flag,DeletedAtField:DeletedAt,DeletedAtFieldUnit:milli"`
	}
	// unique may have a name again when it was deleted.
	unique struct {
		ID        int                   `gorm:"primaryKey;autoIncrement:false"`
		Name      string                `gorm:"uniqueIndex:of_the_living"`
		DeletedAt soft_delete.DeletedAt `gorm:"softDelete:nano;uniqueIndex:of_the_living"`
	}
)

// Rows that are deleted vanish at once from what is cached, and those that are restored are there again.
func TestSoftDelete(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"seconds": func(t *testing.T) {
			softDelete(t, "deleted_at", func(id int, name string) inSeconds { return inSeconds{ID: id, Name: name} })
		},
		"milliseconds": func(t *testing.T) {
			softDelete(t, "deleted_at", func(id int, name string) inMillis { return inMillis{ID: id, Name: name} })
		},
		"nanoseconds": func(t *testing.T) {
			softDelete(t, "deleted_at", func(id int, name string) inNanos { return inNanos{ID: id, Name: name} })
		},
		"flag": func(t *testing.T) {
			softDelete(t, "is_del", func(id int, name string) byFlag { return byFlag{ID: id, Name: name} })
		},
		"flag and time": func(t *testing.T) {
			softDelete(t, "is_del", func(id int, name string) byFlagAndTime { return byFlagAndTime{ID: id, Name: name} })
		},
		"flag and milliseconds": func(t *testing.T) {
			softDelete(t, "is_del", func(id int, name string) byFlagAndMillis { return byFlagAndMillis{ID: id, Name: name} })
		},
		"unique index": func(t *testing.T) {
			softDelete(t, "deleted_at", func(id int, name string) unique { return unique{ID: id, Name: name} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// remains is what is read of a model.
type remains[T any] struct {
	One, Last, Two   []T
	Living, All, Ids []T
	Count            int64
	Names            []string
}

func readRemains[T any](t testing.TB) func(*gorm.DB) any {
	return func(db *gorm.DB) any {
		var r remains[T]
		require.NoError(t, db.Limit(1).Find(&r.One, "id = ?", 1).Error)
		require.NoError(t, db.Find(&r.Two, 2).Error)
		require.NoError(t, db.Order("id DESC").Limit(1).Find(&r.Last).Error)
		require.NoError(t, db.Order("id").Find(&r.Living).Error)
		require.NoError(t, db.Unscoped().Order("id").Find(&r.All).Error)
		require.NoError(t, db.Unscoped().Order("id").Find(&r.Ids, []int{1, 2, 3}).Error)
		require.NoError(t, db.Model(new(T)).Count(&r.Count).Error)
		require.NoError(t, db.Model(new(T)).Where("name = ? OR name = ?", "a", "b").Order("id").Pluck("name", &r.Names).Error)
		return r
	}
}

func softDelete[T any](t *testing.T, mark string, row func(int, string) T) {
	t.Helper()
	w := newWorld(t)
	plain := w.plain()
	require.NoError(t, plain.AutoMigrate(new(T)))
	h, other := w.cached(rediscacheFirst), w.cached(rediscacheFirst)
	handles := []*handle{h, other}
	read := readRemains[T](t)
	rows := []T{row(1, "a"), row(2, "b"), row(3, "c")}
	require.NoError(t, h.Create(&rows).Error)

	living := func() int { return len(read(other.DB).(remains[T]).Living) }
	changes(t, plain, handles, read, func() error { return h.Delete(new(T), 1).Error })
	require.Equal(t, 2, living())
	changes(t, plain, handles, read, func() error {
		return h.Unscoped().Model(new(T)).Where("id = ?", 1).Update(mark, 0).Error
	})
	require.Equal(t, 3, living())
	changes(t, plain, handles, read, func() error { return other.Where("name IN ?", []string{"a", "b"}).Delete(new(T)).Error })
	require.Equal(t, 1, living())
	changes(t, plain, handles, read, func() error { // a row of the same name
		again := row(4, "a")
		return other.Create(&again).Error
	})
	changes(t, plain, handles, read, func() error {
		return h.Transaction(func(tx *gorm.DB) error {
			return tx.Unscoped().Model(new(T)).Where("name = ?", "b").Update(mark, 0).Error
		})
	})
	require.Equal(t, 3, living())
	changes(t, plain, handles, read, func() error { return h.Unscoped().Delete(new(T), 1).Error })
	changes(t, plain, handles, read, func() error {
		two := row(2, "b")
		return h.Delete(&two).Error
	})
	require.Equal(t, 2, living())
}

// What breaks the unique index of the living is refused as without a cache, and the deleted do not count.
func TestSoftDeleteWithUniqueIndex(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.plain()
	require.NoError(t, plain.AutoMigrate(&unique{}))
	h := w.cached(rediscacheFirst)
	read := readRemains[unique](t)
	require.NoError(t, h.Create(&unique{ID: 1, Name: "a"}).Error)
	agrees(t, plain, h, read)
	want, got := plain.Create(&unique{ID: 2, Name: "a"}).Error, h.Create(&unique{ID: 2, Name: "a"}).Error
	require.EqualError(t, got, want.Error())
	agrees(t, plain, h, read)
	for id := 2; id < 5; id++ {
		require.NoError(t, h.Where("name = ?", "a").Delete(&unique{}).Error)
		changes(t, plain, []*handle{h}, read, func() error { return h.Create(&unique{ID: id, Name: "a"}).Error })
	}
	require.Len(t, read(h.DB).(remains[unique]).All, 4)
	require.Len(t, read(h.DB).(remains[unique]).Living, 1)
}
