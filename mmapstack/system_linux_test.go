package mmapstack

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func closedToRead(mem []byte) bool { return faults(mem) }

// mappings counts the lines of /proc/self/maps.
func mappings(t *testing.T) int {
	text, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	return strings.Count(string(text), "\n")
}

func TestGuardKindIsWhatTheKernelDoes(t *testing.T) {
	kind, why := GuardKind()
	t.Logf("%s: %s", kind, why)
	require.Contains(t, []string{"MADV_GUARD_INSTALL", "mprotect"}, kind)
	require.NotEmpty(t, why)
}

func TestGapsAreClosedAndStacksAreOpen(t *testing.T) {
	if probedGuard() != guardMadvise {
		t.Skip("without MADV_GUARD_INSTALL the system call that looks may not see guards (QEMU)")
	}
	eachGuard(t, func(t *testing.T, g guardKind) {
		p := newPool(t, 16<<10, g, WithMax(16))
		var all []*Stack
		defer func() {
			for _, s := range all {
				p.Put(s)
			}
		}()
		for i := range 16 {
			s, err := p.Get()
			require.NoError(t, err)
			all = append(all, s)
			lo := int(s.lo() - addrOf(s.slab.mem))
			page := os.Getpagesize()
			for off := lo - p.lay.gap; off < lo; off += page {
				require.True(t, faults(s.slab.mem[off:]), "stack %d, guard at %d", i, off-lo)
			}
			for off := lo; off < lo+s.Size(); off += page {
				require.False(t, faults(s.slab.mem[off:]), "stack %d at %d", i, off-lo)
			}
			for off := lo + s.Size(); off < lo+s.Size()+p.lay.gap; off += page {
				require.True(t, faults(s.slab.mem[off:]), "stack %d, dead space at %d", i, off-lo)
			}
		}
	})
}

func init() {
	touch := func(g guardKind, off int, opts ...PoolOption) {
		p, err := NewPool(16<<10, opts...)
		if err != nil {
			panic(err)
		}
		p.guard = g
		s, err := p.Get()
		if err != nil {
			panic(err)
		}
		lo := int(s.lo() - addrOf(s.slab.mem))
		s.slab.mem[lo], s.slab.mem[lo+s.Size()-1] = 1, 1
		fmt.Printf("touching %#x\n", s.lo()+uintptr(off))
		s.slab.mem[lo+off] = 1
		fmt.Println("survived")
	}
	children["guard-madvise"] = func() { touch(guardMadvise, -1) }
	children["guard-mprotect"] = func() { touch(guardMprotect, -1) }
	children["guard-mprotect-far"] = func() { touch(guardMprotect, -8000, WithPoolGuard(8<<10)) }
	children["open-mprotect"] = func() { touch(guardMprotect, 1) }
	children["no-memory"] = noMemory
}

func TestTouchingTheGuardIsFatal(t *testing.T) {
	for name, dies := range map[string]bool{
		"guard-madvise": true, "guard-mprotect": true, "guard-mprotect-far": true, "open-mprotect": false,
	} {
		t.Run(name, func(t *testing.T) {
			if name == "guard-madvise" && probedGuard() != guardMadvise {
				t.Skip("the kernel has no MADV_GUARD_INSTALL")
			}
			out, exit := child(t, name)
			require.Contains(t, out, "touching 0x")
			if !dies {
				require.Contains(t, out, "survived")
				require.Zero(t, exit)
				return
			}
			require.NotContains(t, out, "survived")
			require.NotZero(t, exit)
			require.Contains(t, out, "SIGSEGV")
			_, addr, _ := strings.Cut(out, "touching ")
			addr, _, _ = strings.Cut(addr, "\n")
			require.Contains(t, out, "addr="+addr)
		})
	}
}

func TestTenThousandStacksTakeFewMappings(t *testing.T) {
	eachGuard(t, func(t *testing.T, g guardKind) {
		p := newPool(t, 16<<10, g)
		runtime.GC()
		before := mappings(t)
		const n = 10_000
		all := make([]*Stack, 0, n)
		for range n {
			s, err := p.Get()
			require.NoError(t, err)
			all = append(all, s)
		}
		grown := mappings(t) - before
		t.Logf("%d mappings for %d stacks in %d slabs", grown, n, p.Stats().Slabs)
		if g == guardMadvise {
			require.Less(t, grown, 100)
		} else {
			require.Less(t, grown, 2*n+100)
			require.Equal(t, 2*n, Totals().GuardMaps)
		}
		for _, s := range all {
			p.Put(s)
		}
		require.NoError(t, p.Close())
		require.Less(t, mappings(t), before+60)
		require.Zero(t, Totals().Bytes)
	})
}

