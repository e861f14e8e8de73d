package tests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stretchr/testify/require"
)

const (
	stressForEnv = "STACKHOP_STRESS_FOR"
	stressDirEnv = "STACKHOP_STRESS_DIR"
)

// stressRows are the processes that TestStress runs, one after the other.
var stressRows = []struct{ procs, godebug string }{
	{"1", ""},
	{"2", ""},
	{"8", ""},
	{"8", "gccheckmark=1"},
	{"2", "clobberfree=1"},
	{"2", "asyncpreemptoff=1"},
}

// TestStress has tasks do everything while everybody looks at them. Every task
// checks its own data, so that corruption shows. Each row is a process; what
// it took of profiles and traces is parsed afterwards.
func TestStress(t *testing.T) {
	total := *stressDuration
	if total == 0 {
		total = 20 * time.Second
		if testing.Short() {
			total = 3 * time.Second
		}
	}
	for _, row := range stressRows {
		t.Run(fmt.Sprintf("GOMAXPROCS=%s,GODEBUG=%s", row.procs, row.godebug), func(t *testing.T) {
			dir := t.TempDir()
			r := testsupport.RunChild(t, "stress", total+childLimit,
				"GOMAXPROCS="+row.procs, "GODEBUG="+row.godebug,
				stressForEnv+"="+(total/time.Duration(len(stressRows))).String(), stressDirEnv+"="+dir)
			r.RequireOK(t)
			t.Log(strings.TrimSpace(r.Stdout))
			requireParse(t, dir)
		})
	}
}

// requireParse checks the traces and profiles in dir.
func requireParse(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	var traces, profiles int
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		switch filepath.Ext(path) {
		case ".trace":
			if testsupport.NoGo() != "" {
				continue
			}
			events, err := testsupport.CheckTrace(path)
			require.NoError(t, err)
			require.NotEmpty(t, events)
			traces++
		case ".pprof":
			require.NoError(t, testsupport.CheckProfile(path))
			profiles++
		}
	}
	t.Logf("parsed %d traces and %d profiles %s", traces, profiles, testsupport.NoGo())
	require.Positive(t, profiles)
}

var _ = testsupport.Child("stress", func() {
	d, err := time.ParseDuration(os.Getenv(stressForEnv))
	if err != nil {
		panic(err)
	}
	seed := uint64(time.Now().UnixNano())
	fmt.Printf("backend %s, seed %d\n", stackhop.Backend().Name, seed)
	s := newStress(seed, os.Getenv(stressDirEnv))
	s.run(d)
	fmt.Println(s)
	if s.switches.Load() == 0 { // tasks may be too slow to end under an emulator
		panic("nothing ran")
	}
	fmt.Println("ok")
})

// A stress is one process of the test.
type stress struct {
	seed    uint64
	dir     string
	workers int
	each    int           // tasks of one worker
	stop    atomic.Bool   // workers and observers stop
	hot     atomic.Int64  // the observer that may look without a pause
	echo    chan question // a goroutine answers what comes
	pool    *mmapstack.Pool
	swap    chan *stressTask // tasks change hands, and threads, through it

	switches, ended, looks atomic.Uint64
}

type question struct {
	value  uint64
	answer chan uint64 // with room for it
}

func newStress(seed uint64, dir string) *stress {
	s := &stress{seed: seed, dir: dir, workers: 8, each: 40, echo: make(chan question), swap: make(chan *stressTask, 32)}
	if testsupport.Emulated() {
		s.workers, s.each = 4, 10
	}
	pool, err := mmapstack.NewPool(64 << 10)
	if err == nil {
		s.pool = pool
	}
	return s
}

func (s *stress) String() string {
	return fmt.Sprintf("%d workers, %d tasks each: %d round trips, %d tasks ended, %d looks by %d kinds of observer",
		s.workers, s.each, s.switches.Load(), s.ended.Load(), s.looks.Load(), len(observers))
}

// run runs workers and observers for d, then lets every task come to its end.
func (s *stress) run(d time.Duration) {
	var work, look sync.WaitGroup
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		for q := range s.echo {
			q.answer <- ^q.value
		}
	}()
	for i := range s.workers {
		work.Go(func() {
			if i%4 == 3 { // its tasks are resumed with the thread locked
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
			}
			s.work(rand.New(rand.NewPCG(s.seed, uint64(i))))
		})
	}
	for i, o := range observers {
		look.Go(func() {
			for n := 0; !s.stop.Load(); n++ {
				begin := time.Now()
				o(s, i, n)
				s.looks.Add(1)
				if int(s.hot.Load()) != i {
					time.Sleep(min(8*time.Since(begin), d/10))
				}
			}
		})
	}
	for i := range observers { // each has its turn at full speed
		s.hot.Store(int64(i))
		time.Sleep(d / time.Duration(len(observers)))
	}
	s.stop.Store(true)
	work.Wait()
	look.Wait()
	close(s.echo)
	<-echoed
	close(s.swap)
	for t := range s.swap {
		t.finish()
	}
	if s.pool != nil {
		if err := s.pool.Close(); err != nil {
			panic(err)
		}
	}
}

// exchange gives t away, and takes another or nothing for it.
func (s *stress) exchange(t *stressTask) *stressTask {
	select {
	case s.swap <- t:
	default: // full
		return t
	}
	select {
	case other := <-s.swap:
		return other
	default:
		return nil
	}
}

// work resumes tasks in any order, and exchanges some with other workers.
func (s *stress) work(rnd *rand.Rand) {
	tasks := make([]*stressTask, s.each)
	for !s.stop.Load() {
		i := rnd.IntN(len(tasks))
		if tasks[i] == nil {
			tasks[i] = s.newTask(rnd)
		}
		s.switches.Add(1)
		if tasks[i].resume() {
			s.ended.Add(1)
			tasks[i] = nil
			continue
		}
		if rnd.IntN(8) == 0 {
			tasks[i] = s.exchange(tasks[i])
		}
	}
	for _, t := range tasks {
		if t != nil {
			t.finish()
		}
	}
}
