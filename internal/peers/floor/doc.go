// Package floor times the barest context switch that Go assembly can make: stack
// pointer, frame pointer and program counter change places, and nothing is told
// to anybody. No coroutine of a Go program can be switched that way and survive
// a garbage collection; the figure is what a real switch is set beside.
//
// Both sides are assembly, within one frame of the calling goroutine, so neither
// the collector nor a preemption can find it half way.
package floor
