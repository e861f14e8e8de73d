package tests

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
)

var scaleTasks = flag.Int("scale.tasks", 0, "how many tasks TestScale suspends; 0: 10000, with -short 1000")

const (
	scaleSamples = 2000 // guards that are touched
	// A slab holds 256 stacks of the default size at least, but for the first few.
	scalePerMapping = 200
)

var scaleStorage = map[string]ctx.Option{
	"default": {},
	"sized":   ctx.WithStackSize(64 << 10),
	"strict":  ctx.WithStrictStack(64 << 10),
}

// What a child with many suspended tasks, or goroutines, finds.
type scale struct {
	N                  int
	Mappings           int // that they cost
	Resident, Tables   int // bytes: memory, and page tables, which memory does not count
	Spawn, Resume      time.Duration
	GC                 time.Duration
	Goal               int // of the heap, in bytes
	Sampled            int // guards that faulted as they must
	Guard, Kind, Error string
}

// Many tasks, suspended at the same time with default system limits: each has its
// guard, and they cost a handful of mappings. On a kernel without guard regions
// there is an error that names the limit, and each stack that was got has its guard. The child ends by the last guard that it touches.
func TestScale(t *testing.T) {
	needAsm(t)
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	n := *scaleTasks
	if n == 0 {
		n = testsupport.Scale(10_000)
		if testing.Short() {
			n = 1000
		}
	}
	goroutines := scaleOf(t, "goroutines", n)
	goroutines.log(t)
	for _, kind := range []string{"default", "sized", "strict"} {
		t.Run(kind, func(t *testing.T) {
			tasks := scaleOf(t, kind, n)
			tasks.log(t)
			t.Logf("tasks to goroutines: GC %.2f, heap goal %.2f; %d guards by %s sampled",
				float64(tasks.GC)/float64(goroutines.GC), float64(tasks.Goal)/float64(goroutines.Goal), tasks.Sampled, tasks.Guard)
			tasks.require(t, n, goroutines)
		})
	}
}

func (s *scale) log(t *testing.T) {
	t.Logf("%-10s %d: %d mappings, %.0f bytes resident and %.0f of page tables each; spawn %v, resume %v each; GC %v, heap goal %.1f MB",
		s.Kind, s.N, s.Mappings, float64(s.Resident)/float64(s.N), float64(s.Tables)/float64(s.N), s.Spawn, s.Resume, s.GC, mega(int64(s.Goal)))
}

func (tasks *scale) require(t *testing.T, n int, goroutines scale) {
	if tasks.Kind == "default" {
		require.Empty(t, tasks.Error)
		require.Equal(t, n, tasks.N)
		require.LessOrEqual(t, float64(tasks.Goal), maxHeapGoalRatio*float64(goroutines.Goal), "heap goal")
		return
	}
	require.Equal(t, min(scaleSamples, tasks.N), tasks.Sampled)
	switch tasks.Guard {
	case "mprotect":
		if tasks.N < n {
			require.Contains(t, tasks.Error, "vm.max_map_count is ")
			require.Contains(t, tasks.Error, "raise it, or use Linux 6.13 or newer")
		}
		return
	default:
		require.Empty(t, tasks.Error)
		require.Equal(t, n, tasks.N)
		require.Less(t, tasks.Mappings, n/scalePerMapping+100)
	}
	require.LessOrEqual(t, float64(tasks.Goal), maxHeapGoalRatio*float64(goroutines.Goal), "heap goal")
}

func TestTouchingTheGuardOfASuspendedTaskIsFatal(t *testing.T) {
	needAsm(t)
	for _, i := range []int{0, 15, 16, 99} { // both ends of a slab among them
		r := testsupport.RunChild(t, "scale-touch", childLimit, "STACKHOP_N="+strconv.Itoa(i))
		require.NotZero(t, r.Code)
		_, addr, ok := strings.Cut(strings.TrimSpace(r.Stdout), "guard at ")
		require.True(t, ok, r.Stdout)
		require.NotContains(t, addr, "ok")
		require.Contains(t, r.Stderr, "unexpected fault address "+addr)
		note, _, _ := strings.Cut(r.Stderr, "\n")
		require.Regexp(t, fmt.Sprintf(`^stackhop: fault at %s, in the guard of the stack 0x[0-9a-f]+-0x[0-9a-f]+ of task "number %d"$`, addr, i), note)
	}
}

