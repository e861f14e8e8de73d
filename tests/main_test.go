package tests

import (
	"flag"
	"testing"
	"time"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
)

// childLimit is when a child counts as hung. Nothing else measures time.
const childLimit = 2 * time.Minute

var stressDuration = flag.Duration("stress.duration", 0, "how long TestStress runs in all; 0: 20s, with -short 3s")

func TestMain(m *testing.M) {
	mmapstack.TraceMakers(!testsupport.IsChild())
	testsupport.Main(m, func() (leaks []string) {
		for _, maker := range mmapstack.Live() {
			leaks = append(leaks, maker.Stack+"\n"+maker.Trace)
		}
		for !initCoro.Done() {
			initCoro.Switch()
		}
		return leaks
	})
}

// asm reports whether the assembly backend serves: the portable one has no
// stacks of its own, and no fast path.
func asm() bool { return stackhop.Backend().Name == "asm" }

func needAsm(tb testing.TB) {
	tb.Helper()
	if b := stackhop.Backend(); b.Name != "asm" {
		tb.Skipf("this is about the asm backend; here serves %s: %s", b.Name, b.Reason)
	}
}

// sink keeps results, so that the compiler does not leave out what made them.
var sink int
