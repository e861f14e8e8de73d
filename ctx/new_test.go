package ctx

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// The context of WithContext, or the parent, may ask a task to end that New is
// still making.
func TestATaskThatIsAskedWhileNewMakesItNeverBegins(t *testing.T) {
	why := errors.New("why")
	task, err := prepare(func(*Task) { t.Error("began") }, nil)
	require.NoError(t, err)
	require.Error(t, task.Cancel(why), "pending")
	task.slot.Hold()
	require.True(t, task.Done())
	require.ErrorIs(t, task.Err(), why)
	require.NoError(t, task.Free())
}
