package guard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// noteOf is what describe says of addr.
func noteOf(addr uintptr) string {
	var text [stackhop.NoteSize]byte
	return string(text[:describe(addr, &text)])
}

func TestNoteSaysWhoseGuardItIs(t *testing.T) {
	before := naming.Load()
	defer naming.Store(before)
	type known struct {
		name string
		task uintptr
	}
	NameTasks(func(attached any) (string, uintptr, bool) {
		k, ok := attached.(known)
		return k.name, k.task, ok
	})
	s, err := mmapstack.New(0)
	if err != nil {
		t.Skip(err)
	}
	r := s.Region()
	long := strings.Repeat("x", stackhop.NoteSize)
	for _, c := range []struct {
		attached any
		want     string
	}{
		{nil, ""},
		{42, ", in use"},
		{new(aux), ", on which guard.Grow calls"},
		{known{}, ", on which no task runs"},
		{known{"", 0xc000123}, " of task 0xc000123"},
		{known{"reader", 0xc000123}, ` of task "reader"`},
		{known{"a\nb", 1}, ` of task "a?b"`},
		{known{long, 1}, ` of task "xxx`},
	} {
		s.Attach(c.attached)
		for _, addr := range []uintptr{r.Lo - 1, r.Lo - 4096} {
			got := noteOf(addr)
			want := fmt.Sprintf("stackhop: fault at %#x, in the guard of the stack %#x-%#x%s", addr, r.Lo, r.Top, c.want)
			if strings.HasSuffix(want, "xxx") {
				require.Equal(t, want, got[:len(want)])
				require.Len(t, got, stackhop.NoteSize)
			} else {
				require.Equal(t, want+"\n", got)
			}
			require.True(t, strings.HasSuffix(got, "\n"))
		}
	}
	s.Attach(nil)
	for _, addr := range []uintptr{0, 1, r.Lo, r.Top - 1, r.Hi - 1, ^uintptr(0)} {
		require.Empty(t, noteOf(addr), "%#x", addr)
	}
	require.NoError(t, s.Close())
	require.Empty(t, noteOf(r.Lo-1), "the stack is closed")
}
