package mmapstack

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A lot is memory that Static is offered.
type lot struct {
	name string
	mem  []byte
	why  string // part of the reason, "": it is taken
}

// lots returns memory of all sorts, and what gives it back.
func lots() (all []lot, free func()) {
	page := os.Getpagesize()
	n := 16 * page
	var maps [][]byte
	get := func(prot int) []byte {
		mem, err := unix.Mmap(-1, 0, n, prot, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil {
			panic(err)
		}
		maps = append(maps, mem)
		return mem
	}
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	const rw = unix.PROT_READ | unix.PROT_WRITE
	all = append(all,
		lot{"read and write", get(rw), ""},
		lot{"bss", bssBytes[:], ""},
		lot{"read-only", get(unix.PROT_READ), "PROT_READ|PROT_WRITE"},
		lot{"no access", get(unix.PROT_NONE), "PROT_READ|PROT_WRITE"})

	last := get(rw)
	must(unix.Mprotect(last[n-page:], unix.PROT_READ))
	all = append(all, lot{"the last page read-only", last[:n-1], fmt.Sprintf("%#x", addrOf(last[n-page:]))})
	first := get(rw)
	must(unix.Mprotect(first[:page], unix.PROT_NONE))
	all = append(all, lot{"the first page closed", first[page-1:], "PROT_READ|PROT_WRITE"})
	all = append(all, lot{"all but that page", first[page:], ""})
	file, err := unix.MemfdCreate("lot", 0)
	must(err)
	must(unix.Ftruncate(file, int64(n)))
	shared, err := unix.Mmap(file, 0, n, unix.PROT_READ, unix.MAP_SHARED)
	must(err)
	maps = append(maps, shared)
	all = append(all, lot{"a file for reading", shared, "PROT_READ|PROT_WRITE"})
	if probedGuard() == guardMadvise {
		guarded := get(rw)
		must(installGuard(guarded[5*page : 6*page]))
		all = append(all, lot{"a guard in the middle", guarded, fmt.Sprintf("nothing can be read at %#x", addrOf(guarded[5*page:]))})
	}
	// Unmapped last, so that nothing else is mapped there.
	hole := get(rw)
	must(unix.MunmapPtr(ptrOf(hole[8*page:]), uintptr(page)))
	all = append(all, lot{"a hole", hole, fmt.Sprintf("at %#x", addrOf(hole[8*page:]))})

	return all, func() {
		must(unix.Close(file))
		for _, mem := range maps {
			must(unix.MunmapPtr(ptrOf(mem), uintptr(n)))
		}
	}
}

// check offers all lots to Static, and returns what is not as it should be.
func check(all []lot) (wrong []string) {
	for _, l := range all {
		s, err := Static(l.mem)
		if err == nil {
			if err := s.Close(); err != nil {
				panic(err)
			}
		}
		var e *MemoryError
		switch {
		case l.why == "" && err == nil:
		case l.why == "":
			wrong = append(wrong, l.name+": "+err.Error())
		case err == nil:
			wrong = append(wrong, l.name+": it was taken")
		default:
			e, _ = err.(*MemoryError)
			if e == nil || e.Addr != addrOf(l.mem) || e.Len != len(l.mem) || !strings.Contains(e.Why, l.why) {
				wrong = append(wrong, l.name+": "+err.Error())
			}
		}
	}
	return wrong
}

func TestStaticRefusesMemoryThatCannotBeWritten(t *testing.T) {
	all, free := lots()
	defer free()
	require.Empty(t, check(all))
}

// Likewise where /proc/self/maps cannot be opened.
func TestStaticNeedsNoFileDescriptor(t *testing.T) {
	out, exit := child(t, "no-files")
	require.Zero(t, exit, out)
	require.Equal(t, "ok\n", out)
}

func TestStaticMakesNoPageResident(t *testing.T) {
	if probedGuard() != guardMadvise {
		t.Skip("under an emulator the figure is the emulator's")
	}
	rss := func() (pages int) {
		text, err := os.ReadFile("/proc/self/statm")
		require.NoError(t, err)
		_, err = fmt.Sscan(string(text), new(int), &pages)
		require.NoError(t, err)
		return pages * os.Getpagesize()
	}
	const n = 128 << 20
	mem, err := mapMemory(n, true)
	require.NoError(t, err)
	defer func() { require.NoError(t, unmapMemory(mem)) }()
	before := rss()
	s, err := Static(mem)
	require.NoError(t, err)
	require.Less(t, rss()-before, n/4) // a page that was only read is one of zeros, which all share
	require.NoError(t, s.Close())
}

func TestStaticRefusesStacksOfThisPackage(t *testing.T) {
	refuses := func(t *testing.T, s *Stack) {
		r := s.Region()
		mem := s.memory()
		for name, part := range map[string][]byte{"all": mem, "the lower part": mem[:len(mem)/2], "the upper part": mem[len(mem)/2:]} {
			_, err := Static(part)
			require.ErrorIs(t, err, ErrMemory, name)
			require.Contains(t, err.Error(), "overlaps", "%s of %#x-%#x", name, r.Lo, r.Top)
		}
	}
	subjects(t, refuses)
	s, err := New(64 << 10)
	require.NoError(t, err)
	mem := s.memory()
	k, err := s.Carve(16 << 10)
	require.NoError(t, err)
	refuses(t, k)
	refuses(t, s)
	require.NoError(t, k.Close())
	_, err = Static(mem)
	require.ErrorIs(t, err, ErrMemory)
	require.NoError(t, s.Close())
}

func init() {
	children["no-files"] = func() {
		if probeGuard(); probedGuard() == guardNone {
			panic("no guards")
		}
		all, _ := lots()
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{}); err != nil {
			panic(err)
		}
		if _, err := os.Open("/proc/self/maps"); err == nil {
			panic("a file can be opened")
		}
		for _, l := range all { // the reasons are those of the other probe
			if l.why != "" {
				if why := unusable(addrOf(l.mem), uintptr(len(l.mem))); why == "" {
					panic(l.name)
				}
			} else if _, err := Static(l.mem); err != nil {
				panic(err)
			}
		}
		fmt.Println("ok")
	}
	children["locked"] = locked
}

