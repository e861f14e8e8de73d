package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	httpBuffer  = 4 << 10
	httpMaxBody = 1 << 20
)

var greeting = []byte("Hello from a task.\n")

// HTTP answers every request of HTTP/1.1 and 1.0 with a greeting, and keeps the
// connection as long as the client likes. Plain requests are understood right
// here; all others by package net/http, which does not notice that it is
// suspended in the midst of parsing (R13).
func HTTP(c io.ReadWriter) error {
	in, out := bufio.NewReaderSize(c, httpBuffer), bufio.NewWriterSize(c, httpBuffer)
	for keep := true; keep; {
		if _, err := in.Peek(1); err != nil {
			return err
		}
		if !plainGet(in) {
			var err error
			if keep, err = anyRequest(in, out); err != nil {
				return err
			}
		} else if err := answer(out, http.StatusOK, greeting, false); err != nil {
			return err
		}
		if !keep || in.Buffered() == 0 { // else answer the next one first: it is here already
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// plainGet takes a request from in, if it is complete, and a GET of HTTP/1.1
// without a body and without wishes on the connection.
func plainGet(in *bufio.Reader) bool {
	b, _ := in.Peek(in.Buffered())
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return false
	}
	line, fields, _ := bytes.Cut(b[:end], []byte("\r\n"))
	target, ok := bytes.CutPrefix(line, []byte("GET /"))
	if ok {
		target, ok = bytes.CutSuffix(target, []byte(" HTTP/1.1"))
	}
	if !ok || !visible(target) {
		return false
	}
	hosts := 0
	for len(fields) != 0 {
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !visible(name) || special(name) || bytes.ContainsAny(value, "\r\n\x00") {
			return false
		}
		if bytes.EqualFold(name, []byte("Host")) {
			hosts++
		}
	}
	if hosts != 1 {
		return false
	}
	_, _ = in.Discard(end + len("\r\n\r\n"))
	return true
}

// visible reports whether b has neither blanks nor control characters.
func visible(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// special reports whether a header field says more than this file understands.
func special(name []byte) bool {
	for _, s := range [...]string{"Connection", "Content-Length", "Transfer-Encoding", "Expect", "Upgrade"} {
		if len(name) == len(s) && bytes.EqualFold(name, []byte(s)) {
			return true
		}
	}
	return false
}

// anyRequest reads and answers one request. It reports whether the connection
// is kept.
func anyRequest(in *bufio.Reader, out *bufio.Writer) (keep bool, err error) {
	r, err := http.ReadRequest(in)
	switch {
	case err == io.EOF:
		return false, err
	case err != nil, r.ProtoAtLeast(1, 1) && r.Host == "":
		return false, answer(out, http.StatusBadRequest, nil, true)
	case r.ProtoMajor != 1:
		return false, answer(out, http.StatusHTTPVersionNotSupported, nil, true)
	}
	if r.ProtoAtLeast(1, 1) && r.Header.Get("Expect") == "100-continue" {
		if _, err := out.WriteString("HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return false, err
		}
		if err := out.Flush(); err != nil {
			return false, err
		}
	}
	n, err := io.Copy(io.Discard, io.LimitReader(r.Body, httpMaxBody+1))
	switch {
	case n > httpMaxBody:
		return false, answer(out, http.StatusRequestEntityTooLarge, nil, true)
	case err != nil:
		return false, answer(out, http.StatusBadRequest, nil, true)
	}
	return !r.Close, respond(out, r)
}

func respond(out *bufio.Writer, r *http.Request) error {
	switch r.Method {
	case http.MethodHead:
		return head(out, http.StatusOK, len(greeting), r.Close)
	case http.MethodGet, http.MethodPost:
		return answer(out, http.StatusOK, greeting, r.Close)
	}
	return answer(out, http.StatusNotImplemented, nil, r.Close)
}

func answer(out *bufio.Writer, status int, body []byte, last bool) error {
	if err := head(out, status, len(body), last); err != nil {
		return err
	}
	_, err := out.Write(body)
	return err
}

func head(out *bufio.Writer, status, length int, last bool) error {
	b := out.AvailableBuffer()
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(append(b, ' '), http.StatusText(status)...)
	b = append(append(b, "\r\nDate: "...), date()...)
	b = append(b, "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	if last {
		b = append(b, "\r\nConnection: close"...)
	}
	_, err := out.Write(append(b, "\r\n\r\n"...))
	return err
}

// A stamp is a second and its text.
type stamp struct {
	unix int64
	text string
}

var lastStamp atomic.Pointer[stamp]

// date is the time as HTTP has it, made once a second.
func date() string {
	now := time.Now()
	if s := lastStamp.Load(); s != nil && s.unix == now.Unix() {
		return s.text
	}
	s := &stamp{now.Unix(), now.UTC().Format(http.TimeFormat)}
	lastStamp.Store(s)
	return s.text
}
