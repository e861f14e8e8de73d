//go:build goexperiment.runtimesecret

package tests

import (
	"runtime"
	"runtime/secret"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stretchr/testify/require"
)

// Code under runtime/secret goes on the slow path, where the runtime erases
// what it must. For builds with GOEXPERIMENT=runtimesecret.
func TestH15SecretMode(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		n := 0
		c := st.coro(t, func(c *stackhop.Coro) {
			for range 10 {
				secret.Do(func() { n++; runtime.GC() })
				c.Switch()
			}
		})
		for !c.Done() {
			secret.Do(func() { c.Switch() })
		}
		require.Equal(t, 10, n)
	})
}
