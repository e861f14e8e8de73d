// Package release stores words with release order: whoever loads one atomically
// and sees what was stored also sees all that was stored before.
//
// On linux/amd64 that is a plain store: every store has release order there
// (TSO), and the compiler keeps the order of stores. An atomic one would be an
// XCHG, which waits for the store buffer: as dear as a switch. A later load may
// be done before such a store; where that matters, package resume has a barrier
// for the other side, which is why other systems do not get the plain one.
// Elsewhere, and under the race detector, the stores are atomic and sequentially
// consistent (The Go Memory Model).
package release
