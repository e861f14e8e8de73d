package ctx_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A link of a ring of tasks, each of which transfers to the next.
type link struct {
	h    resume.Handle
	next *link
	n    *int
}

func (l *link) Publish(h resume.Handle) { l.h = h }

// BenchmarkTransferChain is one transfer from task to task, beside the switch
// pair of a plain Yield and Resume.
func BenchmarkTransferChain(b *testing.B) {
	b.Run("transfer", func(b *testing.B) {
		var ring [8]link
		left := b.N
		for i := range ring {
			l := &ring[i]
			l.next, l.n = &ring[(i+1)%len(ring)], &left
			_, err := ctx.Spawn(func(t *ctx.Task) {
				t.SuspendTo(l)
				for ; *l.n > 0; *l.n-- {
					if err := t.TransferTo(l.next.h, l); err != nil {
						panic(err)
					}
				}
				_ = l.next.h.Resume()
			})
			require.NoError(b, err)
		}
		b.ReportAllocs()
		b.ResetTimer()
		require.NoError(b, ring[0].h.Resume())
	})
	b.Run("yield and resume", func(b *testing.B) {
		t, err := ctx.Spawn(func(t *ctx.Task) {
			for {
				t.Yield()
			}
		})
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			_ = t.Resume()
		}
		_ = t.Cancel(nil)
	})
}
