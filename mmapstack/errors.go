package mmapstack

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/stackhop/stackhop"
)

// Sentinels, each matched by the carrier named beside it.
var (
	ErrMap         = errors.New("mmapstack: the system refused memory")                           // *MapError
	ErrSize        = errors.New("mmapstack: size out of range")                                   // *SizeError
	ErrLimit       = errors.New("mmapstack: pool exhausted")                                      // *LimitError
	ErrBusy        = errors.New("mmapstack: still in use")                                        // *BusyError
	ErrOrder       = errors.New("mmapstack: not last in, first out")                              // *OrderError
	ErrMemory      = errors.New("mmapstack: memory cannot be a stack")                            // *MemoryError
	ErrClosed      = stackhop.ErrClosed                                                           // bare
	ErrIdle        = errors.New("mmapstack: the stack is idle in its pool; take one by Pool.Get") // bare
	ErrUnsupported = fmt.Errorf("mmapstack: no mapped stacks on this system; use stacks that the runtime owns: %w",
		errors.ErrUnsupported) // bare; matches errors.ErrUnsupported as well
)

// A MapError says which system call failed, for how much memory, and why. It
// matches ErrMap, and its Errno (syscall.ENOMEM, say).
type MapError struct {
	Op     string        // "mmap", "mprotect", "munmap"
	Stacks int           // how many stacks the call was to serve
	Size   int           // of one stack, in bytes
	Bytes  int           // of the call
	Errno  syscall.Errno // 0 if this package refused before the system could
	Remedy string        // what the reader can do; may be empty
}

func (e *MapError) Error() string {
	var b strings.Builder
	verb := "map"
	if e.Op == "munmap" {
		verb = "unmap"
	}
	noun := "stacks"
	if e.Stacks == 1 {
		noun = "stack"
	}
	fmt.Fprintf(&b, "mmapstack: cannot %s %d %s of %s: %s of %s", verb, e.Stacks, noun, bytesText(e.Size), e.Op, bytesText(e.Bytes))
	if e.Errno != 0 {
		fmt.Fprintf(&b, ": %v (errno %d)", e.Errno, int(e.Errno))
	}
	if e.Remedy != "" {
		b.WriteString(": " + e.Remedy)
	}
	return b.String()
}

// Is reports whether target is ErrMap.
func (e *MapError) Is(target error) bool { return target == ErrMap }

// Unwrap returns the Errno, or nil if there is none.
func (e *MapError) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// A SizeError says which value is out of which range. It matches ErrSize.
type SizeError struct {
	What     string // "stack size", "room to carve from", …
	Value    int
	Min, Max int
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("mmapstack: %s is %d, must be %d to %d", e.What, e.Value, e.Min, e.Max)
}

// Is reports whether target is ErrSize.
func (e *SizeError) Is(target error) bool { return target == ErrSize }

// A LimitError says that a pool has mapped as many stacks as it may and all
// are out. It matches ErrLimit.
type LimitError struct{ Max, Size int }

func (e *LimitError) Error() string {
	return fmt.Sprintf("mmapstack: all %d stacks of %s that the pool may map are out; put some back, or raise WithMax", e.Max, bytesText(e.Size))
}

// Is reports whether target is ErrLimit.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

// A BusyError says what still uses memory that was to be freed or carved. It
// matches ErrBusy, and Err if that is set.
type BusyError struct {
	Out int    // stacks that are out, for Pool.Close
	Why string // what to do about it
	Err error  // the refusal of an Occupant, of an evict hook's coroutine, or of a resizer; may be nil
}

func (e *BusyError) Error() string {
	s := "mmapstack: still in use: " + e.Why
	if e.Out != 0 {
		s = fmt.Sprintf("mmapstack: still in use: %d stacks are out: %s", e.Out, e.Why)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports whether target is ErrBusy.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// Unwrap returns Err.
func (e *BusyError) Unwrap() error { return e.Err }

// An OrderError says that a stack cannot be closed before those carved after
// it, or out of it. It matches ErrOrder.
type OrderError struct{ Later int } // how many must be closed first

func (e *OrderError) Error() string {
	return fmt.Sprintf("mmapstack: close the %d stacks first that were carved later", e.Later)
}

// Is reports whether target is ErrOrder.
func (e *OrderError) Is(target error) bool { return target == ErrOrder }

// A MemoryError says why memory given to Static cannot be a stack. It matches
// ErrMemory.
type MemoryError struct {
	Addr uintptr
	Len  int
	Why  string
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("mmapstack: memory at %#x, %s, cannot be a stack: %s", e.Addr, bytesText(e.Len), e.Why)
}

// Is reports whether target is ErrMemory.
func (e *MemoryError) Is(target error) bool { return target == ErrMemory }

// bytesText writes n in the largest unit that divides it.
func bytesText(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
