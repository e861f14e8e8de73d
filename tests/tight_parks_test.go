//lint:file-ignore SA5007 these recursions end when the stack is full
//lint:file-ignore SA2001 the lock is what is tested

package tests

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// tightParkings are recursions with frames that are small beside what a parking
// needs below them: so it is always the parking that does not fit, and never
// the recursion's own call.
var tightParkings = []struct {
	name string
	run  func(d *descent)
}{
	{"yield", tightYield}, {"suspend", tightSuspend}, {"sleep", tightSleep}, {"gosched", tightGosched},
	{"channel", tightChannel}, {"pipe", tightPipe}, {"syncmap", tightSyncMap}, {"lock", tightLock},
	{"once", tightOnce}, {"once that recurses", tightWithinOnce}, {"print", tightPrint}, {"fmt", tightFmt},
	{"map", tightMap}, {"json", tightJSON}, {"spawn", tightSpawn}, {"defer", tightDefer},
	{"interface", tightInterface}, {"mixed", tightMixed},
}

//go:noinline
func tightYield(d *descent) {
	d.in++
	d.t.Yield()
	tightYield(d)
	d.out++
}

//go:noinline
func tightSuspend(d *descent) {
	d.in++
	d.t.Suspend(d.keep)
	tightSuspend(d)
	d.out++
}

//go:noinline
func tightSleep(d *descent) {
	d.in++
	time.Sleep(time.Nanosecond)
	tightSleep(d)
	d.out++
}

//go:noinline
func tightGosched(d *descent) {
	d.in++
	runtime.Gosched()
	tightGosched(d)
	d.out++
}

//go:noinline
func tightChannel(d *descent) {
	d.in++
	<-d.ticks
	tightChannel(d)
	d.out++
}

//go:noinline
func tightPipe(d *descent) {
	d.in++
	_, _ = d.pipe[1].Write(d.buf[:])
	_, _ = d.pipe[0].Read(d.buf[:])
	tightPipe(d)
	d.out++
}

//go:noinline
func tightSyncMap(d *descent) {
	d.in++
	d.m.Store(d.in, d)
	tightSyncMap(d)
	d.out++
}

//go:noinline
func tightLock(d *descent) {
	d.in++
	d.mu.Lock()
	d.mu.Unlock()
	tightLock(d)
	d.out++
}

//go:noinline
func tightOnce(d *descent) {
	d.in++
	d.once = sync.Once{}
	d.once.Do(sleepShortly)
	tightOnce(d)
	d.out++
}

func sleepShortly() { time.Sleep(time.Nanosecond) }

//go:noinline
func tightWithinOnce(d *descent) {
	d.in++
	time.Sleep(time.Nanosecond)
	new(sync.Once).Do(d.withinOnce)
	d.out++
}

//go:noinline
func tightPrint(d *descent) {
	d.in++
	print("")
	tightPrint(d)
	d.out++
}

//go:noinline
func tightFmt(d *descent) {
	d.in++
	fmt.Fprint(io.Discard, d.in)
	tightFmt(d)
	d.out++
}

//go:noinline
func tightMap(d *descent) {
	d.in++
	d.ints[d.in] = d.in
	tightMap(d)
	d.out++
}

//go:noinline
func tightJSON(d *descent) {
	d.in++
	_ = json.Unmarshal(jsonText, &d.decoded)
	tightJSON(d)
	d.out++
}

var jsonText = []byte(`{"a":[1,2,{"b":null}],"c":"text"}`)

//go:noinline
func tightSpawn(d *descent) {
	d.in++
	d.child, _ = ctx.Spawn(yieldOnce, ctx.WithPool(d.pool))
	_ = d.child.Resume()
	tightSpawn(d)
	d.out++
}

func yieldOnce(t *ctx.Task) { t.Yield() }

//go:noinline
func tightDefer(d *descent) {
	d.in++
	defer d.leave()
	time.Sleep(time.Nanosecond)
	tightDefer(d)
}

//go:noinline
func tightInterface(d *descent) {
	d.in++
	time.Sleep(time.Nanosecond)
	var v interface{ throughWrapper(*descent) } = &wrapped{}
	v.throughWrapper(d)
	d.out++
}

type wrapped struct{ wide }

type wide struct{}

//go:noinline
func (wide) throughWrapper(d *descent) {
	var a [600]byte
	a[d.in%len(a)] = 1
	tightInterface(d)
	d.out += int(a[d.in%len(a)]) - 1
}

//go:noinline
func tightMixed(d *descent) {
	d.in++
	switch d.rnd.IntN(9) {
	case 0:
		d.t.Yield()
	case 1:
		d.t.Suspend(d.keep)
	case 2:
		time.Sleep(time.Nanosecond)
	case 3:
		<-d.ticks
	case 4:
		d.m.Store(d.in, d)
	case 5:
		d.mu.Lock()
		d.mu.Unlock()
	case 6:
		print("")
	case 7:
		d.ints[d.in] = d.in
	case 8:
		_ = json.Unmarshal(jsonText, &d.decoded)
	}
	tightMixed(d)
	d.out++
}

func (d *descent) keep(h resume.Handle) { d.handle = h }
func (d *descent) leave()               { d.out++ }
func (d *descent) withinOnce()          { tightWithinOnce(d) }

// endChild cancels what a call of Resume that did not fit has left.
func (d *descent) endChild() {
	if d.child != nil && !d.child.Done() {
		check(d.child.Cancel(nil))
	}
}

// tick sends on d.ticks until done.
func (d *descent) tick(done chan struct{}) {
	for {
		select {
		case d.ticks <- 1:
		case <-done:
			return
		}
	}
}
