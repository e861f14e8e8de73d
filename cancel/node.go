package cancel

import (
	"sync"
	"sync/atomic"
)

// A Target is what a Node stands for.
type Target interface {
	// Mark notes that the target is to unwind at its next suspension, which
	// then leads to a call of Node.Resign.
	Mark(err *Error)

	// Claim takes the target, marked before, out of its suspension. With ready
	// false it only keeps everybody else from continuing it.
	Claim(ready bool) Claim

	// Unwind ends a target whose Claim answered Claimed. An error means that
	// the caller's goroutine cannot, and that the claim was given up.
	Unwind() error
}

// A Claim is the answer of Target.Claim.
type Claim int

const (
	Gone    Claim = iota // it has ended
	Busy                 // it runs, or somebody else will unwind it
	Claimed              // it is the caller's
)

// A Node is the place of a Target in the tree. Init makes it usable; a node that
// has ended and has no children may be used again.
type Node struct {
	root   *Node      // nil: the node itself; see setRoot
	mu     sync.Mutex // of a root, for its whole tree
	target Target
	err    *Error // set by the mark
	closed *Error // set when its children were asked to end

	parent, last, prev, next *Node      // last: the child that was started last
	waiter                   func() any // see AwaitChildren

	requests atomic.Int32 // that are looking at the node: C4
	had      atomic.Bool  // a child, since Begin
}

// Init names the target, once.
func (n *Node) Init(t Target) { n.target = t }

// Begin makes the node of something that has ended that of something new,
// without parent and mark.
func (n *Node) Begin() {
	n.err, n.closed = nil, nil
	if n.had.Load() {
		n.had.Store(false)
	}
}

// Attach makes n, which nobody else knows yet, a child of parent. If parent has
// been asked to end, or all its children have, it answers the *Error, and n stays
// a root.
func (n *Node) Attach(parent *Node) error {
	root := parent.lock()
	err := n.attach(parent, root)
	root.mu.Unlock() // not deferred: each child would pay for that call
	return err
}

func (n *Node) attach(parent, root *Node) error {
	switch {
	case parent.err != nil:
		return parent.err // C3
	case parent.closed != nil:
		return parent.closed
	}
	n.parent, n.prev, n.next = parent, parent.last, nil
	if n.prev != nil {
		n.prev.next = n
	}
	parent.last = n
	if !parent.had.Load() {
		parent.had.Store(true)
	}
	n.setRoot(root)
	return nil
}

// lock locks the tree of n and returns its root.
func (n *Node) lock() *Node {
	for {
		root := n.loadRoot()
		if root == nil {
			root = n
		}
		root.mu.Lock()
		if now := n.loadRoot(); now == root || now == nil && root == n {
			return root
		}
		root.mu.Unlock() // n left the tree meanwhile: C1
	}
}

// Leave takes n, whose target is about to end, out of the tree. If its parent
// waited for it in order to unwind, it answers the parent's target, claimed:
// the caller has to call Unwind, once n's target has ended. If the parent
// awaited its children, it answers what to call then.
func (n *Node) Leave() (unwind Target, awake func() any) {
	if n.parent == nil { // only n itself leaves
		return nil, nil
	}
	root := n.lock()
	unwind, awake = n.leave()
	root.mu.Unlock()
	return unwind, awake
}

func (n *Node) leave() (unwind Target, awake func() any) {
	p := n.parent
	if n.prev != nil {
		n.prev.next = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		p.last = n.prev
	}
	n.parent, n.prev, n.next = nil, nil, nil
	n.setRoot(nil)
	if p.last != nil {
		return nil, nil
	}
	if p.err != nil && p.target.Claim(true) == Claimed {
		return p.target, nil
	}
	awake, p.waiter = p.waiter, nil
	return nil, awake
}

// Busy reports whether a Request for n is under way. A node that has ended must
// not be used again then.
func (n *Node) Busy() bool { return n.requests.Load() != 0 }

// Parent returns the node that n is attached to, or nil. It is for n's own
// target, and for calls under Do.
func (n *Node) Parent() *Node { return n.parent }

// Target returns what Init was given.
func (n *Node) Target() Target { return n.target }

// Err returns the error that the first request made, or nil.
func (n *Node) Err() *Error {
	defer n.lock().mu.Unlock()
	return n.err
}

// ErrLocked is Err for calls under Do.
func (n *Node) ErrLocked() *Error { return n.err }

// Do calls f under the lock of n's tree.
func (n *Node) Do(f func()) {
	defer n.lock().mu.Unlock()
	f()
}
