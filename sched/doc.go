// Package sched provides schedulers: they decide when, and on which goroutine, a
// suspended task continues. The packages below know of no scheduler.
//
//	Loop   one goroutine, in order, with timers
//	Pool   several goroutines that take work from each other
//	Net    one goroutine, and sockets on which tasks wait
//
// A process may have any number of each (R3). A [Scheduler] is anything with the
// method Post, which queues a resume.Handle; a program may have its own.
//
// # Where a task continues
//
// Without a scheduler a task continues where it is resumed: a lock's Unlock runs
// the waiter at once, on the goroutine that called Unlock. There are three ways to
// choose another goroutine:
//
//	a home          The scheduler of a task that Loop.Go or Pool.Go started, that
//	                ctx.WithHome named, or that On moved. After each wait the task
//	                continues there, whichever goroutine ended the wait.
//	Via(s, h)       A resume.Resumer to be stored instead of the handle h: its Resume
//	                queues h on s. It holds for one wait of one task.
//	Post, Publish   Both queue a handle on s now.
//
// So one lock may serve tasks of several schedulers, and tasks of none, at the same
// time. A task with a home owns the lock from the moment that it is handed over,
// while it still waits in its scheduler's queue. If it is cancelled there, it
// unwinds at once and passes the lock on; its handle in the queue is stale.
//
// A scheduler drops a handle that is stale when its turn comes, and counts it in
// [Stats]. It keeps a handle that its goroutine cannot resume, as a [Refusal].
//
// # What blocks
//
// A Loop and a Net have one goroutine for all their tasks. A call that suspends a
// task lets the others continue: the waiting calls of packages leaf and join, of this
// package, and of a Conn, at any depth. A call that blocks the goroutine does not: a
// lock, a Once or a WaitGroup of package sync, a Go channel, time.Sleep, a file, cgo.
// Until it returns, no other task of the Loop or Net continues. If it waits for one of
// them, or for a message that the same Net is to deliver, it waits for ever.
//
// Libraries have such calls inside. An http.Client waits in channels for goroutines of its
// own, which read from its connections. A tls.Conn holds a sync.Mutex while it reads, and
// another while it writes or shakes hands: a second task that locks it blocks the
// goroutine that the first task needs in order to continue. So does a sync.Once
// with a function that suspends.
//
// What to do instead: call such a library in leaf.AwaitFunc, which suspends the task
// while a goroutine makes the call; or call it from a plain goroutine, which a call of a
// Conn blocks as one of package net does; or use the locks of package leaf.
// docs/recipes.md has an HTTP client, HTTP servers, and TLS. For code that cannot be
// changed, HandOver lets another goroutine take the scheduler over.
//
// A scheduler that has stayed with one task for five seconds, while something else
// waits for its turn, is reported by package log, with the task and the stack of the call
// that blocks. OnStall sets another time and a function to call instead. See [Stall].
//
// # Errors of tasks
//
// Go returns no *ctx.Task. So the panic of a task that Go started is given to the
// function of OnFailure; without one, the next Loop.Run, Loop.Drain, Loop.RunUntilIdle,
// Pool.Wait or Pool.Close returns it. A task that is cancelled, or that ends by
// runtime.Goexit, has not failed.
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
// look, with type lookout; R1 to R3, which goroutine runs a scheduler that is handed over, with
// type relay.
package sched
