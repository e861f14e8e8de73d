package mmapstack

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestStackAndShardFillTwoCacheLinesEach(t *testing.T) {
	// SAFETY(M3): sizes only.
	if unsafe.Sizeof(uintptr(0)) == 8 {
		require.EqualValues(t, 128, unsafe.Sizeof(Stack{}))
		require.EqualValues(t, 128, unsafe.Sizeof(shard{}))
	}
}
