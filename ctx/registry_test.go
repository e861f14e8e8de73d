package ctx

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever comes and goes: who is in is found once, and empty chunks are dropped.
func TestRegistryHasWhoeverIsIn(t *testing.T) {
	var l identityList
	in := map[*identity]bool{}
	for _, wanted := range []int{1, chunk - 1, chunk, chunk + 1, 10 * chunk, 3*chunk + 7, 5 * chunk, chunk, 0, 2, 0} {
		for len(in) < wanted {
			id := new(identity)
			l.add(id)
			in[id] = true
		}
		for len(in) > wanted {
			for id := range in { // in any order
				l.remove(id)
				l.remove(id) // once more does nothing
				if rand.IntN(3) == 0 {
					l.add(id)
				} else if delete(in, id); len(in) == wanted {
					break
				}
			}
		}
		all := l.all()
		require.Equal(t, wanted, len(all))
		for _, id := range all {
			require.True(t, in[id])
			delete(in, id)
		}
		require.Empty(t, in)
		for _, id := range all {
			in[id] = true
		}
		require.LessOrEqual(t, len(l.chunks), wanted/chunk+2)
		for _, c := range l.chunks {
			for _, id := range c {
				require.True(t, id == nil || in[id], "one that is out stays reachable")
			}
		}
	}
}
