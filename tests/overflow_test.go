package tests

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
)

var overflowCount = flag.Int("overflow.count", 0, "how many overflows TestOverflowCampaign makes; 0: 3000, with -short 120")

const (
	overflowCountEnv = "STACKHOP_OVERFLOWS"
	overflowSeedEnv  = "STACKHOP_OVERFLOW_SEED"
)

// overflowRows are the processes between which a campaign is divided.
var overflowRows = []struct{ procs, godebug string }{
	{"2", ""},
	{"1", ""},
	{"4", "asyncpreemptoff=1"},
	{"4", "gccheckmark=1"},
	{"4", "clobberfree=1"},
}

// Every overflow ends the task with a *guard.OverflowError, every deferred call run
// exactly once, and nobody else's memory touched.
func TestOverflowCampaign(t *testing.T) {
	needAsm(t)
	total := *overflowCount
	if total == 0 {
		total = 3000
		if testing.Short() {
			total = 120
		}
	}
	const batch = 5000 // a process each, so that a death loses little
	seed := 1
	for i, row := range overflowRows {
		t.Run(fmt.Sprintf("GOMAXPROCS=%s,GODEBUG=%s", row.procs, row.godebug), func(t *testing.T) {
			left := total/len(overflowRows) + i%2
			for left > 0 {
				n := min(left, batch)
				t.Logf("%d overflows, seed %d", n, seed)
				r := testsupport.RunChild(t, "overflows", childLimit+time.Duration(n)*overflowLimit(), "GOMAXPROCS="+row.procs, "GODEBUG="+row.godebug,
					overflowCountEnv+"="+strconv.Itoa(n), overflowSeedEnv+"="+strconv.Itoa(seed))
				r.RequireOK(t)
				seed++
				left -= n
			}
		})
	}
}

// A recursion that parks at each level, in any way, ends its task with a
// *guard.OverflowError when the stack is full, every time.
func TestOverflowOfRecursionThatParksIsSurvived(t *testing.T) {
	needAsm(t)
	rounds := 6
	if testing.Short() {
		rounds = 1
	}
	r := testsupport.RunChild(t, "parks", childLimit, overflowCountEnv+"="+strconv.Itoa(rounds))
	r.RequireOK(t)
}

// No deferred call is lost to an overflow, whatever the form of the defer statement and
// wherever the stack ends: in place of the call, in the middle of the function, or
// in what the compiler has put between the two.
func TestDeferredCallIsNeverLostToAnOverflow(t *testing.T) {
	needAsm(t)
	step := 1
	if testing.Short() {
		step = 7
	}
	r := testsupport.RunChild(t, "defers", childLimit, overflowCountEnv+"="+strconv.Itoa(step))
	r.RequireOK(t)
	t.Log(firstLine(r.Stdout))
}

// overflowLimit is how long one more overflow may take before a child counts as
// hung. With everybody looking on, one P is mostly theirs.
func overflowLimit() time.Duration {
	if testsupport.Emulated() {
		return 3 * time.Second
	}
	return 100 * time.Millisecond
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// growPool is a pool of stacks that grow, closed with the test.
func growPool(tb testing.TB, size int) *mmapstack.Pool {
	tb.Helper()
	needAsm(tb)
	p, err := guard.NewPool(guard.Growing, size)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, p.Close()) })
	return p
}

func envInt(name string) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		panic(err)
	}
	return n
}
