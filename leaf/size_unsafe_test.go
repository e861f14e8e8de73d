package leaf

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// What the package comment says about memory.
func TestSizes(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("sizes are those of 64-bit targets")
	}
	require.EqualValues(t, 128, unsafe.Sizeof(Mutex{}))
	require.EqualValues(t, 104, unsafe.Sizeof(Event{}))
	require.EqualValues(t, 176, unsafe.Sizeof(Chan[int]{}))
	require.EqualValues(t, 120, unsafe.Sizeof(node{}))
	require.EqualValues(t, 128, unsafe.Sizeof(cell[int]{}))
}
