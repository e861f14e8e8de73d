package stackhop

import (
	"errors"
	"fmt"
)

// ResizeReserve is what Resize leaves a body below its stack pointer, in bytes:
// as much as the least Region. Less would not hold the call of Resize's caller
// that comes next.
const ResizeReserve = MinRegion

// ErrRoom is the sentinel that every *RoomError matches.
var ErrRoom = errors.New("stackhop: the body needs that part of its region")

// A RoomError says that the body of a coroutine has come too near to where its
// region would begin. It matches ErrRoom.
type RoomError struct {
	Lo  uintptr // what was asked for
	Max uintptr // what Resize would have accepted: the stack pointer less ResizeReserve
}

func (e *RoomError) Error() string {
	return fmt.Sprintf("stackhop: region cannot begin at %#x: the body's stack pointer, less %d, is at %#x", e.Lo, ResizeReserve, e.Max)
}

// Is reports whether target is ErrRoom.
func (e *RoomError) Is(target error) bool { return target == ErrRoom }

// Resize moves the lower end of the region that the body runs on: up, so that
// [Region.Lo, lo) is free for other use, such as the stack of another
// coroutine, or down again. It is for the body itself to call. The memory from
// lo on must be its owner's to give. What was given away has to come back
// before the body ends, or the next body starts with what is left.
//
// Errors: ErrNotCurrent unless the caller is the body; *RegionError, also on a
// stack that the runtime owns; *RoomError if the body has less than
// ResizeReserve bytes left below its stack pointer then. Nothing moved after an
// error. It allocates nothing if there is none. The portable backend uses no
// region: it keeps the books only.
func (c *Coro) Resize(lo uintptr) error {
	if !c.current() {
		return ErrNotCurrent
	}
	top, hi := c.region.end(), c.region.deadEnd()
	switch {
	case c.region.none():
		return &RegionError{Region{Lo: lo}, "a stack of the runtime has no end to move"}
	case c.region.grows():
		return &RegionError{c.Region(), "a region that grows keeps its end: what lies there is its reserve"}
	case !fits(lo, top, hi):
		return Region{Lo: lo, Top: top, Hi: hi}.Check()
	}
	if most, ok := c.moveLo(lo); !ok {
		return &RoomError{Lo: lo, Max: most}
	}
	c.region.setBounds(lo, top, hi)
	return nil
}

// Room returns the number of bytes by which Resize, if called here, could raise
// the lower end of the region: 0 if it could not, or the caller is not the body.
func (c *Coro) Room() int {
	if c.region.none() || c.region.grows() || !c.current() {
		return 0
	}
	if most := c.mostLo(); most > c.region.lo {
		return int(most-c.region.lo) &^ (RegionAlign - 1)
	}
	return 0
}

// current reports whether the caller is the body.
func (p *portable) current() bool { return p.running && goroutineID() == p.self }
