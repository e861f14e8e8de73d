package tests

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stretchr/testify/require"
)

// A coroutine that is made while the main goroutine is locked to its thread,
// as it is during package initialization.
var (
	initCount int
	initCoro  *stackhop.Coro
)

func init() {
	c, err := stackhop.New(stackhop.Region{}, func(c *stackhop.Coro) {
		for range 3 {
			initCount++
			c.Switch()
		}
	})
	if err != nil {
		panic(err)
	}
	initCoro = c
	c.Switch()
}

// locks are ways in which an owner or a body can be locked to its thread. Both
// paths are taken: the slow one while everybody is marking.
func TestH06ThreadLockMismatch(t *testing.T) {
	t.Run("made in init", func(t *testing.T) {
		while(func() {
			drain(func() bool { initCoro.Switch(); return initCoro.Done() }, look)
		}, runtime.GC)
		require.Equal(t, 3, initCount)
	})
	eachStorage(t, func(t *testing.T, st storage) {
		t.Run("owner locked at some resumes", func(t *testing.T) {
			n := 0
			c := st.coro(t, func(c *stackhop.Coro) {
				for range 40 {
					n++
					c.Switch()
				}
			})
			while(func() {
				for i := 0; !c.Done(); i++ {
					if i%2 == 0 {
						runtime.LockOSThread()
						c.Switch()
						runtime.UnlockOSThread()
					} else {
						c.Switch()
					}
				}
			}, runtime.GC)
			require.Equal(t, 40, n)
		})
		t.Run("resumed by owners on several threads", func(t *testing.T) {
			n := 0
			c := st.coro(t, func(c *stackhop.Coro) {
				for range 40 {
					n++
					c.Switch()
				}
			})
			for i := 0; !c.Done(); i++ {
				done := make(chan struct{})
				go func() {
					defer close(done)
					if i%2 == 0 {
						runtime.LockOSThread() // and ends locked: the thread goes with it
					}
					c.Switch()
				}()
				<-done
			}
			require.Equal(t, 40, n)
		})
		t.Run("balanced in the body", func(t *testing.T) {
			c := st.coro(t, func(c *stackhop.Coro) {
				for range 5 {
					runtime.LockOSThread()
					runtime.LockOSThread()
					runtime.Gosched()
					runtime.UnlockOSThread()
					runtime.UnlockOSThread()
					c.Switch()
				}
			})
			require.Equal(t, 5, drain(func() bool { c.Switch(); return c.Done() }, look))
		})
		t.Run("kept across a suspension", func(t *testing.T) {
			for _, owner := range []string{"free owner", "locked owner"} {
				t.Run(owner, func(t *testing.T) {
					if owner == "locked owner" {
						runtime.LockOSThread()
						defer runtime.UnlockOSThread()
					}
					var errs [3]error
					c := st.coro(t, func(c *stackhop.Coro) {
						runtime.LockOSThread()
						errs[0] = c.TrySwitch()
						runtime.GC()
						errs[1] = c.TrySwitch()
						runtime.UnlockOSThread()
						errs[2] = c.TrySwitch()
					})
					c.Switch()
					if !asm() && errs[0] == nil { // goroutines keep their own threads: it just works
						for !c.Done() {
							c.Switch()
						}
						t.Skip("the portable backend allows it")
					}
					require.False(t, c.Done())
					requireThreadLock(t, errs[0])
					requireThreadLock(t, errs[1])
					require.NoError(t, errs[2])
					c.Switch()
				})
			}
		})
		t.Run("undone a lock of the owner", func(t *testing.T) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var err error
			c := st.coro(t, func(c *stackhop.Coro) {
				runtime.UnlockOSThread() // on the portable backend: nothing to unlock
				err = c.TrySwitch()
				runtime.LockOSThread()
				if err != nil {
					err2 := c.TrySwitch()
					err = errors.Join(err, err2)
				} else {
					runtime.UnlockOSThread()
				}
			})
			c.Switch()
			if err != nil {
				requireThreadLock(t, err)
			}
			c.Switch()
		})
		t.Run("kept at the end", func(t *testing.T) {
			var err error
			c := st.coro(t, func(c *stackhop.Coro) {
				runtime.LockOSThread()
				err = c.CheckThread()
			})
			c.Switch() // must return: a lock is no reason to hang or to end the process
			require.True(t, c.Done())
			if asm() {
				requireThreadLock(t, err)
			}
			// The thread is free again: others run, and so does this goroutine.
			look()
			pingPong(t, storages[0], 100)
		})
	})
}

func requireThreadLock(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, stackhop.ErrThreadLocked)
	var lock *stackhop.ThreadLockError
	require.ErrorAs(t, err, &lock)
	require.NotZero(t, lock.External)
}

// A goroutine that ends while it is locked takes its thread with it; so must
// not one whose body kept a lock.
func TestH06MainThread(t *testing.T) {
	testsupport.RunChild(t, "main-thread", childLimit).RequireOK(t)
}

var _ = testsupport.Child("main-thread", func() {
	runtime.LockOSThread() // the main goroutine, on the main thread
	for _, region := range []stackhop.Region{{}, childRegion()} {
		c, err := stackhop.New(region, func(c *stackhop.Coro) {
			for range 10 {
				runtime.GC()
				c.Switch()
			}
		})
		if err != nil {
			panic(err)
		}
		while(func() {
			for !c.Done() {
				c.Switch()
			}
		}, runtime.GC)
	}
	fmt.Println("ok")
})
