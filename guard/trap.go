package guard

import "github.com/stackhop/stackhop"

// Install installs the growth trap, once for the process. New and NewPool do so
// as needed, and ctx for a task on a stack that grows. A second Install does
// nothing. The error is a *TrapError.
func Install() error {
	if stackhop.GrowthEnabled() {
		return nil
	}
	stackhop.NoteFaults(describe)
	if err := stackhop.EnableGrowth(overflow); err != nil {
		return &TrapError{err}
	}
	return nil
}

// Remove takes the trap away again. No stack that grows may be in use: the next
// growth of one would be a fatal fault. The error is a *TrapError if another
// handler was installed since; the trap stays then.
func Remove() error {
	if err := stackhop.DisableGrowth(); err != nil {
		return &TrapError{err}
	}
	return nil
}

// Installed reports whether the trap is there.
func Installed() bool { return stackhop.GrowthEnabled() }

// Rearm closes the reserve of the current coroutine's stack, which an overflow
// that it has recovered from has opened. See the package's doc for who needs it.
// In the deferred call that recovers it does nothing, since the frames of the overflow
// are still there: call it in the function to which that returns. A caller that is in the
// reserve itself keeps what it has of that, and its next call panics. Elsewhere Rearm does nothing.
func Rearm() {
	if c := stackhop.Current(); c != nil {
		c.Rearm()
	}
}

// Stats returns what the trap has done in this process.
func Stats() stackhop.GrowthCounts { return stackhop.Growth() }
