package stackhop

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABackendThatIsNotKnownIsIgnoredAndTold(t *testing.T) {
	unset := chosen("")
	require.Empty(t, unset.unknown)

	d := chosen("foo")
	require.Equal(t, unset.name, d.name)
	require.Equal(t, "foo", d.unknown)
	require.Equal(t, `STACKHOP_BACKEND="foo" is ignored, it may be asm or portable: `+unset.reason, d.reason)

	require.Equal(t, unset, chosen("asm"))
	require.Equal(t, portableName, chosen("portable").name)
	require.Empty(t, chosen("portable").unknown)
}
