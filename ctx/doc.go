// Package ctx has tasks: functions that run on stacks of their own, started at
// once, suspended from any depth of calls, and continued as an ordinary call by
// whoever holds the handle of the suspension.
//
//	          Spawn                leaf suspends              handle or owner resumes
//	(none) ─────────▶ running ───────────────────▶ suspended ─────────────────────────▶ running
//	                   │   ▲                           body returns ─▶ done, Err nil
//	  resumes another  │   │ that one suspends         panics       ─▶ done, *PanicError
//	                   ▼   │ or ends                   Goexit       ─▶ done, ErrGoexit
//	                  waiting
//
// [Spawn] runs the body on the calling goroutine until it first suspends or
// ends (R1). There is no scheduler, no queue and no goroutine in the background.
// A body that suspends by [Suspend] gives out a [resume.Handle]; one that
// suspends by [Task.Yield] is in the hands of its owner, who has [Task.Resume].
//
// A task runs as itself: its own goroutine identity, defers and panics, and
// the profiler labels of the goroutine that spawned it. It may block in
// channels, locks and system calls; who resumed it waits meanwhile. Any
// goroutine may resume it, one at a time.
//
// A panic that a body does not recover ends the task, not its resumer: the owner
// finds a [PanicError]. runtime.Goexit, and so testing.T.FailNow, ends the task
// only.
//
// # Storage
//
//	option             stack                                    freed
//	none               64 KiB from mmapstack.Default            to its pool, at the end of the task
//	WithStackSize      the same, of that size                   likewise
//	WithStack          the caller's: own, static or carved      by the caller, after the end
//	WithNativeStack    the runtime's, which grows               kept for the next such task
//
// A stack keeps its coroutine when its task ends, so that the next task on it
// starts without an allocation. The [Task] itself is an allocation of 128
// bytes, unless the owner of an earlier one said by [Task.Free] that it is no
// longer in use. Idle coroutines on the runtime's stacks are kept up to a number
// of 256; of others, mmapstack decides.
//
// The portable backend (see stackhop.Backend) runs all tasks on stacks of the
// runtime. It maps no memory, but checks what the options say, and marks a
// caller's stack as in use.
//
// Inside a testing/synctest bubble a task gets a stack of the runtime and a
// coroutine that nobody uses after it: a goroutine never leaves its bubble.
//
// # Invariants
//
//	T1  An identity has one owner at a time: the task that runs on it, else the
//	    list or the stack that keeps it. Only the owner reads or writes its fields.
//	T2  A Task serves again only after Free, on the identity that it last ran on;
//	    its slot's generation goes on, so that old handles stay stale (R6).
//	T3  A stack goes back when its last frame is gone, and before Done is true.
package ctx
