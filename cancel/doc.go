// Package cancel keeps the tree of cancel requests: which targets are asked to end,
// why, and in which order. It knows nothing of stacks: a [Target] is anything that can
// be asked, claimed and unwound. Package ctx makes its tasks targets; most programs
// need only [Error], the sentinels and [Here].
//
// A request marks a node and all below it; the first cause stays. Then what
// is suspended is unwound, on the caller's goroutine: children before parents,
// of siblings the one started last first. A node that runs, or that waits for
// a child which runs, is left to whoever makes it suspend or end: the request
// is pending.
//
// # Invariants
//
//	C1  Links, children, err and waiter of a node are read and written under the
//	    lock of its root. A node changes its root in Attach, when nobody else
//	    knows it, and in Leave, under the old root's lock.
//	C2  Target.Mark and Target.Claim are called under that lock, Unwind never.
//	C3  A node without a mark has no marked parent: a mark goes down the tree
//	    in one go, and nothing is attached below it.
//	C4  A node whose target ends while a Request for it is under way is not used
//	    again before that is over: the Request looks at it after each Unwind.
package cancel