func scaleOf(t *testing.T, kind string, n int) (s scale) {
	t.Helper()
	r := testsupport.RunChild(t, "scale", childLimit+time.Duration(n)*100*time.Microsecond,
		"STACKHOP_KIND="+kind, "STACKHOP_N="+strconv.Itoa(n))
	require.NoError(t, json.Unmarshal([]byte(firstLine(r.Stdout)), &s), "%s\n%s", testsupport.Tail(r.Stdout), testsupport.Tail(r.Stderr))
	r.RequireOK(t)
	return s
}

var _ = testsupport.Child("scale", func() {
	s := scale{N: envInt("STACKHOP_N"), Kind: childKind()}
	s.Guard, _ = mmapstack.GuardKind()
	before, maps, tables := measure(), countMappings(), pageTables()
	var (
		tasks []*ctx.Task
		stop  = make(chan int)
	)
	start := time.Now()
	if s.Kind == "goroutines" {
		for range s.N {
			go func() { <-stop; <-stop }()
		}
		runtime.Gosched()
	} else {
		tasks = make([]*ctx.Task, 0, s.N)
		for range s.N {
			t, err := ctx.Spawn(func(t *ctx.Task) { t.Yield(); t.Yield() }, scaleStorage[s.Kind])
			if err != nil {
				s.Error = err.Error()
				break
			}
			tasks = append(tasks, t)
		}
		s.N = len(tasks)
	}
	s.Spawn = time.Since(start) / time.Duration(s.N)

	start = time.Now()
	for _, t := range tasks {
		check(t.Resume())
	}
	if s.Kind == "goroutines" {
		for range s.N {
			stop <- 1
		}
	}
	s.Resume = time.Since(start) / time.Duration(s.N)

	after := measure()
	s.Resident, s.Goal = int(after.resident-before.resident), int(after.goal)
	s.Mappings, s.Tables = countMappings()-maps, pageTables()-tables
	const rounds = 3
	start = time.Now()
	for range rounds {
		runtime.GC()
	}
	s.GC = time.Since(start) / rounds

	for i := range min(scaleSamples, len(tasks)) {
		task := tasks[i*len(tasks)/min(scaleSamples, len(tasks))]
		if task.Stack() == nil {
			break // the runtime's own
		}
		if r := task.Stack().Region(); faultsAt(r.Lo-1) && faultsAt(r.Lo-4096) && faultsAt(guardAbove(r)) {
			s.Sampled++
		}
	}
	line, err := json.Marshal(s)
	check(err)
	fmt.Println(string(line))
	close(stop)
	fmt.Println("ok")
	os.Exit(0) // the tasks are not ended
})

// The touch of a guard is fatal, and says where. The runtime's dump has all
// goroutines, so that there are few here.
var _ = testsupport.Child("scale-touch", func() {
	check(guard.Install())
	var tasks []*ctx.Task
	for i := range 100 {
		task, err := ctx.Spawn(func(t *ctx.Task) { t.Yield() }, ctx.WithName(fmt.Sprint("number ", i)), ctx.WithStrictStack(64<<10))
		check(err)
		tasks = append(tasks, task)
	}
	below := tasks[envInt("STACKHOP_N")].Stack().Region().Lo - 8
	fmt.Printf("guard at %#x\n", below)
	touch(below)
	fmt.Println("ok")
})

// guardAbove is the first page above the memory of r.
func guardAbove(r stackhop.Region) uintptr {
	page := uintptr(os.Getpagesize())
	return (r.Top + page - 1) &^ (page - 1)
}

// faultsAt reports whether a write to addr faults there.
func faultsAt(addr uintptr) (yes bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		fault, ok := recover().(interface{ Addr() uintptr })
		yes = ok && fault.Addr() == addr
	}()
	touch(addr)
	return false
}

func countMappings() int {
	text, err := os.ReadFile("/proc/self/maps")
	check(err)
	return strings.Count(string(text), "\n")
}

// pageTables returns how many bytes the process has of them, 0 if unknown.
func pageTables() int {
	text, err := os.ReadFile("/proc/self/status")
	check(err)
	_, rest, _ := strings.Cut(string(text), "VmPTE:")
	var kb int
	_, _ = fmt.Sscan(rest, &kb) // an emulator has none
	return kb << 10
}
