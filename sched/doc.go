// Package sched has schedulers as libraries: they decide when and where a
// suspended task goes on, and nothing below them knows of any.
//
//	Loop   one goroutine, in order, with timers
//	Pool   several goroutines that take work from each other
//	Net    one goroutine, and sockets on which tasks wait
//
// Any number of each may be in one process (R3). A [Scheduler] is whatever a
// handle can be posted to; a user's own needs that one method.
//
// # Where a task goes on
//
// Without a scheduler a task goes on where it is resumed: Unlock of a lock runs
// the waiter, there and then, on its own goroutine. To change that there is
//
//	a home          A task that Loop.Go or Pool.Go has started, or that On has moved,
//	                goes on there, whoever resumes it, from whatever leaf. No leaf
//	                knows of it: ctx.Task.Park does it.
//	Via(s, h)       What is stored in place of h: who resumes it puts h on s. One
//	                wait of one task goes on on s.
//	Post, Publish   A handle is put on s: now, by whoever holds it.
//
// So one lock serves tasks of several schedulers and tasks of none at the same
// time. A task with a home that is handed a lock has it already while it stands
// in its scheduler's queue. If it is cancelled there, it unwinds at once, its
// place in the queue is a stale handle, and the lock's waiting call, which does not
// return, passes the lock on.
//
// A handle that is stale in its turn is dropped and counted in [Stats]. One that
// cannot be resumed by the goroutine of the scheduler is kept, as a [Refusal].
//
// # What blocks
//
// A Loop and a Net have one goroutine for all their tasks. A call that suspends a
// task lets the others go on: those of packages leaf and join, of this package, and of a
// Conn, whatever the depth. A call that blocks the task's goroutine does not: a lock, a
// Once or a WaitGroup of package sync, a Go channel, time.Sleep, a file, cgo. Until it
// returns nothing else goes on. If it waits for what another task of the same Loop or Net
// is to do, for a message that is to come by the same Net, say, it waits for ever.
//
// Libraries have such calls inside. An http.Client waits in channels for goroutines of its
// own, which read from its connections. A tls.Conn holds a sync.Mutex while it reads, and
// another one while it writes or shakes hands: a second task that comes to such a lock
// blocks the goroutine that the first one needs in order to go on. So does a sync.Once
// whose function suspends.
//
// What to do: call such a library by leaf.AwaitFunc, which suspends the task while a
// goroutine makes the call; or from a goroutine, for which calls of a Conn block as those
// of package net do; or use locks of package leaf. docs/recipes.md has a client and a server
// of HTTP, and TLS. Where that cannot be, HandOver has another goroutine take over.
//
// A scheduler that stands still while something waits for its turn is reported:
// after five seconds, by package log, with the task and the stack of the call that
// blocks; or as OnStall says. See [Stall].
//
// # Errors of tasks
//
// Who calls Go gets no *ctx.Task to ask how it ended. So a panic of such a task
// is reported to OnFailure, or else returned by the next Loop.Run or Pool.Wait
// and its kin. Cancelled tasks, and those that end by runtime.Goexit, have not
// failed.
//
// # Cost
//
// Posting, yielding, sleeping and resuming allocate nothing once queues have
// grown; their memory is kept. Go allocates the *ctx.Task, which its body may
// keep for ever. No goroutine of this package spins when it has nothing to do.
// Tasks that start tasks on a Pool share no memory with other workers for it, unless
// these come for their work.
//
// # Invariants
//
// P1 to P4, why no worker sleeps while something is queued, are with type parking;
// C1 to C4, why Pool.Wait returns when the last task has ended, with type census;
// B1 to B3, how others see what a scheduler is at, with type beat; W1 and W2, when they
// look, with type lookout; R1 to R3, who runs a scheduler that is handed over, with type
// relay.
package sched
