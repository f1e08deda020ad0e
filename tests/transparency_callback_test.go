package tests_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// The application's own callbacks and logger meet each read once, with the text and the rows that they always met.
func TestCallbacksAndLoggerOfTheApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	observe := func(h *handle) func() string {
		var mu sync.Mutex
		var seen []string
		note := func(where string) func(*gorm.DB) {
			return func(db *gorm.DB) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, fmt.Sprintf("%s %T %s %v rows=%d err=%v", where, db.Statement.ConnPool, db.Statement.SQL.String(), db.Statement.Vars, db.RowsAffected, db.Error))
			}
		}
		q := h.Callback().Query()
		require.NoError(t, q.Before("gorm:query").Register("a:before", note("before")))
		require.NoError(t, q.After("gorm:query").Register("a:after", note("after")))
		require.NoError(t, q.After("gorm:after_query").Register("a:last", note("last")))
		return func() string { mu.Lock(); defer mu.Unlock(); s := strings.Join(seen, "\n"); seen = nil; return s }
	}
	p, h := w.plain(), w.plain()
	plainLog, cachedLog := &traces{}, &traces{}
	p.Logger, h.Logger = plainLog, cachedLog
	plainSeen := observe(p)
	w.use(h)
	cachedSeen := observe(h)
	for range 3 {
		for _, read := range []func(*gorm.DB){
			func(db *gorm.DB) { db.First(&member{}, 1) },
			func(db *gorm.DB) { db.First(&member{}, 99) },
			func(db *gorm.DB) { db.Find(&[]member{}, []int{1, 2, 3}) },
			func(db *gorm.DB) { db.Order("name").Find(&[]member{}) },
			func(db *gorm.DB) { var n int64; db.Model(&member{}).Count(&n) },
			func(db *gorm.DB) { db.Raw("SELECT name FROM members WHERE id = ?", 1).Scan(new(string)) },
			func(db *gorm.DB) { db.Where("broken").Find(&[]member{}) },
		} {
			read(p.DB)
			read(h.DB)
			require.Equal(t, plainSeen(), cachedSeen())
			require.Equal(t, plainLog.take(), cachedLog.take())
		}
	}
}

// traces is a logger that remembers what was traced.
type traces struct {
	logger.Interface
	mu  sync.Mutex
	all []string
}

func (l *traces) LogMode(logger.LogLevel) logger.Interface { return l }
func (l *traces) Info(context.Context, string, ...any)     {}
func (l *traces) Warn(context.Context, string, ...any)     {}
func (l *traces) Error(context.Context, string, ...any)    {}

func (l *traces) Trace(_ context.Context, _ time.Time, fc func() (string, int64), err error) {
	text, rows := fc()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, fmt.Sprint(text, rows, err))
}

func (l *traces) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := strings.Join(l.all, "\n")
	l.all = nil
	return s
}
