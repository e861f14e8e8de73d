package mmapstack

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// watching has a bit for each who wants to know of Gets and Puts, and the makers of
// other stacks: one load tells that there is none.
var watching atomic.Uint32

const (
	watchMakers = 1 << iota // TraceMakers
	watchSites              // WatchSites
	watchMarks              // of a pool, never in watching: WithHighWater
	watchClear              // likewise: WithClear
)

func setWatch(bit uint32, on bool) {
	if on {
		watching.Or(bit)
	} else {
		watching.And(^bit)
	}
}

// A Site is a place in the program that takes stacks, and what they were used for.
type Site struct {
	Where string // function, file and line: the innermost outside this module
	Kind  Kind
	Size  int  // usable bytes of one
	Grows bool // in place
	Marks      // of those given back
}

type siteKey struct {
	pcs   [24]uintptr
	kind  Kind
	size  int
	grows bool
}

type siteMarks struct {
	where string
	marks
}

var sites struct {
	sync.Mutex
	of    map[*Stack]*siteMarks // those that are out
	known map[siteKey]*siteMarks
}

// WatchSites has every stack from now on measured from when it is made or got to
// when it is closed or put, for Sites to tell. Get and Put are slow meanwhile, by
// a microsecond or a few. false stops it; what was measured stays until the
// next WatchSites(true).
func WatchSites(on bool) {
	sites.Lock()
	defer sites.Unlock()
	sites.of = nil
	if on {
		sites.of = make(map[*Stack]*siteMarks)
		sites.known = make(map[siteKey]*siteMarks)
	}
	setWatch(watchSites, on)
}

// Sites returns what was measured since WatchSites(true), by place, kind and size,
// the greatest mark first.
func Sites() []Site {
	sites.Lock()
	defer sites.Unlock()
	type id struct {
		where string
		kind  Kind
		size  int
		grows bool
	}
	merged := make(map[id]*marks)
	for key, m := range sites.known {
		k := id{m.where, key.kind, key.size, key.grows}
		if merged[k] == nil {
			merged[k] = new(marks)
		}
		merged[k].merge(&m.marks)
	}
	list := make([]Site, 0, len(merged))
	for k, m := range merged {
		if sum := m.sum(); sum.Count != 0 {
			list = append(list, Site{k.where, k.kind, k.size, k.grows, sum})
		}
	}
	slices.SortFunc(list, func(a, b Site) int {
		return cmp.Or(b.Most-a.Most, strings.Compare(a.Where, b.Where), int(a.Kind)-int(b.Kind), a.Size-b.Size)
	})
	return list
}

func (m *marks) merge(other *marks) {
	for c := range m.classes {
		m.classes[c].Add(other.classes[c].Load())
	}
	m.most.Store(max(m.most.Load(), other.most.Load()))
}

// taken tells all who watch that the caller of its caller has s. Nothing lives on
// it but in the topmost IdleLive bytes.
func taken(s *Stack, watch uint32) {
	if watch&watchMakers != 0 {
		noteMaker(s)
	}
	if watch&(watchSites|watchMarks) != 0 {
		s.ResetHighWater()
	}
	if watch&watchSites != 0 {
		noteSite(s)
	}
}

// given tells them that s is given back.
func given(s *Stack, watch uint32) {
	if watch&watchMakers != 0 {
		forgetMaker(s)
	}
	measure(s, watch)
	if watch&watchClear != 0 {
		s.wipe()
	}
}

// measure tells those who count marks.
func measure(s *Stack, watch uint32) {
	if watch&(watchSites|watchMarks) == 0 {
		return
	}
	mark := s.HighWater()
	if watch&watchMarks != 0 {
		s.slab.pool.marks.add(mark)
	}
	sites.Lock()
	defer sites.Unlock()
	if m := sites.of[s]; m != nil {
		m.add(mark)
		delete(sites.of, s)
	}
}

func noteSite(s *Stack) {
	key := siteKey{kind: s.kind, size: s.Size(), grows: s.grows()}
	runtime.Callers(4, key.pcs[:])
	sites.Lock()
	defer sites.Unlock()
	if sites.of == nil {
		return
	}
	m := sites.known[key]
	if m == nil {
		m = &siteMarks{where: whereOf(key.pcs[:])}
		sites.known[key] = m
	}
	sites.of[s] = m
}

// whereOf names the innermost frame that is not of this module's packages.
func whereOf(pcs []uintptr) (where string) {
	if n := slices.Index(pcs, 0); n >= 0 {
		pcs = pcs[:n]
	}
	frames := runtime.CallersFrames(pcs)
	for more := len(pcs) != 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.Function == "runtime.goexit" {
			break
		}
		where = fmt.Sprintf("%s %s:%d", f.Function, f.File, f.Line)
		if !ours(f) {
			break
		}
	}
	return where
}

// ours reports whether f is of a package that takes stacks for its callers.
func ours(f runtime.Frame) bool {
	rest, ok := strings.CutPrefix(f.Function, "github.com/stackhop/stackhop")
	if !ok || strings.HasSuffix(f.File, "_test.go") {
		return false
	}
	pkg, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), ".")
	return slices.Contains([]string{"", "mmapstack", "guard", "ctx", "join", "leaf", "pull", "sched", "resume", "cancel"}, pkg)
}
