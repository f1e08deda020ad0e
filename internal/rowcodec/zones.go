package rowcodec

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// zones knows the time zones that were met. There are few: those of the session, and of the machine.
type zones struct {
	mu     sync.RWMutex
	marks  map[*time.Location]byte
	loaded map[zone]*time.Location
}

type zone struct {
	name   string
	offset int64
	iana   bool
}

// maxZones bounds what is remembered, and maxZoneName how long the names of those are.
const (
	maxZones    = 1024
	maxZoneName = 64
)

// mark says how a location is encoded: as local time, by its name, or as an offset.
func (z *zones) mark(loc *time.Location, t time.Time) (byte, error) {
	if loc == time.Local { //nolint:gosmopolitan // see decode
		return markLocal, nil
	}
	z.mu.RLock()
	mark, ok := z.marks[loc]
	z.mu.RUnlock()
	if ok {
		return mark, nil
	}
	name := loc.String()
	_, offset := t.Zone()
	switch {
	case isZone(loc, name):
		mark = markZone
	case reflect.DeepEqual(loc, time.FixedZone(name, offset)):
		mark = markOffset
	default:
		return 0, fmt.Errorf("%w: time zone %q", ErrUnsupported, name)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.marks == nil || len(z.marks) >= maxZones {
		z.marks = map[*time.Location]byte{}
	}
	z.marks[loc] = mark
	return mark, nil
}

// isZone reports whether a location is what its name stands for in the time zone database.
func isZone(loc *time.Location, name string) bool {
	if name == "" || name == "UTC" || name == "Local" {
		return false
	}
	loaded, err := time.LoadLocation(name)
	return err == nil && reflect.DeepEqual(loc, loaded)
}

// load returns the time zone of a name, or nil.
func (z *zones) load(name string) *time.Location {
	return z.remember(zone{name: name, iana: true}, func(name string) *time.Location {
		if name == "" || name == "UTC" || name == "Local" {
			return nil
		}
		loc, err := time.LoadLocation(name)
		if err != nil {
			return nil
		}
		return loc
	})
}

// fixed returns a zone that is an offset.
func (z *zones) fixed(name string, offset int64) *time.Location {
	return z.remember(zone{name: name, offset: offset}, func(name string) *time.Location {
		return time.FixedZone(name, int(offset))
	})
}

func (z *zones) remember(key zone, load func(name string) *time.Location) *time.Location {
	if len(key.name) > maxZoneName {
		return load(strings.Clone(key.name))
	}
	z.mu.RLock()
	loc, ok := z.loaded[key]
	z.mu.RUnlock()
	if ok {
		return loc
	}
	key.name = strings.Clone(key.name) // outlives the data that it is a part of
	loc = load(key.name)
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.loaded == nil || len(z.loaded) >= maxZones {
		z.loaded = map[zone]*time.Location{}
	}
	z.loaded[key] = loc
	return loc
}
