package main

import (
	"bufio"
	"errors"
	"io"
	"iter"
	"strconv"
)

// A token is one of these kinds: a punctuation mark, which stands for itself;
// a string; a word, that is a number, true, false or null; or an error.
type token struct {
	kind   byte // one of {}[]:, and of "wE
	text   string
	err    error
	offset int
}

// tokens pushes the tokens of a JSON text whose strings are quoted as in Go. It
// ends with the text, or after a token of kind 'E'.
func tokens(text io.Reader) iter.Seq[token] {
	return func(yield func(token) bool) {
		r := &reader{Reader: bufio.NewReader(text)}
		for {
			tok, err := r.token()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(token{kind: 'E', err: err, offset: r.offset})
				return
			}
			if !yield(tok) {
				return
			}
		}
	}
}

// A reader counts what it has read.
type reader struct {
	*bufio.Reader
	offset int
}

func (r *reader) ReadByte() (byte, error) {
	c, err := r.Reader.ReadByte()
	if err == nil {
		r.offset++
	}
	return c, err
}

// token reads one token, or answers io.EOF.
func (r *reader) token() (token, error) {
	for {
		c, err := r.ReadByte()
		if err != nil {
			return token{}, err
		}
		tok := token{kind: c, text: string(c), offset: r.offset - 1}
		switch c {
		case ' ', '\t', '\n', '\r':
			continue
		case '{', '}', '[', ']', ':', ',':
			return tok, nil
		case '"':
			tok.text, err = r.quoted()
		default:
			tok.kind = 'w'
			tok.text, err = r.word(c)
		}
		return tok, err
	}
}

// quoted reads the rest of a string.
func (r *reader) quoted() (string, error) {
	text := []byte{'"'}
	for {
		c, err := r.ReadByte()
		if err == io.EOF {
			return "", errors.New("unterminated string")
		}
		if err != nil {
			return "", err
		}
		text = append(text, c)
		switch c {
		case '"':
			return strconv.Unquote(string(text))
		case '\\': // the next one is no end
			if c, err = r.ReadByte(); err == nil {
				text = append(text, c)
			}
		}
	}
}

// word reads on to the first byte that cannot be in a number or a name.
func (r *reader) word(first byte) (string, error) {
	text := []byte{first}
	for {
		c, err := r.ReadByte()
		if err == io.EOF {
			return string(text), nil
		}
		if err != nil {
			return "", err
		}
		if !inWord(c) {
			r.offset--
			return string(text), r.UnreadByte()
		}
		text = append(text, c)
	}
}

func inWord(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || c == '.' || c == '-' || c == '+' || c == 'E'
}
