// Package ctx provides tasks. A task is a function on a stack of its own. Spawn runs
// it at once; it may suspend at any depth of calls; and an ordinary call continues it:
// Resume of the handle that stands for the suspension.
//
//	          Spawn                leaf suspends              handle or owner resumes
//	(none) ─────────▶ running ───────────────────▶ suspended ─────────────────────────▶ running
//	                   │   ▲                           │ Cancel
//	  resumes another  │   │ that one suspends         ▼
//	                   ▼   │ or ends               unwinding ─▶ done, *CancelError
//	                  waiting
//	  body returns ─▶ done, Err nil      panics ─▶ done, *PanicError      Goexit ─▶ done, ErrGoexit
//
// [Spawn] runs the body on the calling goroutine until it first suspends or
// ends (R1 in docs/requirements.md). There is no scheduler, no queue and no goroutine
// in the background. A body that calls [Suspend] gives out a [resume.Handle], which
// continues it. A body that calls [Task.Yield] is continued by its owner, the caller
// of Spawn, with [Task.Resume]. A leaf is the innermost call of a suspended task, such
// as the Lock of a leaf.Mutex.
//
// A task has its own goroutine identity, defers and panics, and the profiler labels
// of the goroutine that spawned it. It may block in channels, locks and system calls;
// its resumer waits meanwhile. Any goroutine may resume it, one at a time.
//
// A panic that a body does not recover ends the task, not its resumer: Task.Err
// returns a [PanicError]. runtime.Goexit, and so testing.T.FailNow, ends the task
// only. A body that ends with its OS thread locked (runtime.LockOSThread) ends the
// thread too, and its resumer continues on another thread.
//
// # Cancelling
//
// [Task.Cancel] ends a task from outside, or from its own body: it unwinds the
// stack, which means that every deferred call runs, innermost first. No recover stops
// it. It is runtime.Goexit on the task's own goroutine identity.
//
//	the target is                        Cancel                                    returns
//	suspended                            its handles go stale; unwinds it now      nil
//	suspended, with suspended children   the children first, last started first    nil
//	suspended, a child runs elsewhere    marks both; each unwinds when the child   ErrCancelPending
//	                                     suspends or ends
//	running: itself, or elsewhere        marks it; it unwinds at its next          ErrCancelPending
//	                                     suspension, or in cancel.Here
//	waiting, below the caller            marks it and its descendants, the caller  ErrCancelPending
//	                                     too if it is one; inner ones unwind first
//	unwinding                            nothing; the first cause stays            ErrCancelPending
//	done                                 nothing                                   nil
//	made by New, not begun               frees it; the body never runs             nil
//
// [WithParent] makes the tree. A deferred call that would suspend during an
// unwinding gets cancel.ErrUnwinding from [Task.Park], and so from leaf
// primitives, and a panic with it from Suspend and Yield: a teardown ends.
// [WithContext] and [Task.Context] tie tasks to contexts, in both directions.
//
// # Ways to leave
//
//	body calls          continued by           cannot suspend   for
//	Yield               the owner's Resume     panics           generators
//	Suspend, SuspendTo  the handle             panics           bodies
//	Park                the handle, then home  returns error    leaf primitives
//	TransferTo          the handle             returns error    hand-overs: another task runs instead
//	Wait                the end of a task      returns error    joins
//
// After Park and Wait a task goes home, if it has one (SetHome): to its scheduler.
// What is the user's own about a task can be a value in its context (WithContext).
//
// # Storage
//
//	option             stack                                        a call that does not fit
//	none               the runtime's, which grows                   as on a goroutine: ends the process, at debug.SetMaxStack
//	WithNativeStack    the same                                     likewise
//	WithStackSize      mapped and guarded, from guard.Default       ends the task: *guard.OverflowError
//	WithStrictStack    mapped and guarded, from mmapstack.Default   ends the process
//	WithPool           one of that pool                             as the pool's policy says
//	WithStack          the caller's: own, static or carved          as its policy says
//
// A stack keeps its coroutine when its task ends, so that the next task on it
// starts without an allocation. [SetIdleLimit] bounds what is kept on stacks of the
// runtime, in bytes; mmapstack decides about others; [RetireIdle] ends all that
// is idle. The [Task] itself is an allocation of 128 bytes, unless the owner of an
// earlier one said by [Task.Free] that it is no longer in use. A name, relatives, a
// home or an Ender make it 288; so do the first Cancel, Wait, Context or child, by
// an allocation of their own.
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
//	T4  A task has children only while it is running, waiting or suspended: an
//	    unwinding one has none left and gets no new ones, and one whose body is
//	    over awaits them before its frames go.
//	T5  A goroutine that sets extras, waits or more calls resume.Barrier and then looks
//	    at Done; the task's end looks at them after the word says done. So at least one
//	    of the two sees the other.
//	T6  A dump reads of an identity its task, atomically, and of the task the name
//	    and what has locks or is atomic. While it does, no Task serves again.
//	T7  Extras are made at the first need, by anybody, and stay the Task's. A task
//	    without them has never been asked to end, and is no relative of others: a
//	    cancel, or a new child, makes them first. Name, onEnd and home are
//	    set before the body begins, home then by the body only.
//	T8  serve runs on coroutines that are the first field of an identity, and on no
//	    others.
package ctx