// Both ways to look find the same page.
func TestBothProbesAgree(t *testing.T) {
	if probedGuard() != guardMadvise {
		t.Skip("under an emulator both may see other guards than the program")
	}
	page := uintptr(os.Getpagesize())
	mem, err := mapMemory(200*int(page), true)
	require.NoError(t, err)
	defer func() { require.NoError(t, unmapMemory(mem)) }()
	lo, n := addrOf(mem), uintptr(len(mem))
	_, bad := firstUnreadable(lo, n)
	require.False(t, bad)
	for _, i := range []uintptr{199, 130, 64, 63, 1, 0} {
		require.NoError(t, installGuard(mem[i*page:(i+1)*page]))
		at, bad := firstUnreadable(lo, n)
		require.True(t, bad)
		require.Equal(t, lo+i*page, at)
		at, bad = firstUnreadableByMask(lo, lo+n, page)
		require.True(t, bad)
		require.Equal(t, lo+i*page, at)
		at, bad = firstUnwritable(lo, n)
		require.True(t, bad)
		require.Equal(t, lo+i*page, at)
	}
}

func TestMapsOfAnotherFormatAreNotBelieved(t *testing.T) {
	_, ok := unusableBy(bufio.NewScanner(strings.NewReader("1000-2000 rw-p\n0 bytes\n")), 0x1000, 0x2000)
	require.False(t, ok)
	why, ok := unusableBy(bufio.NewScanner(strings.NewReader("1000-2000 rw-p 0 0 0\n2000-3000 rw-s 0 0 0 x\n")), 0x1800, 0x1800)
	require.True(t, ok)
	require.Empty(t, why)
	why, ok = unusableBy(bufio.NewScanner(strings.NewReader("1000-2000 rw-p 0 0 0\n")), 0x1800, 0x1800)
	require.True(t, ok)
	require.Contains(t, why, "nothing is mapped at 0x2000")
}

// locked gets stacks while all new memory is locked, until one is refused.
func locked() {
	debug.SetGCPercent(-1)
	if os.Getenv("MMAPSTACK_TEST_LIMIT") != "" {
		lim := unix.Rlimit{Cur: 8 << 20, Max: 8 << 20}
		none := [2]unix.CapUserData{}
		if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &lim); err != nil {
			panic(err)
		}
		if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]); err != nil {
			panic(err)
		}
	}
	if err := unix.Mlockall(unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		fmt.Println("mlockall:", err)
		return
	}
	fmt.Println(GuardKind())
	if _, err := New(64 << 20); err != nil {
		fmt.Println(err)
		return
	}
	chargeMaps(int64(mapLimit()/2) - totals.guardMaps.Load())
	_, err := New(1 << 20)
	fmt.Println(err)
}

func TestLockedMemoryIsNamedWhereItIsTheCause(t *testing.T) {
	if probedGuard() != guardMadvise {
		t.Skip("an emulator, which locks on its own account, or an old kernel")
	}
	for _, tt := range []struct{ env, want string }{
		{"MMAPSTACK_TEST_LIMIT=1", "all new memory is locked (mlockall with MCL_FUTURE) and RLIMIT_MEMLOCK (ulimit -l) is 8388608 bytes"},
		{"MMAPSTACK_TEST_LIMIT=", "the memory is locked (mlockall with MCL_FUTURE), and the kernel takes no MADV_GUARD_INSTALL there"},
	} {
		out, exit := child(t, "locked", tt.env)
		require.Zero(t, exit, out)
		if strings.HasPrefix(out, "mlockall:") || tt.env == "MMAPSTACK_TEST_LIMIT=" && strings.Contains(out, "RLIMIT_MEMLOCK") {
			t.Skipf("this process may not lock so much memory: %s", out)
		}
		require.Contains(t, out, "MADV_GUARD_INSTALL the kernel has it")
		require.Contains(t, out, tt.want)
		require.NotContains(t, out, "use Linux 6.13")
	}
}
