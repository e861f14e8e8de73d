package leaf_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

// Figures side by side: go test -bench . ./leaf. Each primitive has its twin
// between goroutines, named Peer.

// onTask runs a benchmark on a task.
func onTask(b *testing.B, body func()) {
	b.Helper()
	b.ReportAllocs()
	t, err := ctx.Spawn(func(*ctx.Task) { body() })
	if err != nil {
		b.Fatal(err)
	}
	if err := t.Wait(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkMutexUncontended(b *testing.B) {
	var m leaf.Mutex
	for b.Loop() {
		_ = m.Lock()
		m.Unlock()
	}
}

func BenchmarkPeerMutexUncontended(b *testing.B) {
	var m sync.Mutex
	for b.Loop() {
		m.Lock()
		//lint:ignore SA2001 that is what is measured
		m.Unlock()
	}
}

// A round is two hand-overs: there and back.
func BenchmarkMutexHandOver(b *testing.B) {
	var there, back leaf.Mutex
	_, _ = there.Lock(), back.Lock()
	stop := false
	t, err := ctx.Spawn(func(*ctx.Task) {
		for !stop {
			_ = there.Lock()
			back.Unlock()
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	onTask(b, func() {
		for b.Loop() {
			there.Unlock()
			_ = back.Lock()
		}
		stop = true
		there.Unlock()
	})
	if !t.Done() {
		b.Fatal("the other task waits")
	}
}

func BenchmarkPeerMutexHandOver(b *testing.B) {
	var there, back sync.Mutex
	there.Lock()
	back.Lock()
	stop := false
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			there.Lock()
			if stop {
				return
			}
			back.Unlock()
		}
	}()
	for b.Loop() {
		there.Unlock()
		back.Lock()
	}
	stop = true
	there.Unlock()
	<-done
}

func BenchmarkRWMutexReadUncontended(b *testing.B) {
	var m leaf.RWMutex
	for b.Loop() {
		_ = m.RLock()
		m.RUnlock()
	}
}

func BenchmarkPeerRWMutexReadUncontended(b *testing.B) {
	var m sync.RWMutex
	for b.Loop() {
		m.RLock()
		//lint:ignore SA2001 that is what is measured
		m.RUnlock()
	}
}

var capacities = []int{0, 1, 16, 128}

// A round is one value.
func BenchmarkChan(b *testing.B) {
	for _, capacity := range capacities {
		b.Run(fmt.Sprint("cap=", capacity), func(b *testing.B) {
			c := leaf.NewChan[int](capacity)
			if _, err := ctx.Spawn(func(*ctx.Task) {
				for {
					if _, err := c.Recv(); err != nil {
						return
					}
				}
			}); err != nil {
				b.Fatal(err)
			}
			onTask(b, func() {
				for b.Loop() {
					_ = c.Send(1)
				}
				_ = c.Close()
			})
		})
	}
}

// The same, but it is the sender who waits.
func BenchmarkChanSenderWaits(b *testing.B) {
	for _, capacity := range capacities[:3] {
		b.Run(fmt.Sprint("cap=", capacity), func(b *testing.B) {
			c := leaf.NewChan[int](capacity)
			if _, err := ctx.Spawn(func(*ctx.Task) {
				for c.Send(1) == nil {
				}
			}); err != nil {
				b.Fatal(err)
			}
			onTask(b, func() {
				for b.Loop() {
					_, _ = c.Recv()
				}
				_ = c.Close()
			})
		})
	}
}

// Nobody waits. A round is a value in and a value out.
func BenchmarkChanBuffered(b *testing.B) {
	c := leaf.NewChan[int](4)
	for b.Loop() {
		_ = c.Send(1)
		_, _ = c.Recv()
	}
}

func BenchmarkPeerChanBuffered(b *testing.B) {
	c := make(chan int, 4)
	for b.Loop() {
		c <- 1
		<-c
	}
}

func BenchmarkPeerChan(b *testing.B) {
	for _, capacity := range capacities {
		b.Run(fmt.Sprint("cap=", capacity), func(b *testing.B) {
			c := make(chan int, capacity)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range c {
				}
			}()
			for b.Loop() {
				c <- 1
			}
			close(c)
			<-done
		})
	}
}

// A round is a value there and another one back.
func BenchmarkChanPingPong(b *testing.B) {
	for _, capacity := range capacities[:2] {
		b.Run(fmt.Sprint("cap=", capacity), func(b *testing.B) {
			there, back := leaf.NewChan[int](capacity), leaf.NewChan[int](capacity)
			if _, err := ctx.Spawn(func(*ctx.Task) {
				for {
					v, err := there.Recv()
					if err != nil {
						return
					}
					_ = back.Send(v)
				}
			}); err != nil {
				b.Fatal(err)
			}
			onTask(b, func() {
				for b.Loop() {
					_ = there.Send(1)
					_, _ = back.Recv()
				}
				_ = there.Close()
			})
		})
	}
}

func BenchmarkPeerChanPingPong(b *testing.B) {
	for _, capacity := range capacities[:2] {
		b.Run(fmt.Sprint("cap=", capacity), func(b *testing.B) {
			there, back := make(chan int, capacity), make(chan int, capacity)
			go func() {
				for v := range there {
					back <- v
				}
			}()
			for b.Loop() {
				there <- 1
				<-back
			}
			close(there)
		})
	}
}

func BenchmarkEventSetWait(b *testing.B) {
	var e leaf.Event
	stop := false
	if _, err := ctx.Spawn(func(*ctx.Task) {
		for !stop {
			_ = e.Wait()
			e.Reset()
		}
	}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.Set()
	}
	stop = true
	e.Set()
}

func BenchmarkSleep(b *testing.B) {
	onTask(b, func() {
		for b.Loop() {
			_ = leaf.Sleep(time.Nanosecond)
		}
	})
}

func BenchmarkPeerSleep(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		time.Sleep(time.Nanosecond)
	}
}

// A timer that is set and taken back: the cost of a deadline that holds.
func BenchmarkTimeoutNotReached(b *testing.B) {
	body := func(*ctx.Task) error { return nil }
	onTask(b, func() {
		for b.Loop() {
			_ = leaf.Timeout(time.Hour, body)
		}
	})
}
