package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestWrapBreaksBetweenWordsAndFits(t *testing.T) {
	long := strings.Repeat("x", 90)
	for _, tc := range []struct{ in, want string }{
		{"", ""},
		{"  short,   as it is", "  short,   as it is"},
		{"   " + strings.Repeat("word ", 16), "   " + strings.TrimSpace(strings.Repeat("word ", 15)) + "\n     word"},
		{"a " + long + " b", "a\n  " + long + "\n  b"},
		{strings.Repeat("é", 40) + " " + strings.Repeat("é", 39), strings.Repeat("é", 40) + " " + strings.Repeat("é", 39)},
	} {
		require.Equal(t, tc.want, wrap(tc.in, 2))
	}
}

// requireFits checks that text fits a terminal of 80 columns.
func requireFits(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		require.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
		require.NotContains(t, line, "\t")
	}
}
