package mmapstack

import (
	"errors"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

var tooSmall [MinStatic - 1]byte

func TestErrors(t *testing.T) {
	fails := func(_ any, err error) error { return err }
	tests := []struct {
		name string
		err  func(t *testing.T) error
		is   []error
		text string
	}{
		{"New too small", func(*testing.T) error { return fails(New(100)) }, []error{ErrSize},
			"mmapstack: stack size is 100, must be 4096 to"},
		{"New negative", func(*testing.T) error { return fails(New(-1)) }, []error{ErrSize}, "stack size is -1"},
		{"New too large", func(*testing.T) error { return fails(New(MaxSize + 1)) }, []error{ErrSize}, "stack size is"},
		{"New guard", func(*testing.T) error { return fails(New(0, WithGuard(-1))) }, []error{ErrSize}, "guard size is -1"},
		{"NewPool size, grows", func(*testing.T) error { return fails(NewPool(MaxSize+1, WithPoolGrowth(0, 0))) }, []error{ErrSize},
			"size of a stack that grows is 1073741825, must be 4096 to 67108864"},
		{"NewPool size", func(*testing.T) error { return fails(NewPool(1)) }, []error{ErrSize}, "stack size is 1"},
		{"NewPool max", func(*testing.T) error { return fails(NewPool(0, WithMax(0))) }, []error{ErrSize}, "WithMax is 0, must be 1"},
		{"NewPool idle", func(*testing.T) error { return fails(NewPool(0, WithIdleBytes(-1))) }, []error{ErrSize}, "WithIdleBytes is -1"},
		{"NewPool keep", func(*testing.T) error { return fails(NewPool(0, WithKeep(-1))) }, []error{ErrSize}, "WithKeep is -1"},
		{"NewPool guard", func(*testing.T) error { return fails(NewPool(0, WithPoolGuard(-1))) }, []error{ErrSize}, "guard size"},
		{"pool exhausted", func(t *testing.T) error {
			p := newPool(t, 64<<10, probedGuard(), WithMax(1))
			s, err := p.Get()
			require.NoError(t, err)
			defer p.Put(s)
			return fails(p.Get())
		}, []error{ErrLimit}, "all 1 stacks of 64 KiB that the pool may map are out; put some back, or raise WithMax"},
		{"pool busy", func(t *testing.T) error {
			p := newPool(t, 0, probedGuard())
			s, err := p.Get()
			require.NoError(t, err)
			defer p.Put(s)
			return p.Close()
		}, []error{ErrBusy}, "still in use: 1 stacks are out: put them back before Close"},
		{"own closed twice", func(t *testing.T) error {
			s, err := New(0)
			require.NoError(t, err)
			require.NoError(t, s.Close())
			return s.Close()
		}, []error{ErrClosed}, "stackhop: closed"},
		{"Static small", func(*testing.T) error { return fails(Static(tooSmall[:])) }, []error{ErrSize}, "static memory is 5631"},
		{"Static nil", func(*testing.T) error { return fails(Static(nil)) }, []error{ErrSize}, "static memory is 0"},
		{"Static heap", func(*testing.T) error { return fails(Static(make([]byte, 1<<16))) }, []error{ErrMemory},
			"cannot be a stack: it is Go heap"},
		{"MapError", func(*testing.T) error {
			return &MapError{Op: "mmap", Stacks: 1000, Size: 272 << 10, Bytes: 1 << 28, Errno: syscall.ENOMEM, Remedy: "do so"}
		}, []error{ErrMap, syscall.ENOMEM}, "mmapstack: cannot map 1000 stacks of 272 KiB: mmap of 256 MiB: " + syscall.ENOMEM.Error()},
		{"MapError without errno", func(*testing.T) error { return &MapError{Op: "munmap", Stacks: 1, Size: 10, Bytes: 11} },
			[]error{ErrMap}, "mmapstack: cannot unmap 1 stack of 10 bytes: munmap of 11 bytes"},
		{"BusyError", func(*testing.T) error { return &BusyError{Why: "why", Err: ErrOrder} }, []error{ErrBusy, ErrOrder},
			"still in use: why: mmapstack: not last in"},
		{"OrderError", func(*testing.T) error { return &OrderError{2} }, []error{ErrOrder}, "close the 2 stacks first"},
		{"ErrUnsupported", func(*testing.T) error { return ErrUnsupported }, []error{errors.ErrUnsupported}, "the runtime owns"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := Totals()
			err := tt.err(t)
			require.Error(t, err)
			for _, is := range tt.is {
				require.ErrorIs(t, err, is)
			}
			require.NotErrorIs(t, err, errors.New("another"))
			require.Contains(t, err.Error(), tt.text)
			if !t.Failed() && tt.is[0] == ErrSize {
				require.Equal(t, before, Totals())
			}
		})
	}
}

func TestMisuseOfPutPanicsAndSaysWhatToChange(t *testing.T) {
	p := newPool(t, 16<<10, probedGuard())
	q := newPool(t, 16<<10, probedGuard())
	own, err := New(0)
	require.NoError(t, err)
	defer func() { require.NoError(t, own.Close()) }()
	s, err := p.Get()
	require.NoError(t, err)
	kid, err := s.Carve(MinSize)
	require.NoError(t, err)

	for _, tt := range []struct {
		name, text string
		do         func()
	}{
		{"nil", "Put of a nil stack", func() { p.Put(nil) }},
		{"own", "own stack that came from elsewhere", func() { p.Put(own) }},
		{"carved", "carved stack that came from elsewhere", func() { p.Put(kid) }},
		{"another pool's", "pooled stack that came from elsewhere", func() { q.Put(s) }},
		{"carved from", "1 carved stacks open; close them first", func() { p.Put(s) }},
		{"twice", "drop the second Put", func() {
			require.NoError(t, kid.Close())
			p.Put(s)
			p.Put(s)
		}},
		{"after Close", "Put of a closed stack", func() {
			require.NoError(t, p.Close())
			p.Put(s)
		}},
		{"Close of a pooled one", "use Put", func() {
			s, err := q.Get()
			require.NoError(t, err)
			defer q.Put(s)
			_ = s.Close()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() { require.Contains(t, recover(), tt.text) }()
			tt.do()
		})
	}
}
