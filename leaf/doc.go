// Package leaf provides the calls that tasks wait in: those of locks, semaphores,
// events, condition variables, wait groups, channels and timers. Each suspends the
// calling task, at any depth of calls; the call that ends the wait, such as Unlock,
// resumes it.
//
//	type         waits in                ends the wait         twin
//	Mutex        Lock                    Unlock                sync.Mutex
//	RWMutex      Lock, RLock             Unlock, RUnlock       sync.RWMutex
//	Semaphore    Acquire                 Release               x/sync/semaphore
//	Event        Wait                    Set, Broadcast        a channel that is closed
//	Cond         Wait                    Signal, Broadcast     sync.Cond
//	WaitGroup    Wait                    Done, Add             sync.WaitGroup
//	Chan         Send, Recv              Recv, Send, Close     chan
//	Timer        Wait                    time                  time.Timer
//	             Sleep, Timeout          time                  time.Sleep, context.WithTimeout
//	             Await, AwaitFunc        a Go channel, a function that blocks
//
// They need no scheduler and know none: Unlock runs the waiter, on the goroutine
// that calls Unlock, as a plain call (R2, R3, R8 in docs/requirements.md). For a task
// with a home, which is its scheduler (see ctx.WithHome), Unlock queues the task there
// instead. So one lock may serve tasks of several schedulers, and of none, at the same
// time.
//
// Plain goroutines may make all these calls, too. They block where a task is
// suspended, and stand in the same line.
//
// # Errors and cancelling
//
// A call that waits returns an error when it could not: [ErrUnwinding] in a deferred
// call of a task that is being cancelled, [ErrThreadLocked] if the task has locked
// its OS thread. A call that finds what it asks for does not suspend, and succeeds
// even there.
//
// A task that is cancelled while it waits does not return from the call. It leaves
// the line, and those behind it move up. If it had been given what it waited for, but
// did not get to run, that goes on to the next in line: no lock stays locked, no
// permit, signal or value is lost.
//
// # Nesting
//
// Unlock, Send, Set and so on return when the waiter that they have resumed
// suspends again or ends. That may take as long as the waiter likes, so call them
// with nothing else in hand that others need at once; a task that has a home takes
// no time.
//
// Waiters that unlock in turn nest: A unlocks and runs B, which unlocks and runs C,
// and A goes on when B does. It needs no deep stack, because each of them is on its
// own: however many take part, there is one Unlock on the stack of each, and a task
// that waits for one it has resumed cannot be resumed again, so that none takes part
// twice. The order of effects is the order of hand-overs, last in first out
// on the way back. Only when goroutines on several threads race for the same lock may
// it happen that the call which has just parked a task resumes it on the same stack;
// the stack is back when the task really waits.
//
// # Memory
//
// Waiting allocates nothing once a primitive has had as many waiters before, up to
// 256, but for the node that it keeps for the task that waits there most: when that
// is another, a new one is made, less often each time. A Mutex has 128 bytes, an
// Event 104, a Chan 176 besides its buffer; each waiter 128. The first wait of a plain
// goroutine makes a Go channel, which later ones use.
//
// # testing/synctest
//
// In a bubble, plain goroutines block durably and timers follow the bubble's clock.
// A task of one bubble cannot be resumed from outside it: see [StrandedError].
// Timers and Go channels are not kept for the next call there, nor on the
// portable backend, so that calls that need one allocate.
//
// # Invariants
//
//	W1  Lists, counts, and nodes that somebody else may know are read and written under
//	    the guard of their queue, which is never held while a task is resumed.
//	W2  What a node was granted is its call's, whatever becomes of the task. If the
//	    call does not return, its Abandon gives it back; or whoever found the
//	    handle stale, if that is first. A node's state says whether it was done.
//	W3  A node belongs to one call. Whoever has kept a pointer to it from an earlier
//	    one sees that: Publish by its handle, which is used once (R6); who has woken
//	    it, and comes back because Resume failed, by the count of calls, which grows
//	    whenever the node is made known. If that is the same the task has not come
//	    back from this call, or it did so within that Resume. So the end of a call
//	    needs no guard, if it writes what these look at only if the node was known.
//	W4  Outside the guard there is no free lock, permit or value while the first in line
//	    could have it; one who is being cancelled counts until its deferred calls
//	    run or somebody gives something.
//	W5  While dry names a lane, there is nothing for those who might wait in it. To
//	    receive: no value, no sender, and the Chan is open. To send: no room, no
//	    receiver, and it is open. To lock: the Mutex is locked, and has its waiting
//	    bit. It is stored under the guard, by who has looked, or has made it untrue;
//	    so who reads it without, and sees what was so a moment ago, may have come
//	    then. Publish, with the guard, looks again.
//	W6  A bound node is for ever one of the task, or of that task's memory, whose key it
//	    has. Nobody else takes it, and a task makes one call at a time: while that is
//	    not published the node is the task's alone, without a guard. A task that comes
//	    to have the key of one that has ended loads what that stored last: bound.
//	W7  Each node of a Chan is the head of a cell with a value of the Chan's type.
package leaf
