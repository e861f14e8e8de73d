// Package examples_test holds what the examples promise together.
package examples_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// A scheduler of one's own, and Lua's coroutines: each in one file of under 60
// lines, comments and all.
func TestUnder60Lines(t *testing.T) {
	for _, file := range []string{"ownsched/sched.go", "lua/lua.go"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Less(t, bytes.Count(text, []byte("\n")), 60, file)
	}
}
