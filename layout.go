//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"fmt"
	"strings"
)

// The layout of the runtime's g, m and coro differs from release to release, so
// there is a file of constants for each: layout_go125.go and so on. They are
// untyped constants in order that go_asm.h has them: gSchedSP is const_gSchedSP
// in assembly.
//
//go:generate go run ./internal/layoutgen

// layoutFor returns nil if the layout files are right for a program of the Go
// release version, runtime.Version's form: go1.26.8, with a vendor's or an
// experiment's mark behind it if any. Betas, release candidates and development
// versions are nobody's release: their runtime may still change.
func layoutFor(version string) error {
	want := fmt.Sprintf("go1.%d", layoutMinor)
	rest, ok := strings.CutPrefix(version, want)
	if ok && (rest == "" || rest[0] == '.' || rest[0] == ' ') {
		return nil
	}
	return &discoveryError{Step: "release", Want: want + " or one of its patch releases", Got: version}
}
