package stackhop

import "sync"

// currentPortable and currentNative map a running goroutine to its coroutine,
// where its stack cannot tell: keys are goroutineID and g addresses.
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
