//go:build !(linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28)

package stackhop

// NoteFaults does nothing here: there is no handler to ask describe.
func NoteFaults(describe func(addr uintptr, text *[NoteSize]byte) int) {}
