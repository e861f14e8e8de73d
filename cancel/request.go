package cancel

// Request asks n and all below it to end, and unwinds what is suspended of it,
// children before parents, last started first.
//
// nil: all have ended. ErrCancelPending: some run, and will unwind. Another
// error is Target.Unwind's: nothing more was unwound here, but the request stays.
// The same if Unwind panics.
func (n *Node) Request(cause error) error {
	n.requests.Add(1)
	defer n.requests.Add(-1)
	root := n.lock()
	if n.err == nil {
		n.mark(errorOf(cause))
	}
	root.mu.Unlock()
	return n.unwind(n)
}

// RequestChildren is Request for all below n, but not for n. From then on n gets
// no new children.
func (n *Node) RequestChildren(cause error) error {
	root := n.lock()
	if n.closed == nil {
		n.closed = errorOf(cause)
	}
	for c := n.last; c != nil; c = c.prev {
		if c.err == nil {
			c.mark(n.closed)
		}
	}
	none := n.last == nil
	root.mu.Unlock()
	if none {
		return nil
	}
	return n.unwind(nil)
}

// errorOf allocates nothing for a cause that is an *Error itself.
func errorOf(cause error) *Error {
	if err, ok := cause.(*Error); ok && err != nil {
		return err
	}
	return &Error{Cause: cause}
}

// mark marks what is not marked yet of n and all below it (C3).
func (n *Node) mark(err *Error) {
	for c := n; ; {
		if c.err == nil {
			c.err = err
			c.target.Mark(err)
			if c.last != nil {
				c = c.last
				continue
			}
		}
		for c != n && c.prev == nil {
			c = c.parent
		}
		if c == n {
			return
		}
		c = c.prev
	}
}

// unwind unwinds, one after another, what can be: of the tree at n, if top is
// n; else of what is below n.
func (n *Node) unwind(top *Node) error {
	for {
		root := n.lock()
		victim, gone := n.victim(top)
		root.mu.Unlock()
		switch {
		case victim != nil:
			if err := victim.target.Unwind(); err != nil {
				return err
			}
			if victim == top {
				return nil
			}
		case gone:
			return nil
		default:
			return ErrCancelPending
		}
	}
}

// victim claims the next target to unwind. If there is none it tells whether
// all have ended. It looks at children before parents, from the last on.
func (n *Node) victim(top *Node) (victim *Node, gone bool) {
	if n.last == nil && top == nil {
		return nil, true
	}
	for c := n.deepest(); ; {
		if c == n && top == nil {
			return nil, false
		}
		switch c.target.Claim(c.last == nil) {
		case Claimed:
			return c, false
		case Gone:
			gone = c == n
		}
		switch {
		case c == n:
			return nil, gone
		case c.prev != nil:
			c = c.prev.deepest()
		default:
			c = c.parent
		}
	}
}

// deepest follows the children that were started last.
func (n *Node) deepest() *Node {
	for n.last != nil {
		n = n.last
	}
	return n
}

// Resign is for the target itself, marked, and suspended in the hands of the
// caller: it unwinds all below n. True means that none is left, and the caller
// must unwind the target, which nobody else will claim. Otherwise park has been
// called under the lock; the last child that ends will claim it.
func (n *Node) Resign(park func()) bool {
	_ = n.unwind(nil) // what stays will leave by itself
	root := n.lock()
	defer root.mu.Unlock()
	if n.last == nil {
		return true
	}
	park()
	return false
}

// AwaitChildren has Leave of the last child answer awake. It reports false if there
// is none.
func (n *Node) AwaitChildren(awake func() any) bool {
	root := n.lock()
	defer root.mu.Unlock()
	if n.last == nil {
		return false
	}
	n.waiter = awake
	return true
}

// HasChildren reports whether anything is attached to n. It is for n's own
// target, of whose descendants none is being started elsewhere.
func (n *Node) HasChildren() bool {
	root := n.lock()
	defer root.mu.Unlock()
	return n.last != nil
}

// HadChildren reports whether anything has been attached to n since Begin. It takes
// no lock, and is for n's own target: besides that only descendants may attach.
func (n *Node) HadChildren() bool { return n.had.Load() }
