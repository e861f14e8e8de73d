// Parser turns two functions inside out, in both directions, without changing
// a line of either.
//
// The tokenizer pushes: it reads with bufio, in one loop, and hands each token
// to yield. The parser pulls: it is recursive descent, and calls next whenever
// a production wants a token. Both are written as if they were the main
// program, which is why both are short. Something has to give when they meet:
//
//   - A file: the parser is in charge, and pull.Pull turns the tokenizer into
//     a function next.
//   - A network connection: whoever has received a chunk is in charge. The
//     parser must then stop wherever the chunk ends, in the middle of a nested
//     production or of a number, and go on when the next one comes. Push, the
//     mirror of pull, suspends it there: see push.go.
//
// Without coroutines the second case is a state machine with a stack of its
// own, written by hand, or a goroutine and an io.Pipe for each connection.
package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

const document = `{"name": "Ada", "langs": ["en", {"code": "fr", "level": 3.5}], "ok": true}`

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	value, err := parse(strings.NewReader(document))
	if err != nil {
		return err
	}
	fmt.Println("pulled:", value)

	d, err := newDecoder()
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk([]byte(document), 17) {
		if _, err := d.Write(chunk); err != nil {
			break // Close says why
		}
		fmt.Printf("chunk:  %-17s  waits in %s\n", chunk, d.Where())
	}
	value, err = d.Close()
	if err != nil {
		return err
	}
	fmt.Println("pushed:", value)

	_, err = parse(strings.NewReader(`{"langs": ["en" "fr"]}`))
	fmt.Println("error:", err)
	return nil
}
