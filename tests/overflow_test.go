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

// At least 9,999 of 10,000 overflows end the task with a *guard.OverflowError,
// every deferred call run exactly once, and nobody else's memory touched. The
// others are clean fatal errors that say what happened.
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
	died, seed := 0, 1
	for i, row := range overflowRows {
		t.Run(fmt.Sprintf("GOMAXPROCS=%s,GODEBUG=%s", row.procs, row.godebug), func(t *testing.T) {
			left := total/len(overflowRows) + i%2
			for left > 0 {
				n := min(left, batch)
				r := testsupport.RunChild(t, "overflows", childLimit+time.Duration(n)*overflowLimit(), "GOMAXPROCS="+row.procs, "GODEBUG="+row.godebug,
					overflowCountEnv+"="+strconv.Itoa(n), overflowSeedEnv+"="+strconv.Itoa(seed))
				seed++
				if r.Code != 0 {
					require.Contains(t, r.Stderr, "coroutine stack overflow", "seed %d: a death, but not a clean one: %s\n%s\n%s",
						seed-1, r.State, testsupport.Tail(r.Stdout), testsupport.Tail(r.Stderr))
					t.Logf("seed %d: clean death: %s", seed-1, firstLine(r.Stderr))
					died++
				} else {
					r.RequireOK(t)
				}
				left -= n
			}
		})
	}
	require.LessOrEqual(t, died*10_000, total, "%d of %d overflows were fatal", died, total)
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
