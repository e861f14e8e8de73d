package stackhop

import "errors"

// ErrGrowth is the sentinel that every *GrowthError matches.
var ErrGrowth = errors.New("stackhop: stacks cannot grow in place")

// ErrGrowthOff: New on a Region that grows, before EnableGrowth.
var ErrGrowthOff = errors.New("stackhop: this region grows in place: call EnableGrowth first")

// A GrowthError says why the growth trap cannot be used or not be taken away.
// It matches ErrGrowth.
type GrowthError struct{ Why string }

func (e *GrowthError) Error() string { return "stackhop: stacks cannot grow in place: " + e.Why }

// Is reports whether target is ErrGrowth.
func (e *GrowthError) Is(target error) bool { return target == ErrGrowth }

// An Overflow is a call that did not fit on the stack of the current coroutine.
type Overflow struct {
	Region Region
	PC     uintptr // in the function that was called
	Size   uintptr // bytes that the body may use, all of which were used or asked for
}

// GrowthCounts counts what the growth trap has done in this process.
type GrowthCounts struct {
	Grown      uint64 // windows widened
	Overflowed uint64 // panics begun
	Stepped    uint64 // calls that no panic may replace, made in a reserve
	Forced     uint64 // panics begun in place of such a call, for want of room
}
