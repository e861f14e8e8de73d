package main

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/stackhop/stackhop/pull"
)

// A source is a sequence that stands still at its head.
type source struct {
	next func() (entry, error, bool)
	stop func()
	head entry
	err  error
	ok   bool // false: it has ended
}

func (s *source) advance() { s.head, s.err, s.ok = s.next() }

// at is the time of the head; an error is not to wait.
func (s *source) at() time.Duration {
	if s.err != nil {
		return -1
	}
	return s.head.at
}

// merge makes one sequence of several that are in the order of time. An error
// comes as soon as it is seen.
func merge(sequences ...iter.Seq2[entry, error]) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		var sources []*source
		for _, seq := range sequences {
			s := new(source)
			s.next, s.stop = pull.Pull2(seq)
			defer s.stop() // also if the consumer panics
			s.advance()
			sources = append(sources, s)
		}
		for {
			sources = slices.DeleteFunc(sources, func(s *source) bool { return !s.ok })
			if len(sources) == 0 {
				return
			}
			s := slices.MinFunc(sources, func(a, b *source) int { return cmp.Compare(a.at(), b.at()) })
			if !yield(s.head, s.err) {
				return
			}
			s.advance()
		}
	}
}
