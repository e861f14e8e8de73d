//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tables say of each instruction what runtime.FuncForPC says, inlined code included.
func TestSymbolsAreTheRuntimes(t *testing.T) {
	if err := EnableGrowth(func(Overflow) error { return nil }); err != nil {
		t.Skip(err)
	}
	text, etext := peek64(firstModule+moduleText), peek64(firstModule+moduleEtext)
	step := (etext - text) / 20_000 &^ 3
	inlines := 0
	for pc := text; pc < etext; pc += step {
		f := runtime.FuncForPC(pc)
		if f == nil || f.Name() == "" { // no Go function
			continue
		}
		s := symbolAt(pc)
		name, inlined := s.nameAt(pc)
		want, _, generic := strings.Cut(f.Name(), "[...]")
		if generic {
			require.True(t, strings.HasPrefix(name, want+"["), "%s, %s", f.Name(), name)
		} else {
			require.Equal(t, want, name)
		}
		require.Equal(t, f.Entry(), s.entry())
		if inlined {
			inlines++
		}
	}
	require.NotZero(t, inlines)
	require.Zero(t, testing.AllocsPerRun(100, func() { symbolAt(text + 100).nameAt(text + 100) }))
}
