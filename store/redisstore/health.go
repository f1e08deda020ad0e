package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/store"
)

const (
	// maxFailures is how many steps in a row have to fail on a server of a Cluster before it is not asked any more.
	maxFailures = 5
	// firstPause is, after n failures in a row, the nth part of how long it is then not asked; maxPause, the most.
	firstPause, maxPause = 50 * time.Millisecond, 2 * time.Second
)

// errSilent is the error of a step of which a server was not asked.
var errSilent = fmt.Errorf("%w: a server of the Cluster has stopped answering", store.ErrUnavailable)

// A health says whether a server of a Cluster answers. The others must not suffer for one that does not: who has to tell
// them of a write must not be kept from it, nor wait for that one each time. Of a store that is one server, package breaker
// says it.
type health struct {
	failures atomic.Int64 // in a row
	again    atomic.Int64 // when it may be asked again, in nanoseconds since 1970
}

// ask reports whether the server may be asked. Of one that does not answer, it may be asked by one step after each pause.
func (h *health) ask(now time.Time) bool {
	failures := h.failures.Load()
	if failures < maxFailures {
		return true
	}
	again := h.again.Load()
	return now.UnixNano() >= again && h.again.CompareAndSwap(again, now.Add(pause(failures)).UnixNano())
}

// saw takes notice of what became of a step. It reports whether the server has now stopped answering, or answers again.
func (h *health) saw(err error, now time.Time) (silent, again bool) {
	_, answered := errors.AsType[redis.Error](err)
	switch {
	case err == nil || answered:
		return false, h.failures.Swap(0) >= maxFailures
	case errors.Is(err, context.Canceled), errors.Is(err, store.ErrShared):
		return false, false // its caller has gone; another one tells
	}
	failures := h.failures.Add(1)
	if failures >= maxFailures {
		h.again.Store(now.Add(pause(failures)).UnixNano())
	}
	return failures == maxFailures, false
}

func pause(failures int64) time.Duration { return min(time.Duration(failures)*firstPause, maxPause) }
