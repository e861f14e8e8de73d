package tests

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
)

var everyExperiment = flag.Bool("experiments.all", false, "build with every GOEXPERIMENT that the toolchain has, and run the kernel's own checks with each")

// With an experiment the runtime's types have fields in other places, and its code has
// other checks. Stacks grow with each, or a typed error says why they do not.
func TestStacksGrowOrSayWhyUnderEveryExperiment(t *testing.T) {
	needAsm(t)
	if testing.Short() && !*everyExperiment {
		t.Skip("builds the runtime anew; not with -short")
	}
	list := otherExperiments(t)
	if !*everyExperiment {
		// One with which a field of p moves, and the one that forbids mapped stacks.
		list = slices.DeleteFunc(list, func(x string) bool {
			return !slices.Contains([]string{"greenteagc", "nogreenteagc", "cgocheck2"}, x)
		})
		require.Len(t, list, 2)
	}
	for _, x := range list {
		t.Run(x, func(t *testing.T) {
			t.Setenv("GOEXPERIMENT", x)
			t.Setenv("CGO_ENABLED", "0") // with cgo a stack's first window is the widest
			out := growing(t)
			if x == "cgocheck2" {
				require.Contains(t, out, "growth off: ")
				require.Contains(t, out, "stacks native: stackhop: no coroutine can run on a region: GOEXPERIMENT=cgocheck2 forbids")
			} else {
				require.Contains(t, out, "backend asm\ngrowth on\nstacks growing\n")
				require.Regexp(t, `\ngrown [1-9]\d+ overflowed [1-9]\d*\n`, out)
			}
			require.True(t, strings.HasSuffix(out, "\nok\n"), out)
			if *everyExperiment {
				testsupport.Go(t, "", "test", "-count=1", "-short", "-run", "Layout|Discover|Field|Flags|Type", module)
			}
		})
	}
}

// growing builds testdata/growing with flags and returns what it prints.
func growing(t *testing.T, flags ...string) string {
	t.Helper()
	return testsupport.Go(t, "", append(append([]string{"run"}, flags...), "./testdata/growing")...)
}

// otherExperiments returns a value of GOEXPERIMENT for each experiment of the toolchain,
// that turns it off if it is on by default, and else on. Those are left out that the
// toolchain ignores, since the architecture always has them.
func otherExperiments(t *testing.T) []string {
	root := strings.TrimSpace(testsupport.Go(t, "", "env", "GOROOT"))
	text, err := os.ReadFile(filepath.Join(root, "src", "internal", "goexperiment", "flags.go"))
	require.NoError(t, err)
	standard := toolTags(t)
	var list []string
	for _, m := range regexp.MustCompile(`(?m)^\t([A-Z]\w+) +bool$`).FindAllStringSubmatch(string(text), -1) {
		x := strings.ToLower(m[1])
		if standard["goexperiment."+x] {
			x = "no" + x
		}
		t.Setenv("GOEXPERIMENT", x)
		if maps.Equal(standard, toolTags(t)) {
			t.Logf("%s: the toolchain ignores it", x)
			continue
		}
		list = append(list, x)
	}
	t.Setenv("GOEXPERIMENT", "")
	require.NotEmpty(t, list)
	return list
}

func toolTags(t *testing.T) map[string]bool {
	tags := map[string]bool{}
	for tag := range strings.FieldsSeq(strings.Trim(testsupport.Go(t, "", "list", "-f", "{{context.ToolTags}}", "runtime"), "[]\n")) {
		tags[tag] = true
	}
	return tags
}
