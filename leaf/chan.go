package leaf

import "github.com/stackhop/stackhop/ctx"

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
	turns    uint64     // values received
	returned []given[T] // by cancelled receivers, in the order of their turns
	q        queue[T]
}

// A given is a value that was received, in its turn.
type given[T any] struct {
	value T
	turn  uint64
}

const (
	sending lane = iota
	receiving
)

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
func (c *Chan[T]) Send(v T) error {
	c.q.mu.Lock()
	if r := c.q.pop(receiving); r != nil { // so it is open, and empty
		c.turns++
		r.value, r.turn = v, c.turns
		h := r.h
		c.q.mu.Unlock()
		if err := h.Resume(); err != nil {
			c.q.notResumed(r, h, err)
		}
		return nil
	}
	if done, err := c.give(v); done {
		c.q.wake()
		return err
	}
	n := c.q.take(c, sending, v)
	c.q.mu.Unlock()
	t := ctx.Current()
	if t == nil {
		_, err := c.q.blockUnless(n)
		return err
	}
	err := t.Park(n)
	_, err = c.q.leave(n, err)
	return err
}

// Recv waits for a value. Errors: ErrClosed once the channel is closed and
// nothing is left in it; ErrUnwinding, ErrThreadLocked.
func (c *Chan[T]) Recv() (T, error) {
	c.q.mu.Lock()
	v, _, done, err := c.get()
	if done {
		if s := c.q.one(); s != nil {
			h := s.h
			c.q.mu.Unlock()
			if err := h.Resume(); err != nil {
				c.q.notResumed(s, h, err)
			}
			return v, err
		}
		c.q.wake()
		return v, err
	}
	n := c.q.take(c, receiving, v)
	c.q.mu.Unlock()
	t := ctx.Current()
	if t == nil {
		return c.q.blockUnless(n)
	}
	err = t.Park(n)
	return c.q.leave(n, err)
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
// twice answers ErrClosed.
func (c *Chan[T]) Close() error {
	c.q.mu.Lock()
	if c.closed {
		c.q.mu.Unlock()
		return ErrClosed
	}
	c.closed = true
	for _, l := range [...]lane{receiving, sending} {
		for n := c.q.front(l); n != nil; n = c.q.front(l) {
			n.err = ErrClosed
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
		c.hand(r, v)
		return true, nil
	}
	if c.n < len(c.buf) {
		c.push(v)
		return true, nil
	}
	return false, nil
}

// hand gives r, who waits, its value.
func (c *Chan[T]) hand(r *node[T], v T) {
	c.turns++
	r.value, r.turn = v, c.turns
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
			c.push(s.value)
		}
	case s != nil:
		v = s.value
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

//lint:ignore U1000 as an owner
func (c *Chan[T]) admit(n *node[T]) (done bool) {
	if n.lane == sending {
		done, n.err = c.give(n.value)
		return done
	}
	v, turn, done, err := c.get()
	if done {
		n.value, n.turn, n.err = v, turn, err
	}
	return done
}

// refuse takes back the value that a receiver was given. What a sender has sent
// is gone.
//
//lint:ignore U1000 as an owner
func (c *Chan[T]) refuse(n *node[T]) {
	if n.lane == sending || n.err != nil {
		return
	}
	if r := c.q.front(receiving); r != nil {
		r.value, r.turn = n.value, n.turn
		c.q.grant(r)
		return
	}
	at := len(c.returned)
	for at > 0 && c.returned[at-1].turn > n.turn {
		at--
	}
	c.returned = append(c.returned, given[T]{})
	copy(c.returned[at+1:], c.returned[at:])
	c.returned[at] = given[T]{n.value, n.turn}
}

//lint:ignore U1000 as an owner
func (c *Chan[T]) left() {}

func (c *Chan[T]) push(v T) {
	at := c.first + c.n
	if at >= len(c.buf) {
		at -= len(c.buf)
	}
	c.buf[at] = v
	c.n++
}

func (c *Chan[T]) pop() T {
	var none T
	v := c.buf[c.first]
	c.buf[c.first] = none
	c.n--
	if c.first++; c.first == len(c.buf) {
		c.first = 0
	}
	return v
}
