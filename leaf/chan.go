package leaf

import (
	"reflect"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/release"
)

// A Chan carries values from those who send to those who receive. Make it with
// NewChan; the zero Chan is one without a buffer. It must not be copied after
// first use.
//
// It is fair: of those who wait to send, and of those who wait to receive,
// whoever has waited longest is served first. Values arrive in the order in which
// they were sent.
//
// Send runs the receiver that it serves, until that suspends or ends, and so does
// Recv with the sender whose value it takes or lets into the buffer: a buffer
// saves waiting, but does not collect work for later.
//
// A value is not lost: if the receiver that got it is cancelled before Recv
// returns, it goes to the next one, or waits for one, as the first in line.
type Chan[T any] struct {
	buf      []T // a ring
	first, n int
	closed   bool
	returned []given[T] // by cancelled receivers, in the order of their turns
	trade
}

// A trade is what a Chan is, whatever its values are.
type trade struct {
	q     queue
	turns uint64 // values received
}

// A given is a value that was received, in its turn.
type given[T any] struct {
	value T
	turn  uint64
}

// A cell is a node and its value: what it sends, then nothing, or what it got.
type cell[T any] struct {
	node
	value T
}

const (
	sending lane = iota
	receiving
	carrying // no lane: of a node that is lent to a receiver
)

// A trader is a Chan.
type trader interface {
	owner

	// lend returns a node with a cell that serves as long as the guard is held.
	lend() *node

	// look returns a node with a value for a receiver in its cell, and holds the
	// guard: the node of a popped sender, or a lent one. If there is none, look returns
	// the current task and the node to park it with; a plain goroutine has waited.
	look() (*node, *ctx.Task)
}

// NewChan makes a channel with a buffer of that many values. It panics if
// capacity is negative.
func NewChan[T any](capacity int) *Chan[T] {
	if capacity < 0 {
		panic("leaf: NewChan with a negative capacity")
	}
	return &Chan[T]{buf: make([]T, capacity)}
}

// Send waits until a receiver has taken v, or the buffer. Errors: ErrClosed, also
// if the channel is closed while Send waits; ErrUnwinding, ErrThreadLocked; v was
// not sent then. If the task is cancelled while it waits, v was not sent unless a
// receiver or the buffer had taken it in that very moment.
func (c *Chan[T]) Send(v T) error { return sendBy(&c.trade, c, v, offer, (*node).sent) }

// sendBy and recvBy are inlined into the user's code: see lockBy. What they are given
// is not generic, for generic functions are dear to give.
func sendBy[T any](c *trade, o trader, v T, offer func(*trade, trader) (*node, *ctx.Task), sent func(*node, *ctx.Task) error) error {
	n, t := offer(c, o)
	cellOf[T](n).value = v
	return sent(n, t)
}

// offer returns, with the guard held, the node that is to have the value: a receiver's
// or a lent one. Otherwise it returns the current task and its node, to be parked.
//
//go:noinline
func offer(c *trade, o trader) (*node, *ctx.Task) {
	if c.q.isDry(sending) {
		t := ctx.Current()
		if n := c.q.mine(t); n != nil {
			n.lane = sending
			return n, t
		}
	}
	c.q.mu.Lock()
	if r := c.q.pop(receiving); r != nil { // so it is open, and empty
		c.turns++
		r.num = c.turns
		return r, nil
	}
	n := c.q.free
	if n == nil {
		n = o.lend()
	}
	n.lane = sending
	return n, nil
}

// sent is inlined.
func (n *node) sent(t *ctx.Task) error { return sentBy(n, t, (*node).wait, (*node).hand) }

func sentBy(n *node, t *ctx.Task, wait func(*node, *ctx.Task) error, hand func(*node) error) error {
	if t != nil {
		return wait(n, t)
	}
	return hand(n)
}

// Recv waits for a value. Errors: ErrClosed once the channel is closed and
// nothing is left in it; ErrUnwinding, ErrThreadLocked.
func (c *Chan[T]) Recv() (v T, err error) {
	err = recvBy(&c.trade, c, &v, (*trade).received, (*node).got)
	return
}

