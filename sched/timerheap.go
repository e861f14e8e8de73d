package sched

// A timerHeap has the timers that are set: the next one first, each before its
// four children.
type timerHeap []*Timer

func (t *Timer) before(u *Timer) bool {
	return t.when < u.when || t.when == u.when && t.seq < u.seq
}

func (h *timerHeap) push(t *Timer) {
	*h = append(*h, t)
	h.up(len(*h) - 1)
}

// remove takes out the timer at i.
func (h *timerHeap) remove(i int) {
	old := *h
	old[i].at = 0
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	if i == len(*h) {
		return
	}
	(*h)[i] = last
	h.down(i)
	h.up(last.at - 1)
}

func (h timerHeap) up(i int) {
	t := h[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !t.before(h[parent]) {
			break
		}
		h.put(i, h[parent])
		i = parent
	}
	h.put(i, t)
}

func (h timerHeap) down(i int) {
	t := h[i]
	for {
		first := i
		for c := 4*i + 1; c <= 4*i+4 && c < len(h); c++ {
			if h[c].before(t) && (first == i || h[c].before(h[first])) {
				first = c
			}
		}
		if first == i {
			break
		}
		h.put(i, h[first])
		i = first
	}
	h.put(i, t)
}

func (h timerHeap) put(i int, t *Timer) {
	h[i] = t
	t.at = i + 1
}
