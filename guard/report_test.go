package guard

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

func TestAdvice(t *testing.T) {
	site := func(size, most int, grows bool) mmapstack.Site {
		return mmapstack.Site{Size: size, Grows: grows, Marks: mmapstack.Marks{Count: fewCounts, Most: most}}
	}
	for _, tt := range []struct {
		name string
		site mmapstack.Site
		need int
		text string
	}{
		{"shallow", site(64<<10, 1000, false), 4096, "4 KiB would do"},
		{"half", site(64<<10, 30<<10, false), 64 << 10, "fits"},
		{"nearly full", site(64<<10, 60<<10, false), 128 << 10, "nearly full: take 128 KiB, or a pool that grows (guard.Growing)"},
		{"grows", site(64<<10, 60<<10, true), 128 << 10, "grows as it needs"},
		{"overflowed", site(64<<10, 70<<10, true), 128 << 10, "has overflowed into its reserve: look for a recursion, or give it more than 64 KiB"},
		{"odd size", site(5000, 6000, true), 16 << 10, "has overflowed into its reserve: look for a recursion, or give it more than 5000 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := advise(tt.site)
			require.Equal(t, tt.need, a.Need)
			require.Equal(t, tt.text, a.Text)
			tt.site.Count--
			require.Equal(t, tt.text+"; a guess, of less than 100 uses", advise(tt.site).Text)
		})
	}
}

type fullWriter struct{}

var errFull = errors.New("full")

func (fullWriter) Write([]byte) (int, error) { return 0, errFull }

func TestReportPrintsALineForEachPlace(t *testing.T) {
	Watch(true)
	defer Watch(false)
	var b strings.Builder
	require.NoError(t, Report(&b))
	require.Equal(t, "guard: no stack was given back since guard.Watch(true)\n", b.String())
	require.ErrorIs(t, Report(fullWriter{}), errFull)

	p, err := NewPool(Strict, 0)
	if errors.Is(err, mmapstack.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	for range fewCounts {
		s, err := p.Get()
		require.NoError(t, err)
		c, err := stackhop.New(s.Region(), func(*stackhop.Coro) { hold(100) })
		require.NoError(t, err)
		c.Switch()
		require.NoError(t, c.Close())
		p.Put(s)
	}
	require.NoError(t, p.Close())
	list := Advise()
	require.Len(t, list, 1)
	require.EqualValues(t, fewCounts, list[0].Count)
	require.Contains(t, list[0].Where, "TestReportPrintsALineForEachPlace")
	if stackhop.Backend().Name == "asm" {
		require.Greater(t, list[0].Most, 100*64)
		require.Equal(t, list[0].Most, list[0].P99)
		require.Less(t, list[0].Need, 64<<10)
	}
	require.NoError(t, Report(&b))
	require.Contains(t, b.String(), "would do")
	require.Contains(t, b.String(), "report_test.go:")
	require.ErrorIs(t, Report(fullWriter{}), errFull)
}

//go:noinline
func hold(n int) int {
	var a [8]int
	a[n%8] = n
	if n == 0 {
		return 0
	}
	return hold(n-1) + a[n%8]
}
