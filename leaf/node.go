package leaf

import "github.com/stackhop/stackhop/resume"

// A node is one call that waits. Those of a Chan are the heads of cells.
type node struct {
	q          *queue
	owner      owner
	prev, next *node

	h  resume.Handle // of a task that has parked
	ch chan struct{} // for a plain goroutine to block on

	err    error   // what the call returns
	num    uint64  // what it asks for; the turn of a value that it got
	after  *Mutex  // to be unlocked once the node is in the queue
	of     taskKey // whose call it is; 0: of a plain goroutine, or of nobody
	bound  uint32  // not 0: it is of that task for ever (W6)
	calls  uint32  // how often it was made known: in Publish and block (W3)
	lane   lane
	state  state
	blocks bool // a plain goroutine waits
	holds  bool // it has a value that leads on, which is not to be kept
}

// A lane is one of the two lines that an owner may have.
type lane uint8

// Where a node is.
type state uint8

const (
	idle    state = iota // nobody but its call knows it
	queued               // in its lane
	granted              // has what it waits for, and is to be resumed
	woken                // likewise, and somebody is resuming it, or has
	strand               // likewise, but could not be resumed from where that was tried
	revoked              // lost its place, because its task is being cancelled
)

// A list is a line of nodes, first come first.
type list struct{ head, tail *node }

func (l *list) push(n *node) {
	n.prev, n.next = l.tail, nil
	if l.tail == nil {
		l.head = n
	} else {
		l.tail.next = n
	}
	l.tail = n
}

func (l *list) remove(n *node) {
	if n.prev == nil {
		l.head = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.tail = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.prev, n.next = nil, nil
}

func (l *list) pop() *node {
	n := l.head
	if n != nil {
		l.remove(n)
	}
	return n
}

func (l *list) empty() bool { return l.head == nil }
