package stackhop

import "sync"

// currentPortable maps a running goroutine to its coroutine, on the portable
// backend: keys are what goroutineID returns.
var currentPortable sync.Map // uintptr → *Coro

// finish marks the end of a body. It runs on the body's side, before the last
// hand-over of that body.
func (c *Coro) finish(goexited bool) {
	c.goexited, c.running = goexited, false
	c.state = stateIdle
	if c.oneShot {
		c.state = stateClosed
	}
	if c.roams {
		c.region = packedRegion{}
	}
	c.in = notEnterable
	c.body = nil
}
