package mmapstack

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	bssBytes  [20000]byte
	dataBytes = [MinStatic]byte{0: 1}
	slots     [3][16384]byte
)

func TestStaticTakesAnythingButGoHeap(t *testing.T) {
	mapped, err := mapMemory(1<<16, true)
	require.NoError(t, err)
	defer func() { require.NoError(t, unmapMemory(mapped)) }()
	escapes := func(n int) []byte { return make([]byte, n) }
	big := escapes(1 << 22)
	for _, tt := range []struct {
		name string
		mem  []byte
		ok   bool
	}{
		{"bss", bssBytes[:], true},
		{"bss, odd", bssBytes[3 : len(bssBytes)-5], true},
		{"data", dataBytes[:], true},
		{"slot", slots[1][:], true},
		{"mapped", mapped, true},
		{"small heap", escapes(8192), false},
		{"large heap", big, false},
		{"inside a large heap object", big[1<<20 : 1<<21], false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Static(tt.mem)
			if !tt.ok {
				require.ErrorIs(t, err, ErrMemory)
				return
			}
			require.NoError(t, err)
			require.Equal(t, StaticMem, s.Kind())
			r := s.Region()
			require.NoError(t, r.Check())
			require.GreaterOrEqual(t, r.Lo, addrOf(tt.mem))
			require.LessOrEqual(t, r.Hi, addrOf(tt.mem)+uintptr(len(tt.mem)), "the dead space lies inside, too")
			require.NoError(t, s.Close())
			require.ErrorIs(t, s.Close(), ErrClosed)
		})
	}
	runtime.KeepAlive(big)
}

func TestStaticRefusesMemoryInUse(t *testing.T) {
	a, err := Static(slots[0][:])
	require.NoError(t, err)
	b, err := Static(slots[1][:])
	require.NoError(t, err, "a neighbour")
	_, err = Static(slots[0][1000:])
	require.ErrorIs(t, err, ErrMemory)
	require.Contains(t, err.Error(), "overlaps the open static stack of")
	require.NoError(t, a.Close())
	a, err = Static(slots[0][1000:])
	require.NoError(t, err)
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
}

func TestStaticGuardIsClosedAndOpenedAgain(t *testing.T) {
	page := os.Getpagesize()
	mem, err := mapMemory(8*page, true)
	require.NoError(t, err)
	defer func() { require.NoError(t, unmapMemory(mem)) }()

	_, err = Static(mem[:MinStatic], WithGuard(page))
	require.ErrorIs(t, err, ErrSize)

	s, err := Static(mem[1:], WithGuard(1))
	require.NoError(t, err)
	require.NoError(t, s.Region().Check())
	require.Equal(t, addrOf(mem)+uintptr(2*page), s.Region().Lo)
	mem[page-1], mem[2*page] = 1, 1
	if probedGuard() == guardMadvise { // else this may be an emulator, which looks elsewhere
		require.True(t, closedToRead(mem[page:]))
	}
	require.NoError(t, s.Close())
	mem[page] = 1
}

// A test binary names the runtime's panic text that onHeap relies on.
func TestRuntimeAnswersAsOnHeapExpects(t *testing.T) {
	mem, err := mapMemory(os.Getpagesize(), true)
	require.NoError(t, err)
	defer func() { require.NoError(t, unmapMemory(mem)) }()
	text := func() (text string) {
		defer func() { text, _ = recover().(string) }()
		runtime.AddCleanup(&mem[0], func(struct{}) {}, struct{}{})
		return
	}()
	require.True(t, strings.Contains(text, "not in allocated block"), text)
	require.True(t, onHeap(&make([]byte, 100)[0]))
	require.False(t, onHeap(&bssBytes[7]))
}
