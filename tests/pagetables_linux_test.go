package tests

import (
	"fmt"
	"os"
	"testing"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stretchr/testify/require"
)

// A page of page tables serves 2 MiB: so a suspended task has no more of them than
// its share of the address space asks for, and guards add nothing.
func TestPageTablesAreTheShareOfTheAddressSpace(t *testing.T) {
	needAsm(t)
	switch {
	case testsupport.Emulated():
		t.Skip("page tables are the emulator's")
	case os.Getpagesize() != 4096:
		t.Skipf("the figures are for pages of 4 KiB, not %d", os.Getpagesize())
	}
	if kind, why := mmapstack.GuardKind(); kind != "MADV_GUARD_INSTALL" {
		t.Skip("guards are mappings: " + why)
	}
	const n = 4000
	for _, tt := range []struct {
		policy guard.Policy
		size   int // usable, KiB
		stride int // KiB, without the guard: with half the size in reserve, 64 KiB at least, if it grows
	}{
		{guard.Strict, 64, 64}, {guard.Growing, 64, 64 + 64}, {guard.Growing, 256, 256 + 128}, {guard.Growing, 1024, 1024 + 512},
	} {
		r := testsupport.RunChild(t, "page-tables", childLimit, fmt.Sprintf("STACKHOP_KIND=%d %d %d", tt.policy, tt.size, n))
		r.RequireOK(t)
		var bytes int
		_, err := fmt.Sscan(r.Stdout, &bytes)
		require.NoError(t, err)
		share := (tt.stride + 4) << 10 / 512
		t.Logf("%v, %4d KiB: %4d bytes of page tables a task; its share of the addresses is %d", tt.policy, tt.size, bytes, share)
		require.LessOrEqual(t, bytes, share+share/8+32)
	}
}

var _ = testsupport.Child("page-tables", func() {
	var policy guard.Policy
	var size, n int
	if _, err := fmt.Sscan(childKind(), &policy, &size, &n); err != nil {
		panic(err)
	}
	pool, err := guard.NewPool(policy, size<<10)
	if err != nil {
		panic(err)
	}
	tasks := make([]*ctx.Task, 0, n)
	before := 0
	for len(tasks) < n {
		t, err := ctx.Spawn(func(t *ctx.Task) { t.Yield() }, ctx.WithPool(pool))
		if err != nil {
			panic(err)
		}
		if tasks = append(tasks, t); len(tasks) == 1 {
			before = pageTables()
		}
	}
	fmt.Printf("%d\nok\n", (pageTables()-before)/n)
})
