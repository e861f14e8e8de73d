//go:build linux && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import "golang.org/x/sys/cpu"

// avx answers 1 where memmove may use AVX registers.
func avx() uint8 {
	if cpu.X86.HasAVX {
		return 1
	}
	return 0
}

const isArm64 = 0
