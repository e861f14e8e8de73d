// Package offsets reads the layout of the Go runtime's g, m, p, sudog, coro, _func and moduledata, and a few
// of the runtime's constants, from the DWARF of a Go executable.
//
// The generator of the kernel's layout files and the test that guards them
// both read through this package, so they can't disagree about what a name
// means.
package offsets
