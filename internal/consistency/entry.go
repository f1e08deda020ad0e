package consistency

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"
	"unsafe"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// An Entry is one cached answer: its name, and what it depends on.
type Entry struct {
	Key  keying.Key
	Tags []keying.Tag
	// AbsentTags are what it depends on besides if it says that there is no such row.
	AbsentTags []keying.Tag
	// TTL is how long it may be served after the database was read; AbsentTTL, if it says that there is no such
	// row. Nothing is stored for a time that is not positive.
	TTL, AbsentTTL time.Duration
}

// A Result is what the database answered for one entry.
type Result interface {
	// Absent reports whether it says that there is no such row.
	Absent() bool
	// Append appends its encoding to b.
	Append(b []byte) ([]byte, error)
}

// A stamp is a token, without what a registry's carries besides, and the history of the dataset that it was read from.
// Both are random, so their exclusive or is the same for two stamps only if both are.
type stamp [stampSize]byte

const stampSize = store.TokenSize

// errToken says that what was found in place of a token is none. Somebody else has written there.
var errToken = errors.New("what is stored under a tag is not a token")

func stampOf(v store.Value) (stamp, error) {
	var s stamp
	if len(v.Data) < stampSize {
		return s, errToken
	}
	for i := range s {
		s[i] = v.Data[i] ^ v.History[i]
	}
	return s, nil
}

// An envelope is an entry as it is stored:
//
//	1 byte    version: 4, or 5 if the payload is encrypted
//	1 byte    1 if it says that there is no such row
//	1 byte    number of stamps
//	8 bytes   when the database was read, in milliseconds since 1970, little-endian
//	4 bytes   how many milliseconds it was to be served from then on, little-endian; all ones: that many, or more
//	4 bytes   how many microseconds the database took for it, the same way
//	16 bytes  each stamp, in the order of Entry.Tags, then Entry.AbsentTags if it says that there is no such row
//	4 bytes   CRC-32C of the entry's key, all of the above and the payload, little-endian
//	          the payload
//
// Of an encrypted one, what the Cipher makes of the payload stands for the last two. It is bound to the same.
type envelope struct {
	absent    bool
	encrypted bool
	span      span
	head      string // all of it before the checksum
	stamps    string
	payload   string // with the checksum
}

// A span is when an entry was read from the database, on the clock of the process that did so, how long it is served
// from then on, and how long the database took for it. No answer depends on it, but for those of relaxed reads: the store
// forgets entries by itself.
type span struct {
	read time.Time
	ttl  time.Duration
	cost time.Duration
}

const (
	plainVersion     = 4
	encryptedVersion = 5
	envelopeHead     = 19
	maxStamps        = 255
)

// crcTable makes the checksum that processors have an instruction for.
func crcTable() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// seal returns an entry as it is stored. It reuses b.
func (p *Protocol) seal(b []byte, key keying.Key, r Result, when span, stamps []stamp) ([]byte, error) {
	b = append(b, plainVersion, 0, byte(len(stamps)))
	if r.Absent() {
		b[1] = 1
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(when.read.UnixMilli()))
	b = binary.LittleEndian.AppendUint32(b, uint32(min(when.ttl.Milliseconds(), math.MaxUint32)))
	b = binary.LittleEndian.AppendUint32(b, uint32(min(when.cost.Microseconds(), math.MaxUint32)))
	for i := range stamps {
		b = append(b, stamps[i][:]...)
	}
	if p.cfg.Cipher != nil {
		return encrypt(p.cfg.Cipher, b, key, r)
	}
	at := len(b)
	b, err := r.Append(append(b, 0, 0, 0, 0))
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(b[at:], checksum(key, b[:at], b[at+4:]))
	return b, nil
}

// checksum tells an entry from one that was changed, and from one of another key that was put in its place.
func checksum(key keying.Key, head, payload []byte) uint32 {
	sum := crc32.Checksum(bytesOf(string(key)), crcTable())
	return crc32.Update(crc32.Update(sum, crcTable(), head), crcTable(), payload)
}

// open takes an entry apart. It answers false for anything that seal did not make; the payload's checksum is looked
// at by payload, when it is to be served.
func open(data string) (envelope, bool) {
	if len(data) < envelopeHead || data[0] != plainVersion && data[0] != encryptedVersion || data[1] > 1 {
		return envelope{}, false
	}
	end := envelopeHead + stampSize*int(data[2])
	if len(data) < end+4 {
		return envelope{}, false
	}
	head := []byte(data[:envelopeHead])
	at := span{
		read: time.UnixMilli(int64(binary.LittleEndian.Uint64(head[3:]))),
		ttl:  time.Duration(binary.LittleEndian.Uint32(head[11:])) * time.Millisecond,
		cost: time.Duration(binary.LittleEndian.Uint32(head[15:])) * time.Microsecond,
	}
	return envelope{
		absent: data[1] == 1, encrypted: data[0] == encryptedVersion, span: at,
		head: data[:end], stamps: data[envelopeHead:end], payload: data[end:],
	}, true
}

// intact returns the payload, unless bytes of it, of its head or of its key have changed.
func (e envelope) intact(key keying.Key) (string, bool) {
	want, payload := e.payload[:4], e.payload[4:]
	sum := uint32(want[0]) | uint32(want[1])<<8 | uint32(want[2])<<16 | uint32(want[3])<<24
	return payload, checksum(key, bytesOf(e.head), bytesOf(payload)) == sum
}

// bytesOf returns the bytes of a string, without a copy, for who only reads them.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// carries reports whether the n stamps from the first one on are these.
func (e envelope) carries(first int, stamps []stamp) bool {
	if len(e.stamps) < stampSize*(first+len(stamps)) {
		return false
	}
	for i := range stamps {
		at := stampSize * (first + i)
		if e.stamps[at:at+stampSize] != string(stamps[i][:]) {
			return false
		}
	}
	return true
}

// are reports whether its stamps are these, and no others.
func (e envelope) are(stamps []stamp) bool { return e.count() == len(stamps) && e.carries(0, stamps) }

// payload returns what an envelope holds for the entry, unless it is not one of this entry's, bytes of it have changed, or
// it is larger than what this process would store: then to decode it might take much memory.
func (p *Protocol) payload(e *Entry, sealed envelope) (string, bool) {
	want := len(e.Tags)
	if sealed.absent {
		want += len(e.AbsentTags)
	}
	switch {
	case sealed.count() != want, len(sealed.payload) > p.cfg.MaxEntry, sealed.encrypted != (p.cfg.Cipher != nil):
		return "", false
	case sealed.encrypted:
		return decrypt(p.cfg.Cipher, e.Key, sealed)
	default:
		return sealed.intact(e.Key)
	}
}

// count is the number of stamps.
func (e envelope) count() int { return len(e.stamps) / stampSize }

// joinStamps returns stamps as an envelope holds them.
func joinStamps(stamps []stamp) string {
	b := make([]byte, 0, stampSize*len(stamps))
	for i := range stamps {
		b = append(b, stamps[i][:]...)
	}
	return string(b)
}
