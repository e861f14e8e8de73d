package sched

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// HandOver may be called at any time: the runner may be replaced if, and only if, the
// last call has set a time.
func TestHandOverFromManyGoroutinesAtOnce(t *testing.T) {
	for range 2000 {
		l := NewLoop()
		var callers sync.WaitGroup
		for i := range 4 {
			callers.Go(func() { l.HandOver(time.Duration(i%2) * time.Hour) })
		}
		callers.Wait()
		require.Equal(t, l.lookout.handAfter != 0, l.beat.shared.Load())
	}
}
