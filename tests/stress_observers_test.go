package tests

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"sync"
	"time"
)

// cpuRate is what CPU profiles sample at, in Hz.
const cpuRate = 1000

// keptFiles is how many files of each observer are kept for parsing.
const keptFiles = 2

// observers look at everything once, each from a goroutine of its own, over
// and over. i is the observer's number, n the turn's.
var observers = []func(s *stress, i, n int){
	func(*stress, int, int) { runtime.GC() },
	func(*stress, int, int) { debug.FreeOSMemory(); time.Sleep(5 * time.Millisecond) },
	func(*stress, int, int) { stacks() },
	func(*stress, int, int) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
	},
	func(s *stress, i, n int) { s.profile("goroutine", i, n) },
	func(s *stress, i, n int) { s.profile("heap", i, n) },
	func(s *stress, i, n int) {
		// From Go 1.27 on, else there is none. It allocates while objects are
		// checked, which gccheckmark takes for an error in any program.
		if !strings.Contains(os.Getenv("GODEBUG"), "gccheckmark=1") {
			s.profile("goroutineleak", i, n)
		}
		time.Sleep(time.Millisecond)
	},
	func(s *stress, i, n int) { // contention profiles: the frame pointers are walked
		runtime.SetBlockProfileRate(1 + n%2*1000)
		defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
		s.profile("block", i, n)
		s.profile("mutex", i+100, n)
	},
	func(s *stress, i, n int) {
		// StartCPUProfile asks for 100 Hz, and says on stderr that it did not
		// get it, because of the rate that is set already.
		runtime.SetCPUProfileRate(cpuRate)
		s.record("cpu", ".pprof", i, n, func(w io.Writer) error {
			if err := pprof.StartCPUProfile(w); err != nil {
				return err
			}
			time.Sleep(100 * time.Millisecond)
			pprof.StopCPUProfile()
			return nil
		})
	},
	func(s *stress, i, n int) {
		s.record("exec", ".trace", i, n, func(w io.Writer) error {
			if err := trace.Start(w); err != nil {
				return err
			}
			time.Sleep(time.Duration(n%4) * 5 * time.Millisecond)
			trace.Stop()
			return nil
		})
		time.Sleep(5 * time.Millisecond)
	},
	func(*stress, int, int) {
		samples := []metrics.Sample{{Name: "/sched/latencies:seconds"}, {Name: "/sched/goroutines:goroutines"}, {Name: "/gc/stack/starting-size:bytes"}}
		metrics.Read(samples)
		pprof.SetGoroutineLabels(pprof.WithLabels(labelContext, pprof.Labels("looks", fmt.Sprint(samples[1].Value.Uint64()))))
		runtime.Gosched()
	},
}

// profile writes the named profile.
func (s *stress) profile(name string, i, n int) {
	p := pprof.Lookup(name)
	if p == nil {
		time.Sleep(10 * time.Millisecond)
		return
	}
	s.record(name, ".pprof", i, n, func(w io.Writer) error {
		if n%3 == 0 {
			return p.WriteTo(w, 0)
		}
		if err := p.WriteTo(io.Discard, n%3); err != nil { // text, with and without labels
			return err
		}
		return p.WriteTo(w, 0)
	})
}

var stressFiles sync.Mutex

// record has write make a profile or trace, and keeps a few of them as files.
func (s *stress) record(name, ext string, i, n int, write func(io.Writer) error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		panic(fmt.Sprintf("%s: %v", name, err))
	}
	stressFiles.Lock()
	defer stressFiles.Unlock()
	path := filepath.Join(s.dir, fmt.Sprintf("%s-%d-%d%s", name, i, n%keptFiles, ext))
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		panic(err)
	}
}
