package main

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
)

func TestMain(m *testing.M) { testsupport.Main(m) }

func Example() {
	main()
	// Output:
	// pulled: map[langs:[en map[code:fr level:3.5]] name:Ada ok:true]
	// chunk:  {"name": "Ada", "  waits in $
	// chunk:  langs": ["en", {"  waits in $.langs[1]
	// chunk:  code": "fr", "lev  waits in $.langs[1]
	// chunk:  el": 3.5}], "ok":  waits in $.ok
	// chunk:   true}             waits in $
	// pushed: map[langs:[en map[code:fr level:3.5]] name:Ada ok:true]
	// error: at byte 16: unexpected "fr"
}

// pushed parses text in pieces of n bytes.
func pushed(t *testing.T, text string, n int) (any, error) {
	t.Helper()
	d, err := newDecoder()
	require.NoError(t, err)
	for chunk := range slices.Chunk([]byte(text), n) {
		if _, err := d.Write(chunk); err != nil {
			require.ErrorIs(t, err, ctx.ErrDone)
			break
		}
	}
	return d.Close()
}

func TestBothDirectionsAgreeWithEncodingJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range testsupport.Scale(200) {
		text, err := json.Marshal(randomValue(r, 5))
		require.NoError(t, err)
		var want any
		require.NoError(t, json.Unmarshal(text, &want))
		got, err := parse(strings.NewReader(string(text)))
		require.NoError(t, err)
		require.Equal(t, want, got)
		got, err = pushed(t, string(text), 1+r.IntN(9))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func randomValue(r *rand.Rand, depth int) any {
	switch n := r.IntN(7); {
	case n == 0 && depth > 0:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = randomValue(r, depth-1)
		}
		return list
	case n <= 3 && depth > 0:
		object := map[string]any{}
		for range r.IntN(4) {
			object[string(rune('a'+r.IntN(26)))] = randomValue(r, depth-1)
		}
		return object
	case n == 4:
		return "quoted \"text\" with \\ and ü"
	case n == 5:
		return r.NormFloat64() * 1e6
	}
	return []any{nil, true, false}[r.IntN(3)]
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "unexpected EOF"},
		{"cut off in a list", `{"a": [1, `, "unexpected EOF"},
		{"cut off in a string", `["abc`, "unterminated string"},
		{"no value", `[1, ]`, `at byte 4: unexpected "]"`},
		{"no comma", `[1 2]`, `at byte 3: unexpected "2"`},
		{"no colon", `{"a" 1}`, `at byte 5: unexpected "1"`},
		{"no key", `{1: 2}`, `at byte 1: unexpected "1"`},
		{"more behind", `1 2`, `at byte 2: unexpected "2"`},
		{"no word", `[yes]`, `at byte 1: unexpected "yes"`},
		{"bad escape", `"\x"`, "invalid syntax"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(strings.NewReader(tt.text))
			require.EqualError(t, err, tt.want)
			_, err = pushed(t, tt.text, 3)
			require.EqualError(t, err, tt.want)
		})
	}
	_, err := parse(iotest.ErrReader(io.ErrClosedPipe))
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

// How deep a text is nested is up to the peer: that grows the parser's stack, and
// does not run off it.
func TestDepthIsBounded(t *testing.T) {
	deepest := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	_, err := parse(strings.NewReader(deepest))
	require.NoError(t, err)
	_, err = parse(strings.NewReader("[" + deepest + "]"))
	require.ErrorIs(t, err, errDepth)
	_, err = pushed(t, deepest, 1000)
	require.NoError(t, err)
	_, err = pushed(t, "["+deepest+"]", 1000)
	require.ErrorIs(t, err, errDepth)
}

func TestDecoderThatIsClosedEarlyLeavesNothing(t *testing.T) {
	for n := range len(document) {
		d, err := newDecoder()
		require.NoError(t, err)
		_, err = d.Write([]byte(document[:n]))
		require.NoError(t, err)
		_, err = d.Close()
		require.Error(t, err)
	}
}
