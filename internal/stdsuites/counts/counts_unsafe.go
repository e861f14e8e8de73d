//go:build unix

// Package counts is what the processes of a test binary and command stdsuites
// share: counters that lie in a file, so that they outlive a process that dies.
package counts

import (
	"bytes"
	"encoding/binary"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Environment variables that command stdsuites sets for a test binary, and that
// the processes which it starts inherit.
const (
	EnvMode   = "STDSUITES_MODE"   // the storage of tasks; empty: plain goroutines
	EnvCounts = "STDSUITES_COUNTS" // the file of the counters, which Create made
	EnvNotes  = "STDSUITES_NOTES"  // a file for what the counters do not tell
)

// Counters are of goroutines, and of the tasks that run their functions.
type Counters struct {
	Ran        atomic.Int64 // tasks that ran
	Refused    atomic.Int64 // tasks that did not start: their goroutines ran without one
	Goexits    atomic.Int64 // tasks that ended by runtime.Goexit
	Panics     atomic.Int64 // tasks that ended by a panic
	Locked     atomic.Int64 // tasks that ended with their thread locked
	Overflowed atomic.Int64 // tasks that ended by an overflow of their stack
}

// Totals are the values of Counters.
type Totals struct{ Ran, Refused, Goexits, Panics, Locked, Overflowed int64 }

const size = int(unsafe.Sizeof(Counters{}))

// Create makes the file, with all counters 0.
func Create(path string) error { return os.WriteFile(path, make([]byte, size), 0o666) }

// Map returns the counters of the file, for as long as the process lives.
func Map(path string) (*Counters, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	page, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	// SAFETY(C1): the mapping has size bytes, begins at a page, and is never unmapped.
	return (*Counters)(unsafe.Pointer(unsafe.SliceData(page))), nil
}

// Read returns the values in the file.
func Read(path string) (t Totals, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return t, err
	}
	return t, binary.Read(bytes.NewReader(data), binary.NativeEndian, &t)
}
