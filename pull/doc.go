// Package pull stands in for iter.Pull and iter.Pull2, with the same contract
// and a switch that costs a fraction.
//
//	function              the iterator's stack                  at the end
//	Pull, Pull2           the Go runtime's; grows               freed
//	PullFrom, Pull2From   from a pool of mapped stacks; fixed   back to the pool
//	PullOn, Pull2On       the caller's; fixed                   the caller's again
//
// Pull is the one to replace iter.Pull with: it takes iterators of any depth,
// and runtime.NumGoroutine counts as with iter.Pull. PullFrom and PullOn keep a
// parked goroutine with each stack, so that the next iterator starts sooner and
// a program's stacks lie where it wants them; in return the stack is as large as
// it is, and running off its end is fatal.
//
// Where the kernel's assembly does not serve (see stackhop.Backend), and in a
// testing/synctest bubble, all of them are iter.Pull and iter.Pull2 themselves.
//
// # The contract, where iter's documentation is silent
//
// It is that of iter.Pull to the letter, tested side by side: also for a panic
// in a deferred call of a Goexit, yield kept and called late, or an iterator
// that calls stop. Differences:
//
//   - Messages of misuse begin with "pull.".
//   - An iterator that yields or ends with its OS thread locked is a fatal error
//     of the runtime with iter.Pull. Here it gets, or next gives, a panic with
//     *stackhop.ThreadLockError.
//   - Next and stop may be called under another thread lock than Pull was, by
//     the main goroutine in and after package initialisation for instance. With
//     iter.Pull that is fatal.
//   - Next and stop called in another testing/synctest bubble than Pull was panic
//     with stackhop.ErrBubble, and can be called again in the right one.
//
// An iterator is on a goroutine of its own, as with iter.Pull: pulled from by a
// task of package ctx, it is not on that task, and cannot suspend it.
//
// An iterator dropped without stop is a bug, with iter.Pull as well: its
// goroutine stays for ever, and so do its stack and what that refers to. Nothing
// collects it, since a parked goroutine is a root of the collector.
//
// # Invariants
//
// This package has no unsafe Go code; the assembly in tail_amd64.s relies on:
//
//	L1  A core is followed in memory by its values.
//	L2  A core's shape describes these values, or is shapePlain.
//	L3  leave and leaveTrue are called by functions that the compiler cannot
//	    inline: each has a frame of its own, and BP points to it.
//	L4  A stack is given back once, by the owner, when its coroutine is done.
package pull
