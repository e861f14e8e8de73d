//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package tests

import (
	"io"
	"runtime"
	"runtime/trace"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
)

//go:noescape
func poisonedSwitch(pattern uint64, c *stackhop.Coro, seen *registers) (refused uintptr)

// H11: every register that Go's ABI leaves to the callee holds something else on
// each side of each switch, and those that it names are right on arrival, whichever
// way the switch went.
func TestH11PoisonedRegisters(t *testing.T) {
	needAsm(t) // also forced to the portable backend
	for _, way := range []struct {
		name string
		look func() (stop func())
	}{
		{"nobody looks", func() func() { return func() {} }},
		{"the collector marks", func() func() {
			done, ended := make(chan bool), make(chan bool)
			go func() {
				defer close(ended)
				for {
					select {
					case <-done:
						return
					default:
						runtime.GC()
					}
				}
			}()
			return func() { close(done); <-ended }
		}},
		{"a trace is taken", func() func() {
			if trace.IsEnabled() {
				t.Skip("the test binary is being traced already")
			}
			require.NoError(t, trace.Start(io.Discard))
			return trace.Stop
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			eachStorage(t, func(t *testing.T, st storage) {
				defer way.look()()
				const rounds = 300
				var owner, body []registers
				switchPoisoned := func(c *stackhop.Coro, pattern uint64, all *[]registers) {
					var seen registers
					if refused := poisonedSwitch(pattern, c, &seen); refused != 0 {
						panic("the switch was refused")
					}
					*all = append(*all, seen)
				}
				c := st.coro(t, func(c *stackhop.Coro) {
					for i := range uint64(rounds) {
						switchPoisoned(c, ^i*0x9e3779b97f4a7c15, &body)
					}
				})
				for i := uint64(0); !c.Done(); i++ {
					switchPoisoned(c, i*0x9e3779b97f4a7c15, &owner)
				}
				require.Len(t, body, rounds)
				require.Len(t, owner, rounds+1)
				for side, all := range map[string][]registers{"owner": owner, "body": body} {
					for i, seen := range all {
						for r, diff := range seen {
							require.Zero(t, diff, "%s, switch %d: %s is off by %#x", side, i, seenNames[r], diff)
						}
					}
				}
			})
		})
	}
}
