package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// A progress says on a terminal what is being measured, and how long the rest will
// take. Elsewhere it says nothing.
type progress struct {
	w     io.Writer // nil: not a terminal
	begin time.Time
	total time.Duration // what all parts together are expected to take
	done  time.Duration // what the parts that are done were expected to take
}

// newProgress begins to count. Parts that are expected to take total follow.
func newProgress(w io.Writer, total time.Duration) *progress {
	if f, ok := w.(*os.File); !ok || !isTerminal(f) {
		w = nil
	}
	return &progress{w: w, begin: time.Now(), total: total}
}

// isTerminal reports whether f is a character device: a terminal, or one that
// keeps nothing of what is written to it.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// part says that the part of that title begins, and that the parts before it were
// expected to take done together.
func (p *progress) part(title string, done time.Duration) {
	p.done = done
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[K%s left: %s", round(p.left(time.Since(p.begin))), title)
	}
}

// left estimates what remains, spent after the begin: what was done so far corrects
// what was expected.
func (p *progress) left(spent time.Duration) time.Duration {
	rest := p.total - p.done
	if p.done > 0 {
		rest = time.Duration(float64(rest) * float64(spent) / float64(p.done))
	}
	return max(rest, 0)
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// end takes the line away.
func (p *progress) end() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