func recvBy[T any](c *trade, o trader, v *T, received func(*trade, trader) *node, got func(*node) error) error {
	n := received(c, o)
	*v = cellOf[T](n).value
	return got(n)
}

// received is inlined.
func (c *trade) received(o trader) *node { return receivedBy(c, o, receive, (*node).park) }

func receivedBy(c *trade, o trader, receive func(*trade, trader) (*node, *ctx.Task), park func(*node, *ctx.Task) *node) *node {
	return park(receive(c, o))
}

// receive returns a node, and the task that is to be parked for a value to be in it.
//
//go:noinline
func receive(c *trade, o trader) (*node, *ctx.Task) {
	if c.q.isDry(receiving) {
		t := ctx.Current()
		if n := c.q.mine(t); n != nil {
			n.lane = receiving
			return n, t
		}
	}
	return o.look()
}

// got is inlined.
func (n *node) got() error { return gotBy(n, leave, (*node).hand) }

func gotBy(n *node, leave, hand func(*node) error) error {
	if n.lane == receiving {
		return leave(n)
	}
	return hand(n)
}

//lint:ignore U1000 as a trader
func (c *Chan[T]) look() (*node, *ctx.Task) {
	c.q.mu.Lock()
	s := c.q.wait[sending].head
	if s == nil && c.n != 0 && len(c.returned) == 0 {
		c.turns++
		n := c.lend()
		cellOf[T](n).value, n.lane = c.pop(), carrying
		return n, nil
	}
	if s != nil && len(c.returned) == 0 && s.h.Live() && c.q.pop(sending) != nil {
		if c.n != 0 { // so it is full, and stays so
			x, first := cellOf[T](s), &c.buf[c.first]
			x.value, *first = *first, x.value
			c.turn()
		}
		c.turns++
		return s, nil
	}
	if v, _, done, err := c.get(); done {
		n := c.lend()
		cellOf[T](n).value, n.err, n.lane = v, err, carrying
		return n, nil
	}
	t := ctx.Current()
	n := c.q.used(t)
	if n == nil {
		n = c.cell(t)
	}
	n.lane = receiving
	c.q.mu.Unlock()
	if t == nil {
		c.q.blockUnless(n)
	}
	return n, t
}

//lint:ignore U1000 as a trader
func (c *Chan[T]) lend() *node {
	if c.q.free == nil {
		c.makeFree()
	}
	return c.q.free
}

//go:noinline
func (c *Chan[T]) makeFree() { c.q.put(c.cell(nil)) }

// cell makes a node for t.
func (c *Chan[T]) cell(t *ctx.Task) *node {
	return &(&cell[T]{node: node{q: &c.q, owner: c, of: keyOf(t), holds: leadsOn[T]()}}).node
}

// TrySend sends v if nobody has to wait for that, and reports whether it did.
// Errors: ErrClosed.
func (c *Chan[T]) TrySend(v T) (sent bool, err error) {
	c.q.mu.Lock()
	sent, err = c.give(v)
	c.q.wake()
	return sent && err == nil, err
}

// TryRecv receives a value if there is one, and reports whether there was. Errors:
// ErrClosed.
func (c *Chan[T]) TryRecv() (v T, received bool, err error) {
	c.q.mu.Lock()
	v, _, received, err = c.get()
	c.q.wake()
	return v, received && err == nil, err
}

// Close ends sending. All who wait go on: those who receive, and those who
// send, with ErrClosed. What is in the channel can still be received. Closing
// twice returns ErrClosed.
func (c *Chan[T]) Close() error {
	c.q.mu.Lock()
	if c.closed {
		c.q.mu.Unlock()
		return ErrClosed
	}
	c.closed = true
	c.changed()
	for _, l := range [...]lane{receiving, sending} {
		for n := c.q.front(l); n != nil; n = c.q.front(l) {
			n.err = ErrClosed
			c.wipe(n)
			c.q.grant(n)
		}
	}
	c.q.wake()
	return nil
}

// Len returns how many values can be received without a sender: those in the
// buffer, and those that cancelled receivers have given back.
func (c *Chan[T]) Len() int {
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	return c.n + len(c.returned)
}

