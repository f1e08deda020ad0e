package history

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Now returns the moment, on a clock that all processes of the machine share and nobody sets.
func Now() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // exists
	return t.Nano()
}

// A Recorder is one goroutine's. What has been recorded of writes outlives the process, whenever it is killed; of the latest
// reads, some may be lost.
type Recorder struct {
	file    *os.File
	process uint16
	nonce   uint64
	buf     []byte
	err     error
}

const (
	opSize   = 40
	buffered = 100 * opSize
)

// NewRecorder returns a recorder with a file of its own in the folder. Process and goroutine together are unique in a run.
func NewRecorder(dir string, process uint16, goroutine int) (*Recorder, error) {
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d-%d.ops", process, goroutine)))
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	// 63 bits: a nonce fits a BIGINT. The clock tells apart what one goroutine records in several files.
	nonce := uint64(process)<<47 | uint64(goroutine&0x1F)<<42 | uint64(Now()/1e6)&0x3FFFFF<<20
	return &Recorder{file: f, process: process, nonce: nonce, buf: make([]byte, 0, buffered)}, nil
}

// Read records that a read which began then returned something now.
func (r *Recorder) Read(kind Kind, key Key, version int32, nonce, digest uint64, began, ended int64) {
	r.add(Op{
		Kind: kind, Key: key, Version: version, Nonce: nonce, Digest: digest, Began: began, Ended: ended, Process: r.process,
	})
	if len(r.buf) >= buffered {
		r.flush()
	}
}

// Begin records that a write begins, and returns its nonce.
func (r *Recorder) Begin(key Key) uint64 {
	r.nonce++
	r.add(Op{Kind: Began, Key: key, Version: Unknown, Nonce: r.nonce, Began: Now(), Ended: Never, Process: r.process})
	r.flush() // before anybody can read it
	return r.nonce
}

// End records what became of the write that began last.
func (r *Recorder) End(key Key, nonce uint64, version int32, outcome Outcome) {
	r.add(Op{
		Kind: Ended, Key: key, Version: version, Nonce: nonce, Outcome: outcome, Ended: Now(), Process: r.process,
	})
	r.flush()
}

// Close writes what is left, and returns the first error that there was.
func (r *Recorder) Close() error {
	r.flush()
	if err := r.file.Close(); r.err == nil {
		r.err = err
	}
	return r.err
}

func (r *Recorder) add(o Op) {
	b := r.buf
	b = binary.LittleEndian.AppendUint64(b, uint64(o.Began))
	b = binary.LittleEndian.AppendUint64(b, uint64(o.Ended))
	b = binary.LittleEndian.AppendUint64(b, o.Nonce)
	b = binary.LittleEndian.AppendUint64(b, o.Digest)
	b = binary.LittleEndian.AppendUint32(b, uint32(o.Key))
	// 40 bytes leave 4 for the rest: versions are small
	b = append(b, byte(o.Version), byte(o.Version>>8), byte(o.Version>>16), byte(o.Kind)<<4|byte(o.Outcome))
	r.buf = b
	_ = o.Process // in the name of the file
}

func (r *Recorder) flush() {
	if _, err := r.file.Write(r.buf); err != nil && r.err == nil {
		r.err = err
	}
	r.buf = r.buf[:0]
}

// Load returns all operations that were recorded in a folder. A write that did not end is in doubt.
func Load(dir string) ([]Op, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.ops"))
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	var ops []Op
	for _, name := range names {
		var process uint16
		var goroutine int
		if _, err := fmt.Sscanf(filepath.Base(name), "%d-%d.ops", &process, &goroutine); err != nil {
			return nil, fmt.Errorf("history: %s: %w", name, err)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		ops = decode(ops, data, process)
	}
	return ops, nil
}

// decode adds the operations of one goroutine. What was half written when the process was killed is not there.
func decode(ops []Op, data []byte, process uint16) []Op {
	begun := -1 // the write that has not ended
	for ; len(data) >= opSize; data = data[opSize:] {
		o := Op{
			Began: int64(binary.LittleEndian.Uint64(data)), Ended: int64(binary.LittleEndian.Uint64(data[8:])),
			Nonce: binary.LittleEndian.Uint64(data[16:]), Digest: binary.LittleEndian.Uint64(data[24:]),
			Key:     Key(binary.LittleEndian.Uint32(data[32:])),
			Version: int32(data[36]) | int32(data[37])<<8 | int32(int8(data[38]))<<16,
			Kind:    Kind(data[39] >> 4), Outcome: Outcome(data[39] & 0xF), Process: process,
		}
		switch o.Kind {
		case Began:
			o.Kind = Write
			begun = len(ops)
			ops = append(ops, o)
		case Ended:
			ops[begun].Version, ops[begun].Outcome = o.Version, o.Outcome
			if o.Outcome != InDoubt {
				ops[begun].Ended = o.Ended
			}
		default:
			ops = append(ops, o)
		}
	}
	return ops
}
