// Package fuzz holds a model of tasks, handles, transfers, cancels and joins,
// and random programs that run on both the model and the library. It has no code
// of its own.
//
// The model is a state machine: no goroutines, no switches, no panics. A
// program is a main script and up to a dozen others, which serve as bodies of
// tasks, as deferred calls and as publish functions. Both sides note every
// effect (who did what, and what came of it), and the notes must be equal.
// After its script, main cancels what is left; every task must have ended then.
//
//	TestRandomProgramsAgree  programs drawn by rapid, which shrinks what fails
//	FuzzProgram              any bytes are a program: all operations
//	FuzzHandles              the same, mostly suspensions, resumes and transfers
//	FuzzCancelTree           the same, mostly parents, children and cancels
//	FuzzJoins                the same, mostly combinators
//	FuzzOverflow             no model: what the levels of a recursion without end do
//
// The native fuzzer takes small differences of coverage, of which pools and
// collections make many, for interesting, and spends a minute on making each such
// program smaller. So: go test -fuzz FuzzProgram -fuzzminimizetime 1x ./fuzz. What
// it finds is printed as a program; rapid makes what it finds smaller.
//
//	program_test.go       what a program is, its bytes and its printed form
//	machine_test.go       the model: actors and the machine that steps them
//	frames_test.go        Go's rules of deferred calls, panics and Goexit
//	do_test.go            the operations
//	tasks_test.go         spawn, suspend, resume, transfer
//	ends_test.go          ends, waiters, children that are left
//	cancel_model_test.go  the cancel tree
//	joins_model_test.go   All, Any, Race
//	library*_test.go      the same operations by the library
//
// # What is expected where other documents are silent
//
// Cancel:
//
//   - A cancel marks the target and all below it at once, then unwinds what is
//     suspended: children before parents, the one started last first. What runs
//     holds up only its ancestors, not its siblings.
//   - A suspended task that has to wait for a child is parked for good: its
//     handle is stale, and Resume answers ErrUnwinding. It unwinds when the last
//     child has ended, by whoever ran that, after all else that this end leads to.
//   - A task that was asked to end unwinds at its next suspension, which
//     publishes nothing, on the side of its resumer: after what is suspended
//     below it. A transfer still runs its target, after that.
//   - A task that was asked and returns, panics or exits first ends as if it had
//     not been asked.
//   - Below a task that was asked, or whose body is over, no child starts: Spawn
//     answers the CancelError.
//   - Cancel of a task that unwinds answers ErrCancelPending until it is done.
//
// Ends:
//
//   - A body that is over cancels the children it leaves, with cause
//     ErrParentEnded, on its own stack, and its task is done after them. A cancel
//     meanwhile does not change how it ended.
//   - When a task is done, these go on, in this order: its parent, if that has
//     awaited it as its last child; whose handle TaskEnded answers; those who
//     Wait, first come first served; its parent, if that has to unwind. Each is
//     taken before the one before it runs, and the last runs in the place of
//     the task that ended.
//   - Wait of a task that is done answers at once, also to one that unwinds.
//
// Transfers: the publish function of a transfer runs on the side of the target,
// before that goes on.
//
// Joins: a combinator is a suspension of its caller as far as a cancel is
// concerned, also when nothing is left to wait for. In a deferred call of a task
// that unwinds, arms are no children; when one does not end at once, all are
// cancelled, and the result is ErrUnwinding.
//
// Programs keep to these rules, because the library asks for them: a publish
// function does not suspend the task that it runs on, and does not panic; nobody
// frees a task that others wait for; and an arm of a join, which the join
// frees, is waited for by nobody else, and cancelled only by itself and those below
// it, who keep it from its end.
package fuzz
