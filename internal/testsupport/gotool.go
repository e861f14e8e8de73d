package testsupport

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// ErrProfile is the sentinel of a profile that is none.
var ErrProfile = errors.New("testsupport: not a profile")

// Go runs the go command, in the folder dir, and returns what it prints on
// stdout. It skips the test if there is no go command of this release.
func Go(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	if reason := NoGo(); reason != "" {
		tb.Skip(reason)
	}
	out, err := goCommand(dir, args...)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func goCommand(dir string, args ...string) (string, error) {
	return output(dir, "go", args...)
}

// goTool runs a tool of the Go distribution; asking the go command for it each
// time would take longer than the tool.
func goTool(name string, args ...string) (string, error) {
	path, ok := toolPaths.Load(name)
	if !ok {
		out, err := goCommand("", "tool", "-n", name)
		if err != nil {
			return "", err
		}
		path, _ = toolPaths.LoadOrStore(name, strings.TrimSpace(out))
	}
	return output("", path.(string), args...)
}

var toolPaths sync.Map // name → path

// combined runs the go command and returns all that it prints.
func combined(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go %q: %w\n%s", args, err, Tail(string(out)))
	}
	return string(out), err
}

func output(dir, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %q: %w\n%s", path, args, err, Tail(errOut.String()))
	}
	return out.String(), nil
}

// CheckProfile returns an error unless the file is a gzipped, non-empty
// protocol buffer message, and `go tool pprof`, if there is one, reads it.
func CheckProfile(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrProfile, path, err)
	}
	msg, err := io.ReadAll(zr)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrProfile, path, err)
	}
	if err := walkMessage(msg); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrProfile, path, err)
	}
	if NoGo() != "" {
		return nil
	}
	_, err = goTool("pprof", "-raw", "-output="+os.DevNull, path)
	return err
}

// CheckTrace returns an error unless the go command's trace parser, which
// validates the state of every goroutine, reads the file to its end.
// events are the parsed events.
func CheckTrace(path string) (events string, err error) {
	return goTool("trace", "-d=parsed", path)
}

// TraceSwitches counts the coroutine switches in a trace.
func TraceSwitches(path string) (int, error) {
	events, err := goTool("trace", "-d=wire", path)
	return strings.Count(events, "GoSwitch"), err
}

// walkMessage checks the outermost fields of a protocol buffer message.
func walkMessage(msg []byte) error {
	fields := 0
	for len(msg) > 0 {
		key, n := varint(msg)
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		msg = msg[n:]
		value, n := varint(msg)
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		msg = msg[n:]
		switch key & 7 {
		case 0:
		case 2:
			if value > uint64(len(msg)) {
				return io.ErrUnexpectedEOF
			}
			msg = msg[value:]
		default:
			return fmt.Errorf("wire type %d of field %d", key&7, key>>3)
		}
		fields++
	}
	if fields == 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func varint(b []byte) (v uint64, n int) {
	for n < len(b) && n < 10 {
		v |= uint64(b[n]&0x7f) << (7 * n)
		n++
		if b[n-1] < 0x80 {
			return v, n
		}
	}
	return 0, 0
}
