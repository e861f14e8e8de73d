package stackhop_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
)

// A goroutine may be asked to stop at the first instruction of all, where it spills its
// arguments: who called it must still hand over in the end.
func TestACoroutineThatIsPreemptedAtItsStartHandsOver(t *testing.T) {
	duration := 2 * time.Second
	if testing.Short() {
		duration = 300 * time.Millisecond
	}
	var stop atomic.Bool
	done := make(chan bool)
	go func() {
		for !stop.Load() {
			runtime.GC()
		}
		close(done)
	}()
	for end := time.Now().Add(duration); time.Now().Before(end); {
		for i := range 100 {
			c, err := stackhop.New(stackhop.Region{}, func(*stackhop.Coro) {
				if i%2 == 0 {
					runtime.Goexit()
				}
			})
			require.NoError(t, err)
			c.Switch()
			require.True(t, c.Done())
		}
	}
	stop.Store(true)
	<-done
}
