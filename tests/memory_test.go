package tests

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stretchr/testify/require"
)

const (
	maxHeapGoalRatio = 1.5        // tasks against goroutines
	maxResident      = 7.5 * 1024 // bytes of a suspended task on a 16 KiB stack
)

// Many suspended tasks beside as many parked goroutines: heap goal (H27) and
// resident memory. Each figure is of a process of its own.
func TestMemoryOfSuspendedTasks(t *testing.T) {
	n := 100_000
	if testing.Short() || testsupport.Race {
		n = 5_000
	}
	if testsupport.Emulated() {
		n = 1_000
	}
	figures := map[string]footprint{}
	for _, kind := range []string{"goroutines", "tasks", "tasks of 16 KiB"} {
		r := testsupport.RunChild(t, "footprint", childLimit, "STACKHOP_KIND="+kind, "STACKHOP_N="+strconv.Itoa(n))
		r.RequireOK(t)
		var f footprint
		_, err := fmt.Sscanf(r.Stdout, "goal %d before %d resident %d live %d", &f.goal, &f.goalBefore, &f.resident, &f.live)
		require.NoError(t, err, r.Stdout)
		figures[kind] = f
		t.Logf("%-16s %d: heap goal %6.1f MB (%4.1f before them), heap live %6.1f MB, resident %6.1f MB, %5.0f bytes each",
			kind, n, mega(f.goal), mega(f.goalBefore), mega(f.live), mega(f.resident), float64(f.resident)/float64(n))
	}
	if !asm() {
		t.Skipf("the limits are those of the asm backend: %s", stackhop.Backend().Reason)
	}
	require.LessOrEqual(t, float64(figures["tasks"].goal), maxHeapGoalRatio*float64(figures["goroutines"].goal), "heap goal")
	if testsupport.Emulated() {
		t.Skip("resident memory is the emulator's")
	}
	if n == 100_000 {
		require.Less(t, float64(figures["tasks of 16 KiB"].resident)/float64(n), maxResident, "resident bytes of a task")
	}
}

func mega(n int64) float64 { return float64(n) / 1e6 }

type footprint struct{ goal, goalBefore, resident, live int64 }

var _ = testsupport.Child("footprint", func() {
	n, err := strconv.Atoi(os.Getenv("STACKHOP_N"))
	if err != nil {
		panic(err)
	}
	before := measure()
	stop := make(chan int)
	tasks := make([]*ctx.Task, 0, n)
	switch childKind() {
	case "goroutines":
		for range n {
			go func() { <-stop }()
		}
	case "tasks":
		tasks = spawnMany(tasks, n, mmapstack.DefaultSize)
	default:
		tasks = spawnMany(tasks, n, 16<<10)
	}
	after := measure()
	fmt.Printf("goal %d before %d resident %d live %d\nok\n", after.goal, before.goal, after.resident-before.resident, after.live)
	runtime.KeepAlive(tasks)
	close(stop)
	os.Exit(0)
})

func spawnMany(tasks []*ctx.Task, n, size int) []*ctx.Task {
	for range n {
		t, err := ctx.Spawn(func(t *ctx.Task) { t.Yield() }, ctx.WithStackSize(size))
		if err != nil {
			panic(err)
		}
		tasks = append(tasks, t)
	}
	return tasks
}

// measure collects, so that the goal is one of this moment, and reads the
// figures.
func measure() footprint {
	debug.FreeOSMemory()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f := footprint{goal: int64(m.NextGC), live: int64(m.HeapAlloc)}
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			pages, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				panic(err)
			}
			f.resident = pages * int64(os.Getpagesize())
		}
	}
	return f
}
