//go:build goexperiment.runtimesecret && linux

package tests

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/secret"
	"strings"
	"testing"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
)

// What code in secret.Do has done is nowhere in the process when it is over, however
// it ends: on stacks that grow, in a reserve, on auxiliary ones, in frames that a
// cancel has dropped.
func TestH15NothingIsLeftOfASecret(t *testing.T) {
	needAsm(t)
	if testsupport.Emulated() {
		t.Skip("/proc/self/mem is the emulator's memory")
	}
	for _, on := range []string{"strict", "growing", "native"} {
		for _, name := range secretBodyNames {
			if on != "growing" && name == "overflows" {
				continue // fatal, as it says
			}
			t.Run(on+"/"+name, func(t *testing.T) {
				testsupport.RunChild(t, "secret", childLimit, fmt.Sprintf("STACKHOP_KIND=%s %s", on, name)).RequireOK(t)
			})
		}
	}
}

var secretBodyNames = []string{"nothing", "returns", "grows", "panics", "goexit", "cancelled", "hops", "overflows"}

// secretBodies do their secret work in secret.Do.
var secretBodies = map[string]func(t *ctx.Task){
	"nothing": func(*ctx.Task) {},
	"returns": func(*ctx.Task) { secret.Do(func() { spread(2) }) },
	"grows": func(t *ctx.Task) {
		secret.Do(func() {
			for n := range 60 {
				spread(n)
			}
		})
	},
	"panics": func(*ctx.Task) {
		defer func() { _ = recover() }()
		secret.Do(func() { spreadThen(30, func() { panic("end") }) })
	},
	"goexit":    func(*ctx.Task) { secret.Do(func() { spreadThen(30, runtime.Goexit) }) },
	"cancelled": func(t *ctx.Task) { secret.Do(func() { spreadThen(30, t.Yield) }) },
	"hops": func(t *ctx.Task) {
		secret.Do(func() {
			spread(5)
			check(guard.Grow(60<<10, func() { spread(100); t.Yield(); spread(50) }))
		})
		if secret.Enabled() {
			panic("in secret mode still")
		}
	},
	"overflows": func(t *ctx.Task) {
		secret.Do(func() {
			func() {
				defer func() {
					if err, _ := recover().(error); !errors.Is(err, guard.ErrOverflow) {
						panic(err)
					}
					spread(10)
				}()
				spread(1 << 20)
			}()
			t.Yield() // closes the reserve
		})
	},
}

// spreadThen calls then with the secret in n frames above.
//
//go:noinline
func spreadThen(n int, then func()) (sum byte) {
	var frame [64]uint64
	for i := range frame {
		frame[i] = secretHalves[0] | secretHalves[1]
	}
	if n > 0 {
		sum = spreadThen(n-1, then)
	} else {
		then()
	}
	return sum + byte(frame[n%len(frame)])
}

var _ = testsupport.Child("secret", func() {
	runtime.GOMAXPROCS(1)
	on, name, _ := strings.Cut(childKind(), " ")
	storage := ctx.WithNativeStack()
	if on != "native" {
		policy := guard.Strict
		if on == "growing" {
			policy = guard.Growing
		}
		pool, err := guard.NewPool(policy, 64<<10, mmapstack.WithMax(1))
		check(err)
		storage = ctx.WithPool(pool)
	}
	for range 3 {
		t, err := ctx.Spawn(secretBodies[name], storage)
		check(err)
		for !t.Done() {
			if name == "cancelled" {
				check(t.Cancel(errors.New("enough")))
			} else {
				check(t.Resume())
			}
		}
		if name != "cancelled" && name != "goexit" {
			check(t.Err())
		}
		t, err = ctx.Spawn(func(*ctx.Task) {
			if secret.Enabled() {
				panic("the next task is in secret mode")
			}
		}, storage)
		check(err)
		check(t.Err())
	}
	// A collection has the threads erase their signal stacks, in their own time: what
	// a preemption has left there goes away, what is left elsewhere stays.
	n, where := 1, []string(nil)
	for tries := 0; n != 0 && tries < 50; tries++ {
		runtime.GC()
		time.Sleep(time.Duration(tries) * time.Millisecond)
		n, where = secretsInProcess()
	}
	if n != 0 {
		fmt.Println(n, where)
		return
	}
	fmt.Println("ok")
})

// secretsInProcess counts the words of the process's writable memory that are the
// secret, and names where they are.
func secretsInProcess() (n int, where []string) {
	maps, err := os.ReadFile("/proc/self/maps")
	check(err)
	mem, err := os.Open("/proc/self/mem")
	check(err)
	defer func() { _ = mem.Close() }()
	lines := bufio.NewScanner(strings.NewReader(string(maps)))
	buf := make([]byte, 1<<16)
	for lines.Scan() {
		var lo, hi uint64
		var access string
		_, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &lo, &hi, &access)
		check(err)
		if !strings.HasPrefix(access, "rw") {
			continue
		}
		found := 0
		for at := int64(lo); at < int64(hi); at += int64(len(buf)) {
			k, err := mem.ReadAt(buf[:min(int64(len(buf)), int64(hi)-at)], at)
			if err != nil && !errors.Is(err, io.EOF) && k == 0 {
				// A guard: page by page.
				for p := at; p < min(at+int64(len(buf)), int64(hi)); p += 4096 {
					if k, _ := mem.ReadAt(buf[:4096], p); k == 4096 {
						found += secretsIn(buf[:4096])
					}
				}
				continue
			}
			found += secretsIn(buf[:k&^7])
		}
		if found != 0 {
			n += found
			where = append(where, fmt.Sprintf("%d in %s", found, lines.Text()))
		}
	}
	return n, where
}

// secretsIn counts them in b, and clears it.
func secretsIn(b []byte) (n int) {
	for i := 0; i+8 <= len(b); i += 8 {
		w := uint64(0)
		for k := 7; k >= 0; k-- {
			w = w<<8 | uint64(b[i+k])
		}
		if isSecret(w) {
			n++
		}
	}
	clear(b)
	return n
}
