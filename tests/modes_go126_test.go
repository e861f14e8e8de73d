//go:build go1.26

package tests

import (
	"crypto/fips140"
	"fmt"
	"strings"
	"testing"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
)

// H33: a task runs with the FIPS 140 enforcement of who spawned it, whatever an
// earlier one on the same pooled identity had.
func TestH33EnforcementIsThatOfTheSpawn(t *testing.T) {
	r := testsupport.RunChild(t, "enforcement", childLimit, "GODEBUG=fips140=only")
	if strings.Contains(r.Stderr, "FIPS 140-3 mode is incompatible with") { // asan, and some targets
		t.Skip(firstLine(r.Stderr))
	}
	r.RequireOK(t)
}

var _ = testsupport.Child("enforcement", func() {
	if !fips140.Enforced() {
		panic("not enforced with GODEBUG=fips140=only")
	}
	for _, o := range taskOptions {
		for i := range 6 { // on the same identity
			want := i%3 == 0
			start := func() {
				var got, later bool
				task, err := ctx.Spawn(func(t *ctx.Task) {
					got = fips140.Enforced()
					t.Yield()
					later = fips140.Enforced()
				}, o.opt)
				check(err)
				check(task.Resume())
				check(task.Err())
				check(task.Free())
				if got != want || later != want {
					panic(fmt.Sprintf("%s: enforced %v, then %v, want %v", o.name, got, later, want))
				}
			}
			if want {
				start()
			} else {
				fips140.WithoutEnforcement(start)
			}
		}
	}
	fmt.Println("ok")
})
