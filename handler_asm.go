//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

//lint:ignore U1000 the handler goes there
func copyTrap(frame uintptr)

// callInReserve calls a function in the place of its caller; see trap_end_asm.go.
// args is the first word of the function's arguments on the stack.
//
//lint:ignore U1000 atEnd goes there
func callInReserve(args uintptr)

func callInReservePC() uintptr
func trapHandlerPC() uintptr

// framePointer is its caller's.
func framePointer() uintptr

func rewindow(c *Coro)
func isCgo() bool

// A sigaction is the kernel's struct (asm-generic/signal-defs.h; arm64 has the
// restorer too).
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

const (
	saSiginfo = 0x4
	saOnstack = 0x0800_0000
)

// change sets the action for SIGSEGV, and answers the one before. nil only asks.
// SAFETY(K1): the kernel reads and writes two structs that outlive the call.
func change(act *sigaction) (old sigaction, err error) {
	_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(syscall.SIGSEGV),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(old.mask), 0, 0)
	if errno != 0 {
		return old, &GrowthError{"rt_sigaction: " + errno.Error()}
	}
	return old, nil
}

// installHandler puts trapHandler in front. It takes over flags, mask and
// restorer: the handler behind it must find what it asked for.
func installHandler() error {
	old, err := change(nil)
	if err != nil {
		return err
	}
	const need = saSiginfo | saOnstack
	if old.handler <= 1 || old.flags&need != need {
		return &GrowthError{"the process's SIGSEGV handler is not like the runtime's: it must take siginfo and run on the signal stack"}
	}
	act := old
	act.handler = trapHandlerPC()
	chainPC = old.handler
	if _, err = change(&act); err != nil {
		return err
	}
	return nil
}

func removeHandler() error {
	act, err := change(nil)
	if err != nil {
		return err
	}
	if act.handler != trapHandlerPC() {
		return &GrowthError{"another SIGSEGV handler was installed later and may rely on ours: remove that first"}
	}
	act.handler = chainPC
	_, err = change(&act)
	return err
}
