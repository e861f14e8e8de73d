//go:build linux

package ctx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	leaksTries    = 10
	leaksPatience = 20 * time.Second
	leaksGlance   = 50 * time.Millisecond
)

// errStuck: the forked process did not go on, because a thread that it does not
// have held a lock of the runtime, or its only one was to be preempted; or the
// runtime ended it, see unreachable. Another one most likely will do better.
var errStuck = errors.New("the forked process did not write its heap")

// unreachable returns, by identity.key, which tasks nothing leads to.
//
// debug.WriteHeapDump would do in this process, but for two things: in Go 1.26 and
// 1.27 it ends the process if a goroutine happens to return from a system call
// meanwhile (dumpgs, heapdump.go), and the world would stand still for long. So
// a forked process does it, in which nothing moves.
//
// That has one thread, the caller's, which must therefore be the only one that
// runs Go code. As that is locked to its goroutine no other one ever runs there: when
// the runtime wants to switch, the process sleeps, and is given up.
func unreachable(ids []*identity) (leaked map[string]bool, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range leaksTries {
		if leaked, err = lookOnce(ids); !errors.Is(err, errStuck) {
			break
		}
	}
	return leaked, err
}

func lookOnce(ids []*identity) (map[string]bool, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	defer w.Close()
	fd := int(w.Fd())
	if err := unix.SetNonblock(fd, false); err != nil { // the runtime will not try twice
		return nil, os.NewSyscallError("fcntl", err)
	}
	_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, 1<<20) // or as large as it was: then it takes more turns
	sights := make([]byte, len(ids)*sightSize)

	runtime.GC() // a dump has garbage too, such as what the last one was read into
	procs := runtime.GOMAXPROCS(1)
	runtime.Gosched() // who has just begun to run is not preempted for 10 ms
	pid := forked(fd, ids, sights)
	runtime.GOMAXPROCS(procs)
	_ = w.Close()
	if pid < 0 {
		return nil, os.NewSyscallError("clone", unix.Errno(-pid))
	}
	f := fork{r, pid}
	defer f.end()
	return judge(ids, f)
}

// A fork is a forked process and what it writes.
type fork struct {
	*os.File
	pid int
}

// Read gives up when nothing has come for leaksPatience, or when the process sleeps
// although there is room for it to write.
func (f fork) Read(b []byte) (int, error) {
	slept := false
	for range leaksPatience / leaksGlance {
		if err := f.SetReadDeadline(time.Now().Add(leaksGlance)); err != nil {
			return 0, err
		}
		n, err := f.File.Read(b)
		switch {
		case n == 0 && err == io.EOF:
			return 0, errStuck
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return n, err
		}
		sleeps := f.sleeps()
		if sleeps && slept {
			break
		}
		slept = sleeps
	}
	return 0, errStuck
}

// sleeps reports whether the process waits for something, as far as /proc tells.
func (f fork) sleeps() bool {
	stat, _ := os.ReadFile("/proc/" + strconv.Itoa(f.pid) + "/stat")
	_, state, _ := bytes.Cut(stat, []byte(") ")) // behind the name
	return bytes.HasPrefix(state, []byte("S"))
}

// end ends the process.
func (f fork) end() {
	_ = unix.Kill(f.pid, unix.SIGKILL)
	for {
		if _, err := unix.Wait4(f.pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}

// judge reads what forkedMain writes.
func judge(ids []*identity, r io.Reader) (map[string]bool, error) {
	sights := make([]byte, len(ids)*sightSize)
	if _, err := io.ReadFull(r, sights); err != nil {
		return nil, err
	}
	keys, idle := map[uint64]string{}, map[uint64]bool{}
	var all []uint64
	var suspects []suspect
	for i, id := range ids {
		addr := uint64(id.addr())
		all = append(all, addr)
		keys[addr] = id.key()
		task := binary.NativeEndian.Uint64(sights[i*sightSize:])
		idle[addr] = task == 0
		if sights[i*sightSize+8] != 0 {
			suspects = append(suspects, suspect{addr, task})
		}
	}
	h, err := parseHeap(r, func(addr uint64) bool { return keys[addr] != "" })
	if err != nil {
		return nil, err
	}
	leaked := map[string]bool{}
	for _, s := range h.unreached(all, idle, suspects) {
		leaked[keys[s.identity]] = true
	}
	return leaked, nil
}

// addr is what references to id look like. SAFETY(T6): it is only compared.
func (id *identity) addr() uintptr { return uintptr(unsafe.Pointer(id)) }

// sightSize is what forkedMain writes of each identity: its task's address, and 1
// if that is suspended.
const sightSize = 9

// forked makes the process that writes its heap to fd, and returns its number, or
// less than 0. From here to the fork nothing else runs Go code; the fork copies
// memory only, so what runs in system calls goes on undisturbed.
//
//go:norace
func forked(fd int, ids []*identity, sights []byte) int {
	flags, stack := uintptr(unix.SIGCHLD), uintptr(0)
	if runtime.GOARCH == "s390x" {
		flags, stack = stack, flags
	}
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, flags, stack, 0, 0, 0, 0)
	if errno != 0 {
		return -int(errno)
	}
	if pid == 0 {
		forkedMain(fd, ids, sights)
	}
	return int(pid)
}

// forkedMain runs in the forked process. It shares the open files with this one,
// the runtime's epoll among them, from which it would take events: so it closes
// them all. After the dump the runtime fails for the lack of it, at the latest.
//
//go:norace
func forkedMain(fd int, ids []*identity, sights []byte) {
	all := ^uint64(0) // signals: a write that they cut short would be lost
	// SAFETY(T6): the kernel reads 8 bytes.
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&all)), 0, 8, 0, 0)
	unix.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0, 0) // no core file, if the runtime fails
	closeBut(fd)
	for i, id := range ids {
		if t := id.currentTask(); t != nil {
			// SAFETY(T6): compared with the dump's addresses, never made a pointer.
			binary.NativeEndian.PutUint64(sights[i*sightSize:], uint64(uintptr(unsafe.Pointer(t))))
			if s := t.slot.State(); s == slotYielded || s == slotArmed || s == slotDying {
				sights[i*sightSize+8] = 1
			}
		}
	}
	for len(sights) != 0 {
		// SAFETY(T6): the kernel reads len(sights) bytes.
		n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&sights[0])), uintptr(len(sights)))
		if errno != 0 {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 1, 0, 0)
		}
		sights = sights[n:]
	}
	debug.WriteHeapDump(uintptr(fd))
	unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
}

//go:norace
func closeBut(fd int) {
	const last = 1<<32 - 1
	_, _, below := unix.RawSyscall(unix.SYS_CLOSE_RANGE, 0, uintptr(fd)-1, 0)
	_, _, above := unix.RawSyscall(unix.SYS_CLOSE_RANGE, uintptr(fd)+1, last, 0)
	if below == 0 && above == 0 {
		return
	}
	for i := range uintptr(1 << 16) { // Linux before 5.9
		if i != uintptr(fd) {
			unix.RawSyscall(unix.SYS_CLOSE, i, 0, 0)
		}
	}
}
