package guard

import (
	"fmt"
	"io"
	"math/bits"
	"text/tabwriter"

	"github.com/stackhop/stackhop/mmapstack"
)

// Watch has every stack measured from now on, for Report, until Watch(false).
// A spawn and an end of a task cost some microseconds meanwhile, and one load each
// while it is off. Stacks that were taken before are not measured. Watch(true)
// forgets what an earlier one has measured. It may be called at any time, by
// anybody.
func Watch(on bool) { mmapstack.WatchSites(on) }

// Advice is what Report says about stacks taken at one place.
type Advice struct {
	mmapstack.Site
	Need int    // bytes that would do: half more than the most that was used, a power of two
	Text string // what to do
}

const (
	margin    = 1024 // the runtime's own guard, which no mark reaches
	fewCounts = 100  // uses below which a figure is called a guess
)

// Advise returns what Report prints, the deepest first.
func Advise() []Advice {
	sites := mmapstack.Sites()
	list := make([]Advice, len(sites))
	for i, s := range sites {
		list[i] = advise(s)
	}
	return list
}

func advise(s mmapstack.Site) Advice {
	a := Advice{Site: s, Need: need(s.Most)}
	switch {
	case s.Grows && s.Most > s.Size:
		a.Text = fmt.Sprintf("has overflowed into its reserve: look for a recursion, or give it more than %s", kib(s.Size))
	case s.Grows:
		a.Text = "grows as it needs"
	case s.Most+margin > s.Size/4*3:
		a.Text = fmt.Sprintf("nearly full: take %s, or a pool that grows (guard.Growing)", kib(a.Need))
	case a.Need < s.Size:
		a.Text = fmt.Sprintf("%s would do", kib(a.Need))
	default:
		a.Text = "fits"
	}
	if s.Count < fewCounts {
		a.Text += fmt.Sprintf("; a guess, of less than %d uses", fewCounts)
	}
	return a
}

// need is at least one page, and what mmapstack.Default has pools of.
func need(most int) int {
	want := max(most/2*3+margin, mmapstack.MinSize)
	return min(1<<bits.Len(uint(want-1)), mmapstack.MaxSize)
}

// Report prints, for each place that takes stacks, how much of them was used since
// Watch(true), and which size would do: of those that have been given back, so
// that a task that has not ended does not count. For stacks of package ctx the
// place is the caller of Spawn. Sizes are of address space; memory is what was touched, in
// pages, whatever the size. The figures are those of mmapstack.Stack.HighWater,
// with its limits.
//
// Error: that of w.
func Report(w io.Writer) error {
	list := Advise()
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "guard: no stack was given back since guard.Watch(true)")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "uses\tsize\tmedian\t99 %\tmost\tkind\tadvice\twhere")
	for _, a := range list {
		fmt.Fprintf(t, "%d\t%s\t%d\t%d\t%d\t%v\t%s\t%s\n", a.Count, kib(a.Size), a.Median, a.P99, a.Most, a.Kind, a.Text, a.Where)
	}
	return t.Flush()
}

// kib writes n bytes in KiB, if they are whole ones.
func kib(n int) string {
	if n%1024 != 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
