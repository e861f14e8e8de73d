//go:build linux

package ctx

import (
	"errors"
	"fmt"
	"runtime"
	"sort"
)

// A goroutine is what a dump tells of one's stack. It refers to the same as for
// the collector: what the maps of its frames call live pointers, and the variables
// that such a pointer points to. Where these begin and end the dump does not tell,
// so a frame that a live pointer points into counts with all its words.
type goroutine struct {
	g        uint64
	identity uint64 // that it serves, or 0
	writer   bool   // it writes the dump
	panics   bool   // and so the maps may not be those of where it goes on
	frames   []frame
	words    []uint64
	live     []uint64
}

type frame struct {
	sp, end     uint64
	first, last int  // its part of words
	all         bool // it counts with all its words
	stops, base bool // it is stoppedBy; it serves an identity
}

const (
	// dumpingReason is why the goroutine that writes the dump waits.
	dumpingReason = "dumping heap"
	// stoppedBy has the registers of a goroutine that was stopped where the maps do
	// not hold: in the function that seems to have called it.
	stoppedBy = "runtime.asyncPreempt"
)

func (g *goroutine) begin(p *parser) {
	*g = goroutine{g: p.int(), frames: g.frames[:0], words: g.words[:0], live: g.live[:0]}
	p.ints(7) // sp, number, pc of the go statement, status, system, background, since
	g.writer = string(p.bytes(p.int())) == dumpingReason
	g.live = append(g.live, p.int()) // the context register
	p.ints(3)
}

// frame reads the next frame, the caller of the one before.
func (g *goroutine) frame(p *parser) {
	f := frame{sp: p.int(), first: len(g.words)}
	p.ints(2)
	data := p.bytes(p.int())
	f.end = f.sp + uint64(len(data))
	for ; p.err == nil && len(data) >= p.word; data = data[p.word:] {
		g.words = append(g.words, p.pointer(data))
	}
	f.last = len(g.words)
	p.ints(3)
	name := string(p.bytes(p.int()))
	f.stops, f.base = name == stoppedBy, name == serveName
	f.all = f.stops
	if n := len(g.frames); n != 0 {
		f.all = f.all || g.frames[n-1].stops
		if g.frames[n-1].base {
			g.find(p, g.words[f.first:])
		}
	}
	if f.base {
		g.find(p, g.words[f.first:])
	}
	for p.err == nil && p.int() == fieldPointer {
		at := p.int() / uint64(p.word)
		if at >= uint64(f.last-f.first) {
			p.fail(fmt.Errorf("%w: pointer at word %d of a frame", errHeap, at))
			return
		}
		g.live = append(g.live, g.words[f.first+int(at)])
	}
	g.frames = append(g.frames, f)
}

// find looks for the identity among the words of the frame that serves it, or of
// that one's caller: it is an argument.
func (g *goroutine) find(p *parser, words []uint64) {
	for _, v := range words {
		if g.identity == 0 && p.known(v) {
			g.identity = v
		}
	}
}

// references returns what the stack refers to.
func (g *goroutine) references() (refs []uint64) {
	for i := range g.frames {
		if g.panics || g.frames[i].all {
			g.count(&g.frames[i])
		}
	}
	for n := len(g.live); n != 0; n = len(g.live) {
		v := g.live[n-1]
		g.live = g.live[:n-1]
		switch i, found := g.frameAt(v); {
		case !found:
			refs = append(refs, v)
		case !g.frames[i].all:
			g.count(&g.frames[i])
		}
	}
	return refs
}

// count has all words of f count, except saved frame pointers. A saved frame pointer
// points into the next frame: by it, all words of that frame would count too, and so on
// up to the outermost, even a task that the frame's function has dropped.
func (g *goroutine) count(f *frame) {
	f.all = true
	for _, v := range g.words[f.first:f.last] {
		if !g.isFramePointer(v) {
			g.live = append(g.live, v)
		}
	}
}

// isFramePointer reports whether v points to where a function saves its caller's
// frame pointer: no variable is there.
func (g *goroutine) isFramePointer(v uint64) bool {
	i, found := g.frameAt(v)
	return found && savedFrame != 0 && v == g.frames[i].end-savedFrame
}

// savedFrame is how far below the end of a frame that is. On amd64 the return
// address is above it; on arm64 the function that is called keeps that at the other
// end of its frame.
var savedFrame = map[string]uint64{"amd64": 16, "arm64": 8}[runtime.GOARCH]

// frameAt returns the frame that v points into.
func (g *goroutine) frameAt(v uint64) (i int, found bool) {
	i = sort.Search(len(g.frames), func(i int) bool { return v < g.frames[i].end })
	return i, i < len(g.frames) && v >= g.frames[i].sp
}

// errHeap: the dump contradicts itself.
var errHeap = errors.New("broken record")
