// Pipeline answers a question to a web farm's logs: which requests were slow?
// A request begins in one server's log and ends in another's, so that the
// logs must be read side by side, in the order of time:
//
//	lines ─▶ parse ─┐
//	lines ─▶ parse ─┼─▶ merge ─▶ join ─▶ slow ─▶ for … range
//	lines ─▶ parse ─┘
//
// Each stage is a generator: a loop that hands on what it finds, with its state
// in local variables and its clean-up in a defer. Range alone can chain such
// loops, but not merge them: merge wants the next entry of that log which is
// behind, and leaves the others alone. With pull.Pull2 each log's loop is a
// coroutine that stands still until merge asks it for one more.
//
// Nothing is read before it is asked for. If the consumer leaves its loop, by a
// break, an error or a panic, every stage's deferred calls run before the loop
// is left, and every log is closed.
package main

import (
	"embed"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"time"
)

//go:embed logs
var embedded embed.FS

const limit = 75 * time.Millisecond

func main() {
	logs, err := fs.Sub(embedded, "logs")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}

	fmt.Println("All slow requests; a bad line is skipped:")
	for r, err := range slowRequests(logs, limit) {
		if err != nil {
			fmt.Println("  skipped", err)
			continue
		}
		fmt.Println("  slow", r)
	}

	fmt.Println("The first one is enough:")
	for r, err := range slowRequests(logs, limit) {
		if err == nil {
			fmt.Println("  slow", r)
			break
		}
	}

	fmt.Println("A bad line is the end:")
	for r, err := range slowRequests(logs, limit) {
		if err != nil {
			fmt.Println("  failed", err)
			break
		}
		fmt.Println("  slow", r)
	}
}

// slowRequests is the pipeline.
func slowRequests(logs fs.FS, limit time.Duration) iter.Seq2[request, error] {
	var entries []iter.Seq2[entry, error]
	for _, name := range []string{"gate.log", "east.log", "west.log"} {
		entries = append(entries, parse(name, lines(logs, name)))
	}
	return slow(join(merge(entries...)), limit)
}
