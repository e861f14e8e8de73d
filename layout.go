//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"fmt"
	"slices"
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
	if !ok || rest != "" && rest[0] != '.' && rest[0] != ' ' {
		return &discoveryError{Step: "release", Want: want + " or one of its patch releases", Got: version}
	}
	for _, x := range experiments(version) {
		if !knownExperiment(x) {
			return &discoveryError{Step: "GOEXPERIMENT", Want: "known ones only", Got: x}
		}
	}
	return nil
}

// experiments returns what the program was built with by GOEXPERIMENT, as far as it is
// not the release's default: version has it behind X:.
func experiments(version string) []string {
	_, list, ok := strings.Cut(version, "X:")
	if !ok {
		return nil
	}
	list, _, _ = strings.Cut(list, " ")
	return strings.Split(list, ",")
}

// knownExperiment reports whether programs with the experiment x have been tried: with
// it or, for a name that begins with no, without it.
func knownExperiment(x string) bool {
	return slices.Contains(knownExperiments[:], x) || slices.Contains(knownExperiments[:], strings.TrimPrefix(x, "no"))
}

// knownExperiments are those of internal/goexperiment, Go 1.25 to 1.27. make
// experiments tries all that a toolchain accepts.
var knownExperiments = [...]string{
	"aliastypeparams", "arenas", "boringcrypto", "cacheprog", "cgocheck2", "dwarf5", "fieldtrack",
	"goroutineleakprofile", "greenteagc", "heapminimum512kib", "jsonv2", "loopvar", "mapsplitgroup", "newinliner",
	"preemptibleloops", "randomizedheapbase64", "rangefunc", "regabiargs", "regabiwrappers", "runtimefreegc",
	"runtimesecret", "simd", "sizespecializedmalloc", "staticlockranking", "swissmap", "synchashtriemap", "synctest",
}

// cgocheck2 is the experiment that ends the process when a pointer to a Go object is
// written to memory outside the Go heap, such as that of a mapped stack.
const cgocheck2 = "cgocheck2"

// A layoutField is one field of the runtime that the layout file knows: typ is g, m,
// p, sudog, coro, _func or moduledata. absent: the release has no such field. A size of 0 is not checked.
type layoutField struct {
	typ, path    string
	offset, size uintptr
	absent       bool
}
