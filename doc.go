// Package stackhop is the switch kernel of stackful coroutines for Go: it runs
// ordinary Go functions on stacks that the caller provides, and swaps between
// them in a few nanoseconds.
//
// Most programs want a package above it: ctx for tasks that locks and
// schedulers suspend and resume, pull for fast iterators. The kernel alone is
// for those who build their own.
//
// A [Coro] is a goroutine of the Go runtime that waits except while it is
// switched to, so collection, panics, defers, profiles and traces see what they
// expect. On linux/amd64 and linux/arm64 with Go 1.25 to 1.27 the switch is
// assembly ("asm"); on every other target, and in race, msan and asan builds,
// a goroutine and channels do the same work more slowly ("portable"). [Backend]
// says which one runs, and why.
//
// The package starts no goroutine of its own accord, allocates nothing in a
// switch, and does nothing at import.
//
// # Invariants
//
// What the unsafe parts rely on, cited as SAFETY(Kn):
//
//   - K1: fields of g, m and coro are reached through the constants of the
//     running release's layout file alone, which a test holds against DWARF,
//     and by assembly or nocheckptr functions.
//   - K2: a discovered address is used only after its self-check.
//   - K3: while a body is on a region, the frame of its main loop, at the base
//     of that region, keeps its Coro alive.
//   - K4: between the flag checks of a switch and its jump no stop-the-world can
//     complete: assembly is no asynchronous safe point.
//   - K5: a parked g is exactly as runtime.coroswitch leaves it, but for the
//     window g.stack, which ends above the body's frames and begins at sp,
//     instead of [Lo, Hi). Whoever makes it run gives it the wide one first.
//   - K6: while a g is in state copystack, the thread that copies its stack is the
//     only one to look at its stack, window and sudogs; and the stack that
//     copystack has allocated is nobody's yet.
//   - K7: on a stack of the runtime a body's frames lie below that of nativeBase,
//     which stays where it is, as seen from g.stktopsp; and below it no deferred
//     call but mainLoop's is pending when that one runs last.
package stackhop
