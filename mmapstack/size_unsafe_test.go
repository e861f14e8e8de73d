package mmapstack

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
)

func TestStackFillsACacheLineAndShardTwo(t *testing.T) {
	// SAFETY(M3): sizes only.
	if is64 {
		require.EqualValues(t, 64, unsafe.Sizeof(Stack{}))
		require.EqualValues(t, 128, unsafe.Sizeof(nested{}))
		require.EqualValues(t, 128, unsafe.Sizeof(shard{}))
	}
}

// The sanitizers, whose builds have the portable backend, put memory of their own
// around what the allocator gives.
func TestNoTwoStacksShareACacheLine(t *testing.T) {
	if !is64 || stackhop.Backend().Name != "asm" {
		t.Skipf("not where the portable backend serves: %s", stackhop.Backend().Reason)
	}
	for _, n := range []int{1, 3, 16, 100, 256} {
		w := ward{stacks: newStacks(n)}
		for i := range n {
			// SAFETY(M3): the address is only a number.
			require.Zero(t, uintptr(unsafe.Pointer(w.stack(uintptr(i))))%64, "%d of %d", i, n)
		}
		require.Nil(t, w.stack(uintptr(n)))
		require.Nil(t, w.stack(1<<20))
	}
	k := new(nested).init(Carved)
	// SAFETY(M3): the address is only a number.
	require.Zero(t, uintptr(unsafe.Pointer(k))%64)
}
