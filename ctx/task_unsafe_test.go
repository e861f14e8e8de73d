package ctx

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A program may keep a million tasks, and the collector's pacer counts them.
func TestATaskIsSmall(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the limits are for 64 bits")
	}
	require.LessOrEqual(t, unsafe.Sizeof(Task{}), uintptr(128))
	require.LessOrEqual(t, unsafe.Sizeof(extras{}), uintptr(160))
	require.LessOrEqual(t, unsafe.Sizeof(identity{}), uintptr(192)) // and a multiple of a cache line: no two share one
}
