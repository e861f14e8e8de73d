// Package join waits for several tasks at once.
//
//	combinator          returns when                      the others are
//	All, Each           all have ended, or one failed     cancelled when one fails
//	Any                 the first has ended               cancelled
//	Race                the first has ended without error cancelled
//	Select              the first of its arms has ended   cancelled, or no longer waited for
//	Within a Scope      its function and its arms ended   cancelled when one fails
//
// The bodies, called arms here, run as tasks. They start one after another in the
// order given, and each runs to its first suspension (R1 in docs/requirements.md). If
// an arm has not ended then, the caller waits: a task suspends, a plain goroutine
// blocks. The caller does not drive the arms: the holder of an arm's handle resumes
// it, and the last arm to end continues the caller (R8). When the combinator returns
// or unwinds, every arm has ended.
//
//	won, err := join.Select(
//		join.Body(work),         // a func(*ctx.Task) error
//		join.Recv(lines, &line), // a Go channel, a string
//		join.After(time.Second))
//
// # Cancelling
//
// Arms are children of the calling task in the cancel tree: if it is cancelled
// while it waits, the arms unwind first, last started first, then the caller,
// from inside the combinator, which does not return. An arm that runs on another
// thread unwinds when it next suspends, and the caller after it.
//
// A caller that was asked to end, and has not suspended since, unwinds when it
// calls a combinator. In a deferred call of a caller that unwinds already, arms
// that end at once are fine. If one does not, all are cancelled, and the
// error is cancel.ErrUnwinding. The same happens with a *stackhop.ThreadLockError if
// the caller has locked its OS thread.
//
// # Context
//
// An arm's ctx.Task.Context is the calling task's, with its values and its
// deadline, and is done when the arm is cancelled or has ended. An arm of a Scope
// that is started with ctx.WithContext has that one instead.
//
// # How arms end
//
// A body's error is the arm's. An arm that panics ends with a *ctx.PanicError,
// which the combinator returns like any other error: the caller does not panic.
// One ended by runtime.Goexit has ctx.ErrGoexit, one that somebody cancelled
// a *cancel.Error. Errors of ctx.Spawn, for want of memory say, count as the arm's.
//
// A body's task is lent to it: nobody may use it after the body has returned, since
// it serves again. (Handles may be kept; they are stale.)
//
// # Storage
//
// Arms run on stacks of the runtime, or with a [Size] on mapped stacks as
// ctx.WithStackSize gives them. If the calling task is on a strict stack
// (ctx.WithStrictStack) and has room for a Size to spare, the arms' stacks are carved
// from its own, and given back when the combinator ends; an arm that has ended
// at once leaves its stack to the next. Carved stacks have no guard pages: the
// check in the prologue of every Go function guards them, and an overflow ends
// the process. From a stack that grows, or is the runtime's, nothing can be carved.
//
// A join of arms that suspend allocates nothing in steady state, but for Recv, After
// on its first use, and Task.
//
// # Invariants
//
//	J1  A group's word changes by compare-and-swap, but for the parent's call of
//	    open. It counts the arms that have not ended.
//	J2  Whoever counts an arm down touches neither arm nor group after that, unless
//	    it has taken a waiting bit with it: the parent does not go on until it has been
//	    continued then.
//	J3  A group is pooled for ever, never cleared: a Publish that comes too late
//	    takes its lock, finds its handle stale, and leaves it.
//	J4  The handle under a parked bit is written before the bit is set, and not again
//	    while an arm may read it: there is one for each of the two waits.
package join
