// The network loop, [Net], serves Linux by epoll; elsewhere [NewNet] returns an
// error that matches errors.ErrUnsupported.
//
// # Invariants
//
// What the unsafe parts rely on, cited as SAFETY(Nn):
//
//   - N1: memory is given to the system in the argument list of the very call,
//     by the address of a slice's first element; so the compiler keeps it alive
//     and in place, and the system does not touch it after the call.
//   - N2: a word that holds a *resume.Slot is loaded and stored as the pointer that it
//     is, of the same type, so that the collector sees it.
package sched
