package main

import (
	"errors"
	"io"

	"github.com/stackhop/stackhop/ctx"
)

// push is the mirror of pull.Pull: it turns consume, which asks for values,
// into a function that is given them. Consume begins at once, and is suspended
// wherever it calls next; put continues it right there and returns when it
// wants another value.
//
// Put answers ctx.ErrDone when consume has returned. End makes next answer
// false from now on, and returns what consume returned.
//
// Whoever sends the values decides how deeply consume recurses: it gets a
// stack that grows.
func push[V any](consume func(next func() (V, bool)) error) (put func(V) error, end func() error, err error) {
	var (
		value  V
		ok     = true
		result error
	)
	task, err := ctx.Spawn(func(t *ctx.Task) {
		result = consume(func() (V, bool) {
			if ok {
				t.Yield()
			}
			return value, ok
		})
	}, ctx.WithNativeStack())
	if err != nil {
		return nil, nil, err
	}
	put = func(v V) error {
		value = v
		return task.Resume()
	}
	end = func() error {
		var zero V
		value, ok = zero, false
		if err := task.Resume(); err != nil && !errors.Is(err, ctx.ErrDone) {
			return err
		}
		return errors.Join(task.Err(), result) // a panic, or an error
	}
	return put, end, nil
}

// A decoder parses a JSON text that arrives in pieces. Its two tasks, the
// tokenizer and the parser, are suspended between the calls of Write.
//
//	Write ─▶ tokens, suspended in Read ─▶ parser, suspended in next
type decoder struct {
	put    func([]byte) error
	end    func() error
	parser parser
	value  any
}

// newDecoder makes a decoder, which must be closed.
func newDecoder() (*decoder, error) {
	d := new(decoder)
	putToken, endTokens, err := push(func(next func() (token, bool)) (err error) {
		d.parser.next = next
		d.value, err = d.parser.document()
		return err
	})
	if err != nil {
		return nil, err
	}
	d.put, d.end, err = push(func(next func() ([]byte, bool)) error {
		for tok := range tokens(&chunkReader{next: next}) {
			if putToken(tok) != nil {
				break // the parser has ended: endTokens says why
			}
		}
		return endTokens()
	})
	if err != nil {
		return nil, errors.Join(err, endTokens())
	}
	return d, nil
}

// Write parses on, as far as p goes. An error means that the text is at its
// end, or wrong: Close says which.
func (d *decoder) Write(p []byte) (int, error) {
	if err := d.put(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close says that nothing more will come, and returns the parsed value.
func (d *decoder) Close() (any, error) {
	err := d.end()
	return d.value, err
}

// Where tells the production that waits for more.
func (d *decoder) Where() string { return d.parser.where() }

// A chunkReader is an io.Reader over chunks. It knows nothing of tasks: that
// next suspends its caller is next's affair.
type chunkReader struct {
	next func() ([]byte, bool)
	rest []byte
}

func (r *chunkReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		chunk, ok := r.next()
		if !ok {
			return 0, io.EOF
		}
		r.rest = chunk
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
