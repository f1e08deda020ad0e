package world

import (
	"syscall"
	"time"
)

// pause sleeps on a thread of its own: the timers of Go, on a machine that has nothing else to do, wait for whole
// milliseconds.
func pause(d time.Duration) {
	if d <= 0 {
		return
	}
	left := syscall.NsecToTimespec(d.Nanoseconds())
	for syscall.Nanosleep(&left, &left) != nil { // interrupted: the rest
	}
}
