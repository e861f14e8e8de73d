package testsupport

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
)

// emulators maps architectures to qemu-user's names for them.
var emulators = map[string]string{
	"386": "i386", "amd64": "x86_64", "arm": "arm", "arm64": "aarch64", "loong64": "loongarch64",
	"ppc64le": "ppc64le", "riscv64": "riscv64", "s390x": "s390x",
}

var machines = map[string]elf.Machine{
	"386": elf.EM_386, "amd64": elf.EM_X86_64, "arm": elf.EM_ARM, "arm64": elf.EM_AARCH64,
	"loong64": elf.EM_LOONGARCH, "ppc64le": elf.EM_PPC64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390,
}

// Emulated reports whether this process runs under qemu-user: the system's
// shell is then of another architecture.
var Emulated = sync.OnceValue(func() bool {
	if runtime.GOOS != "linux" {
		return false
	}
	f, err := elf.Open("/bin/sh")
	if err != nil {
		return false
	}
	machine := f.Machine
	want, known := machines[runtime.GOARCH]
	return f.Close() == nil && known && machine != want
})

// Scale divides counts of rounds: emulated and race builds are slow.
func Scale(n int) int {
	switch {
	case Emulated():
		n /= 16
	case Race:
		n /= 4
	}
	return max(n, 1)
}

// NoChildren says why this process cannot start children, "" if it can.
var NoChildren = sync.OnceValue(func() string {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		return "no processes on " + runtime.GOOS
	}
	if _, err := os.Executable(); err != nil {
		return fmt.Sprintf("no path to the test binary: %v", err)
	}
	return ""
})

// selfCommand returns the command line that runs this binary again. Without
// binfmt_misc the system cannot run an emulated binary by itself.
func selfCommand() []string {
	self, err := os.Executable()
	if err != nil {
		panic("BUG: NoChildren was not asked: " + err.Error())
	}
	if Emulated() {
		name := "qemu-" + emulators[runtime.GOARCH]
		for _, emulator := range []string{name + "-static", name} {
			if path, err := exec.LookPath(emulator); err == nil {
				return []string{path, self}
			}
		}
	}
	return []string{self}
}

// NoGo says why the go command cannot check what a test made, "" if it can.
var NoGo = sync.OnceValue(func() string {
	if reason := NoChildren(); reason != "" {
		return reason
	}
	out, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		return fmt.Sprintf("no go command to check with: %v", err)
	}
	if got := strings.TrimSpace(string(out)); got != runtime.Version() {
		return fmt.Sprintf("the go command is %s, this binary is of %s", got, runtime.Version())
	}
	return ""
})