func TestGuardsByMprotectStayWithinTheirShare(t *testing.T) {
	p := newPool(t, 16<<10, guardMprotect)
	s, err := p.Get()
	require.NoError(t, err)
	taken := int64(mapLimit()/2) - totals.guardMaps.Load()
	require.True(t, chargeMaps(taken))
	before := Totals()
	_, err = p.Get()
	require.ErrorIs(t, err, ErrMap)
	var e *MapError
	require.ErrorAs(t, err, &e)
	require.Equal(t, "mprotect", e.Op)
	require.Equal(t, 16<<10, e.Size)
	require.Contains(t, err.Error(), "vm.max_map_count is ")
	require.Contains(t, err.Error(), "raise it, or use Linux 6.13 or newer")
	own, err := New(0)
	if probedGuard() == guardMprotect {
		require.ErrorIs(t, err, ErrMap)
		require.Equal(t, before, Totals())
	} else {
		require.NoError(t, err)
		require.NoError(t, own.Close())
	}
	chargeMaps(-taken)
	other, err := p.Get()
	require.NoError(t, err)
	p.Put(other)
	p.Put(s)
}

// noMemory runs with little address space left, and prints what it finds.
func noMemory() {
	p, err := NewPool(MaxSize)
	if err != nil {
		panic(err)
	}
	probedGuard()
	status, _ := os.ReadFile("/proc/self/statm")
	var pages uint64
	_, _ = fmt.Sscan(string(status), &pages)
	limit := pages*uint64(os.Getpagesize()) + 512<<20
	if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		panic(err)
	}
	for range 3 {
		_, err := p.Get()
		fmt.Println(err)
		_, err = New(MaxSize)
		fmt.Println(err)
	}
	small, err := NewPool(1 << 20) // a slab of 45 fits once or twice, then 22, 11, …
	if err != nil {
		panic(err)
	}
	n := 0
	for ; ; n++ {
		if _, err = small.Get(); err != nil {
			break
		}
	}
	fmt.Println("small:", n, err)
	st := small.Stats()
	fmt.Println("in use:", st.InUse == n, "total:", Totals().Bytes == st.BytesReserved)
	fmt.Println("closing:", p.Close())
}

func TestWithoutMemoryTheErrorNamesSizeAndErrnoAndNothingLeaks(t *testing.T) {
	if probedGuard() != guardMadvise {
		t.Skip("without MADV_GUARD_INSTALL this is an emulator, which maps on its own account, or an old kernel")
	}
	if !is64 {
		t.Skip("needs 64 bits")
	}
	out, exit := child(t, "no-memory", "GOMAXPROCS=1")
	require.Zero(t, exit, out)
	want := fmt.Sprintf("cannot map 1 stack of 1024 MiB: mmap of %s: %v (errno %d)", bytesText(mustLayout(t, MaxSize).bytes(1)), syscall.ENOMEM, int(syscall.ENOMEM))
	require.Equal(t, 6, strings.Count(out, want), out)
	require.Contains(t, out, "RLIMIT_AS")
	require.Contains(t, out, "small: ")
	require.Contains(t, out, "1 stack of 1 MiB")
	require.Contains(t, out, "in use: true total: true")
	require.Contains(t, out, "closing: <nil>")
}

func mustLayout(t *testing.T, size int) layout {
	lay, err := newLayout(size, 0, growth{})
	require.NoError(t, err)
	return lay
}

func TestFreshStackHasNoPages(t *testing.T) {
	if probedGuard() != guardMadvise {
		t.Skip("mincore under an emulator tells of the emulator")
	}
	p := newPool(t, 64<<10, probedGuard())
	s, err := p.Get()
	require.NoError(t, err)
	off := int(s.lo() - addrOf(s.slab.mem))
	mem := s.slab.mem[off : off+s.Size()]
	require.Zero(t, resident(t, mem))
	top := int(s.room)
	for i := top - 3000; i < top; i++ { // a header and shallow frames
		mem[i] = 1
	}
	require.Equal(t, 1, resident(t, mem), "a shallow task touches one page")
	p.Put(s)
}
