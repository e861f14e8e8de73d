// Stackhop shows, times and explains the coroutines of
// github.com/stackhop/stackhop on the machine it runs on.
//
//	stackhop demo            the main ideas, running
//	stackhop bench [-json]   times, heap and memory, beside iter.Pull, channels and goroutines
//	stackhop doctor          which backend runs here, and why
package main
