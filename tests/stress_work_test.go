package tests

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

type stressNode struct {
	next  *stressNode
	value uint64
	_     [3]uint64
}

var (
	stressMutex sync.Mutex
	stressShare = sync.Pool{New: func() any { return new([256]byte) }}
)

var stressWork = []func(t *stressTask){
	func(t *stressTask) { // a list on the heap
		var head *stressNode
		n := 10 + t.rnd.IntN(200)
		for i := range n {
			head = &stressNode{next: head, value: uint64(i)}
			if i%50 == 0 {
				t.yield()
			}
		}
		t.yield()
		for i := n - 1; head != nil; i, head = i-1, head.next {
			t.want(head.value == uint64(i), "list: %d at %d", head.value, i)
		}
	},
	func(t *stressTask) { // blocks of many sizes
		size := 8 << t.rnd.IntN(14)
		block := make([]byte, size)
		t.rnd.Uint64()
		fill := byte(size) ^ byte(t.rnd.Uint32())
		for i := range block {
			block[i] = fill
		}
		t.yield()
		for i := range block {
			t.want(block[i] == fill, "block of %d: %d at %d", size, block[i], i)
		}
	},
	func(t *stressTask) { // maps
		m := map[string]int{}
		for i := range 40 {
			m[fmt.Sprint("key ", i)] = i
		}
		t.yield()
		for k, v := range m {
			if v == 20 {
				t.yield()
			}
			t.want(k == fmt.Sprint("key ", v), "map: %q is %d", k, v)
		}
	},
	func(t *stressTask) { // fmt and JSON, suspending within
		got := fmt.Sprintf("%s-%d-%v", suspender{t.yield, "fmt"}, 7, suspender{t.yield, "v"})
		t.want(got == "fmt-7-v", "fmt: %q", got)
		data, err := json.Marshal([]any{suspender{t.yield, "json"}, map[string]int{"a": 1}})
		t.want(err == nil && string(data) == `["json",{"a":1}]`, "json: %q %v", data, err)
	},
	func(t *stressTask) { // defers and panics
		var order []int
		func() {
			defer func() {
				t.yield()
				v := recover()
				t.want(v == "thrown", "recovered %v", v)
			}()
			for i := range 5 {
				defer func() { t.yield(); order = append(order, i) }()
			}
			panic("thrown")
		}()
		t.want(slices.Equal(order, []int{4, 3, 2, 1, 0}), "defers ran %v", order)
	},
	func(t *stressTask) { // timers
		timer := time.NewTimer(time.Hour)
		fired := time.After(time.Duration(t.rnd.IntN(200)) * time.Microsecond)
		time.Sleep(time.Duration(t.rnd.IntN(100)) * time.Microsecond)
		t.yield()
		select {
		case <-fired:
		case <-timer.C:
			t.want(false, "the wrong timer")
		}
		t.want(timer.Stop(), "timer")
	},
	func(t *stressTask) { // channels that block
		q := question{t.rnd.Uint64(), make(chan uint64, 1)}
		t.s.echo <- q
		if q.value%2 == 0 {
			t.yield()
		}
		got := <-q.answer
		t.want(got == ^q.value, "echo: %#x of %#x", got, q.value)
	},
	func(t *stressTask) { // system calls that block and those that don't
		r, w, err := os.Pipe()
		if err != nil {
			panic(err)
		}
		go func() {
			runtime.Gosched()
			_, _ = w.Write([]byte("x")) // what is missing shows below
			_ = w.Close()
		}()
		t.yield()
		var b [4]byte
		n, err := r.Read(b[:])
		t.want(n == 1 && b[0] == 'x' && err == nil, "pipe: %q %v", b[:n], err)
		_ = r.Close()
		t.want(os.Getpid() > 0, "pid")
	},
	func(t *stressTask) { // files
		f, err := os.CreateTemp(t.s.dir, "*.data")
		if err != nil {
			panic(err)
		}
		path := f.Name()
		data := []byte(strings.Repeat(filepath.Base(path), 100))
		sum := sha256.Sum256(data)
		_, err = f.Write(data)
		t.want(err == nil, "write: %v", err)
		t.yield()
		t.want(f.Close() == nil, "close")
		got, err := os.ReadFile(path)
		t.want(err == nil && sha256.Sum256(got) == sum, "file: %d bytes, %v", len(got), err)
		t.want(os.Remove(path) == nil, "remove")
	},
	func(t *stressTask) { // depth: a pointer in every frame
		t.want(t.deep(40, nil) == 40*41/2, "depth")
	},
	func(t *stressTask) { // a comparator that suspends
		v := make([]int, 30)
		for i := range v {
			v[i] = t.rnd.IntN(1000)
		}
		n := 0
		sort.Slice(v, func(i, j int) bool {
			if n++; n%16 == 0 {
				t.yield()
			}
			return v[i] < v[j]
		})
		t.want(slices.IsSorted(v), "sorted: %v", v)
	},
	func(t *stressTask) { // nothing but switches
		a, b, x := t.rnd.Uint64(), t.rnd.Uint64(), t.rnd.Float64()
		sum, y := a+b, x*x
		for range 300 {
			t.yield()
			t.want(a+b == sum && x*x == y, "locals: %#x + %#x, %g", a, b, x)
		}
	},
	func(t *stressTask) { // looking at oneself, and the scheduler
		t.want(len(debug.Stack()) > 0, "stack text")
		var pcs [32]uintptr
		t.want(runtime.Callers(0, pcs[:]) > 3, "callers")
		runtime.Gosched()
		t.yield()
		stressMutex.Lock()
		b := stressShare.Get().(*[256]byte)
		b[0]++
		stressShare.Put(b)
		stressMutex.Unlock()
	},
}

//go:noinline
func (t *stressTask) deep(n int, up *int) int {
	own := n
	p := &own
	if n%16 == 0 {
		t.yield()
	}
	if up != nil {
		t.want(*up == n+1, "frame: %d above %d", *up, n)
	}
	if n == 0 {
		return 0
	}
	heap := make([]int, 16)
	heap[3] = n
	below := t.deep(n-1, p)
	t.want(*p == n && heap[3] == n, "frame: %d, heap %d, want %d", *p, heap[3], n)
	return below + n
}
