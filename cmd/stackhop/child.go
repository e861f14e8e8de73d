package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
)

// childCommand is the subcommand that bench runs in child processes.
const childCommand = "bench-child"

// A kind is one way to have many things suspended. Its park makes count of them
// and returns what keeps them alive.
type kind struct {
	flag, name string
	park       func(count int) (any, error)
}

func kinds() []kind {
	return []kind{
		{"tasks", "suspended tasks, " + defaultStorage(), tasks()},
		{"sized", "suspended tasks, 64 KiB by size", tasks(ctx.WithStackSize(64 << 10))},
		{"sized16", "suspended tasks, 16 KiB by size", tasks(ctx.WithStackSize(16 << 10))},
		{"strict", "suspended tasks, 64 KiB strict", tasks(ctx.WithStrictStack(64 << 10))},
		{"growing", "suspended tasks, 256 KiB growing", growingTasks(256 << 10)},
		{"goroutines", "parked goroutines", goroutines},
	}
}

// defaultStorage names what ctx.Spawn without an option runs tasks on.
func defaultStorage() string { return "default: " + storage("").Is }

// child is the process behind one footprint.
func child(args []string, out io.Writer) error {
	if len(args) != 2 {
		return &usageError{fmt.Errorf("%s is for stackhop bench only", childCommand)}
	}
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return &usageError{err}
	}
	for _, k := range kinds() {
		if k.flag == args[0] {
			fp, err := k.weigh(count)
			if err != nil {
				return err
			}
			return json.NewEncoder(out).Encode(fp)
		}
	}
	return &usageError{fmt.Errorf("%s: no kind %q", childCommand, args[0])}
}

func (k kind) weigh(count int) (footprint, error) {
	fp := footprint{Kind: k.name, Count: count, Resident: -1, PageTables: -1}
	settle()
	before, known := residentBytes()
	tables, tablesKnown := pageTableBytes()
	begin := time.Now()
	kept, err := k.park(count)
	if err != nil {
		return fp, err
	}
	fp.Create = float64(time.Since(begin).Nanoseconds()) / float64(count)
	settle()
	if after, ok := residentBytes(); ok && known {
		fp.Resident = (after - before) / int64(count)
	}
	if after, ok := pageTableBytes(); ok && tablesKnown {
		fp.PageTables = (after - tables) / int64(count)
	}
	sample := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	fp.HeapGoal, fp.Live = sample[0].Value.Uint64(), sample[1].Value.Uint64()
	runtime.KeepAlive(kept)
	return fp, nil
}

// settle lets two collections pass: the second finds what finalizers left.
func settle() {
	runtime.GC()
	runtime.GC()
}

// tasks returns a park that suspends tasks in their first call.
func tasks(opts ...ctx.Option) func(int) (any, error) {
	return func(count int) (any, error) {
		all := make([]*ctx.Task, count)
		for i := range all {
			t, err := ctx.Spawn(func(t *ctx.Task) { t.Yield() }, opts...)
			if err != nil {
				return nil, fmt.Errorf("task %d: %w", i, err)
			}
			all[i] = t
		}
		return all, nil
	}
}

// growingTasks is tasks on a pool of stacks that grow.
func growingTasks(size int) func(int) (any, error) {
	return func(count int) (any, error) {
		pool, err := guard.NewPool(guard.Growing, size)
		if err != nil {
			return nil, err
		}
		return tasks(ctx.WithPool(pool))(count)
	}
}

// goroutines parks goroutines in a receive of their own channel.
func goroutines(count int) (any, error) {
	all := make([]chan struct{}, count)
	var started sync.WaitGroup
	for i := range all {
		c := make(chan struct{})
		all[i] = c
		started.Add(1)
		go func() {
			started.Done()
			<-c
		}()
	}
	started.Wait()
	return all, nil
}
