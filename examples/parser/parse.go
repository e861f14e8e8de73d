package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/stackhop/stackhop/pull"
)

// parse is in charge of both ends: it pulls tokens, and the tokenizer reads.
func parse(text io.Reader) (any, error) {
	next, stop := pull.Pull(tokens(text))
	defer stop()
	p := parser{next: next}
	return p.document()
}

// maxDepth bounds what a hostile text can make of a recursive parser.
const maxDepth = 10_000

var errDepth = errors.New("nested too deeply")

// A parser is recursive descent over whatever next gives it.
type parser struct {
	next func() (token, bool)
	path []string // the open productions
}

// document = value, and nothing behind it.
func (p *parser) document() (any, error) {
	tok, err := p.take()
	if err != nil {
		return nil, err
	}
	v, err := p.value(tok)
	if err != nil {
		return nil, err
	}
	if tok, more := p.next(); more {
		return nil, unexpected(tok)
	}
	return v, nil
}

// value = string | number | "true" | "false" | "null" | array | object.
func (p *parser) value(tok token) (any, error) {
	if len(p.path) >= maxDepth {
		return nil, errDepth
	}
	switch tok.kind {
	case '"':
		return tok.text, nil
	case '[':
		return p.array()
	case '{':
		return p.object()
	}
	switch tok.text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if n, err := strconv.ParseFloat(tok.text, 64); err == nil && tok.kind == 'w' {
		return n, nil
	}
	return nil, unexpected(tok)
}

// array = "[" [ value { "," value } ] "]".
func (p *parser) array() (any, error) {
	list := []any{}
	err := p.list(']', func(tok token) error {
		defer p.enter(fmt.Sprintf("[%d]", len(list)))()
		v, err := p.value(tok)
		list = append(list, v)
		return err
	})
	return list, err
}

// object = "{" [ string ":" value { "," string ":" value } ] "}".
func (p *parser) object() (any, error) {
	object := map[string]any{}
	err := p.list('}', func(key token) error {
		if key.kind != '"' {
			return unexpected(key)
		}
		defer p.enter("." + key.text)()
		tok, err := p.take()
		if err != nil {
			return err
		}
		if tok.kind != ':' {
			return unexpected(tok)
		}
		if tok, err = p.take(); err != nil {
			return err
		}
		object[key.text], err = p.value(tok)
		return err
	})
	return object, err
}

// list calls item with the first token of each item, up to the end mark.
func (p *parser) list(end byte, item func(first token) error) error {
	tok, err := p.take()
	if err != nil || tok.kind == end {
		return err
	}
	for {
		if err := item(tok); err != nil {
			return err
		}
		if tok, err = p.take(); err != nil || tok.kind == end {
			return err
		}
		if tok.kind != ',' {
			return unexpected(tok)
		}
		if tok, err = p.take(); err != nil {
			return err
		}
	}
}

// take pulls a token that must be there. This is where the parser waits for
// the network.
func (p *parser) take() (token, error) {
	tok, ok := p.next()
	if !ok {
		return tok, io.ErrUnexpectedEOF
	}
	return tok, tok.err
}

// enter opens a production, and returns what closes it.
func (p *parser) enter(name string) (leave func()) {
	p.path = append(p.path, name)
	return func() { p.path = p.path[:len(p.path)-1] }
}

func (p *parser) where() string { return "$" + strings.Join(p.path, "") }

func unexpected(tok token) error {
	if tok.err != nil {
		return tok.err
	}
	return fmt.Errorf("at byte %d: unexpected %q", tok.offset, tok.text)
}
