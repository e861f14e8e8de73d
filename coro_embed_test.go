package stackhop_test

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// user is what a library on top embeds a Coro in, not at its begin.
type user struct {
	name string
	stackhop.Coro
	count int
}

// A coroutine that lies in a struct keeps that while it is suspended, fresh or
// ended, on whatever stack; nothing else does.
func TestInitInAStruct(t *testing.T) {
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		collected := make(chan bool, 1)
		c := func() *stackhop.Coro {
			u := &user{name: "u"}
			runtime.AddCleanup(u, func(c chan bool) { c <- true }, collected)
			require.NoError(t, u.Init(r, nil))
			require.NoError(t, u.Reset(func(c *stackhop.Coro) {
				for range 2 {
					u.count++
					c.Switch()
				}
			}))
			return &u.Coro
		}()
		for range 3 {
			runtime.GC()
			c.Switch()
			require.Empty(t, collected)
		}
		require.True(t, c.Done())
		require.Equal(t, r, c.Region())
		require.NoError(t, c.Close())
		c = nil
		for range 100 {
			if runtime.GC(); len(collected) != 0 {
				break
			}
			runtime.Gosched()
		}
		require.NotEmpty(t, collected, "a closed one keeps nothing")
	})
}

func TestInitRoamingInAStruct(t *testing.T) {
	s, err := mmapstack.New(64 << 10)
	require.NoError(t, err)
	u := new(user)
	u.InitRoaming()
	for want := range 3 {
		require.NoError(t, u.ResetOn(s.Region(), func(c *stackhop.Coro) { u.count++ }))
		runtime.GC()
		u.Switch()
		require.Equal(t, want+1, u.count)
	}
	require.NoError(t, u.Close())
	require.NoError(t, s.Close())
}

func TestInitRefusesWhatNewDoes(t *testing.T) {
	u := new(user)
	require.ErrorIs(t, u.Init(stackhop.Region{Lo: 16, Top: 32, Hi: 48}, nil), stackhop.ErrRegion)
	require.NoError(t, u.Init(stackhop.Region{}, nil), "the first one left no trace")
	require.NoError(t, u.Close())
}

// Who has a million coroutines pays for each byte.
func TestCoroIsSmall(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) == 8 { // SAFETY(K1): a size
		require.LessOrEqual(t, unsafe.Sizeof(stackhop.Coro{}), uintptr(152))
	}
}
