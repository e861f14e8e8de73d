// Package nettest has tests of sched.Conn that golang.org/x/net/nettest has for
// any net.Conn. It is a module of its own.
package nettest
