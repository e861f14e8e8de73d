//go:build linux && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

func avx() uint8 { return 0 }

const isArm64 = 1