// Cap returns how many values the buffer has room for.
func (c *Chan[T]) Cap() int { return len(c.buf) }

// give passes v on, or says that it has to wait.
func (c *Chan[T]) give(v T) (done bool, err error) {
	if c.closed {
		return true, ErrClosed
	}
	if r := c.q.front(receiving); r != nil {
		c.serve(r, v)
		return true, nil
	}
	if c.n < len(c.buf) {
		c.push(v)
		return true, nil
	}
	return false, nil
}

// serve gives r, who waits, its value.
func (c *Chan[T]) serve(r *node, v T) {
	c.turns++
	cellOf[T](r).value, r.num = v, c.turns
	c.q.grant(r)
}

// get takes the next value out of the channel, and says which turn that was.
func (c *Chan[T]) get() (v T, turn uint64, done bool, err error) {
	if len(c.returned) != 0 {
		g := c.returned[0]
		c.returned[0] = given[T]{}
		c.returned = c.returned[1:]
		return g.value, g.turn, true, nil
	}
	s := c.q.front(sending)
	switch {
	case c.n != 0:
		v = c.pop()
		if s != nil {
			c.push(c.unload(s))
		}
	case s != nil:
		v = c.unload(s)
	case c.closed:
		return v, 0, true, ErrClosed
	default:
		return v, 0, false, nil
	}
	if s != nil {
		c.q.grant(s)
	}
	c.turns++
	return v, c.turns, true, nil
}

// unload takes the value out of a sender's node.
func (c *Chan[T]) unload(n *node) (v T) {
	x := cellOf[T](n)
	v, x.value = x.value, v
	return v
}

//lint:ignore U1000 as an owner
func (c *Chan[T]) admit(n *node) (done bool) {
	x := cellOf[T](n)
	if n.lane == sending {
		if c.n < len(c.buf) && c.q.wait[receiving].empty() && !c.closed {
			c.push(x.value)
			return true
		}
		done, n.err = c.give(x.value)
	} else {
		var v T
		var turn uint64
		var err error
		if v, turn, done, err = c.get(); done {
			x.value, n.num, n.err = v, turn, err
		}
	}
	if !done {
		release.Store32(&c.q.dry, 1+uint32(n.lane))
	}
	return done
}

// changed is called when there may be something for others than those who wait in
// the other lane: see W5.
func (c *Chan[T]) changed() { release.Store32(&c.q.dry, 0) }

// refuse takes back the value that a receiver was given. What a sender has sent
// is gone.
//
//lint:ignore U1000 as an owner
func (c *Chan[T]) refuse(n *node) {
	if n.lane == sending || n.err != nil {
		return
	}
	v := c.unload(n)
	if r := c.q.front(receiving); r != nil {
		cellOf[T](r).value, r.num = v, n.num
		c.q.grant(r)
		return
	}
	at := len(c.returned)
	for at > 0 && c.returned[at-1].turn > n.num {
		at--
	}
	c.returned = append(c.returned, given[T]{})
	copy(c.returned[at+1:], c.returned[at:])
	c.returned[at] = given[T]{v, n.num}
	c.changed()
}

//lint:ignore U1000 as an owner
func (c *Chan[T]) left() {}

//lint:ignore U1000 as an owner
func (c *Chan[T]) wipe(n *node) { c.unload(n) }

// leadsOn reports whether a T may have pointers.
func leadsOn[T any]() bool { return reflect.TypeFor[T]().Kind() > reflect.Complex128 }

func (c *Chan[T]) push(v T) {
	at := c.first + c.n
	if at >= len(c.buf) {
		at -= len(c.buf)
	}
	c.buf[at] = v
	c.n++
	c.changed()
}

func (c *Chan[T]) pop() T {
	var none T
	v := c.buf[c.first]
	c.buf[c.first] = none
	c.n--
	c.changed()
	c.turn()
	return v
}

// turn makes the second place of the ring the first one.
func (c *Chan[T]) turn() {
	if c.first++; c.first == len(c.buf) {
		c.first = 0
	}
}
