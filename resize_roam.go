package stackhop

// NewRoaming makes a coroutine that has no memory of its own: ResetOn gives it
// one body at a time together with the Region to run it on. So storage that is
// carved for a moment needs no new coroutine. While it is done it lives on a
// small stack of the runtime. It is otherwise as one that New made without a
// body: born done, ended by Close.
func NewRoaming() *Coro {
	c := new(Coro)
	c.InitRoaming()
	return c
}

// InitRoaming is NewRoaming as Init is New.
func (c *Coro) InitRoaming() {
	c.roams, c.in, c.g = true, notEnterable, notEnterable
	c.make()
}

// ResetOn gives a done coroutine that NewRoaming made the next body, and the
// memory to run it on, which is free again once the Switch has returned in
// which the body ended. Errors: *RegionError, also for a coroutine that New
// made; and those of Reset. It allocates nothing if there is none.
func (c *Coro) ResetOn(r Region, body func(c *Coro)) error {
	if c.state == stateReady {
		return ErrNotDone
	}
	if !c.roams {
		return &RegionError{r, "the coroutine was made with a stack of its own: use Reset, or NewRoaming"}
	}
	if err := r.usable(); err != nil {
		return err
	}
	c.region.set(&r)
	if err := c.Reset(body); err != nil {
		c.region = packedRegion{}
		return err
	}
	return nil
}

// Drop ends the body of a coroutine that NewRoaming made where it is parked, without
// running it: the coroutine is done then, and the region free. Deferred calls of the
// body do not run: Drop is for one that is known to have none, such as a loop that
// waits for work. It costs less than a switch, and is the owner's to call.
//
// It reports false, with nothing done, if that is not possible now: the body runs,
// the collector marks, a profile or a trace is taken; or ever: New made the
// coroutine, or the backend is the portable one. Then the body has to return.
func (c *Coro) Drop() bool {
	switch {
	case !c.roams:
		return false
	case c.state != stateReady:
		return true
	case c.running && !c.drop():
		return false
	}
	c.finish(false)
	return true
}
