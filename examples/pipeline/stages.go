package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"time"
)

// An entry is one line of a log.
type entry struct {
	at          time.Duration
	what        string // "begin" or "end"
	id, address string
}

// A request is two entries that belong together.
type request struct {
	id, address string
	took        time.Duration
}

func (r request) String() string { return fmt.Sprintf("%s %s %v", r.id, r.address, r.took) }

// lines generates the lines of a file. It says when it opens and closes it, to
// show how much of the file was asked for.
func lines(files fs.FS, name string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		f, err := files.Open(name)
		if err != nil {
			yield("", err)
			return
		}
		defer f.Close()
		n := 0
		fmt.Println("  open", name)
		defer func() { fmt.Println("  close", name, "after", n, "lines") }()
		in := bufio.NewScanner(f)
		for in.Scan() {
			n++
			if !yield(in.Text(), nil) {
				return
			}
		}
		if err := in.Err(); err != nil {
			yield("", err)
		}
	}
}

// parse makes entries of lines, or an error of a line that is none.
func parse(name string, lines iter.Seq2[string, error]) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		n := 0
		for line, err := range lines {
			n++
			var e entry
			if err == nil {
				if e, err = parseLine(line); err != nil {
					err = fmt.Errorf("%s:%d: %w", name, n, err)
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func parseLine(line string) (e entry, err error) {
	f := strings.Fields(line)
	switch {
	case len(f) == 4 && f[1] == "begin":
		e.address = f[3]
	case len(f) == 3 && f[1] == "end":
	default:
		return e, fmt.Errorf("no entry: %q", line)
	}
	e.what, e.id = f[1], f[2]
	e.at, err = time.ParseDuration(f[0])
	return e, err
}

// join makes requests of entries: it remembers those that have begun.
func join(entries iter.Seq2[entry, error]) iter.Seq2[request, error] {
	return func(yield func(request, error) bool) {
		begun := map[string]entry{}
		for e, err := range entries {
			if err == nil && e.what == "begin" {
				begun[e.id] = e
				continue
			}
			b, ok := begun[e.id]
			if err == nil && !ok {
				err = fmt.Errorf("%s ends at %v without a beginning", e.id, e.at)
			}
			delete(begun, e.id)
			if !yield(request{e.id, b.address, e.at - b.at}, err) {
				return
			}
		}
	}
}

// slow hands on the requests that took limit or longer, and all errors.
func slow(requests iter.Seq2[request, error], limit time.Duration) iter.Seq2[request, error] {
	return func(yield func(request, error) bool) {
		for r, err := range requests {
			if (err != nil || r.took >= limit) && !yield(r, err) {
				return
			}
		}
	}
}
