// Command probe is the smallest program that holds the runtime's coroutine
// types. Nobody runs it: its DWARF is read.
package main

import "iter"

func main() {
	next, stop := iter.Pull(func(yield func(int) bool) { yield(1) })
	defer stop()
	next()
}
