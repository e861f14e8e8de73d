package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/testsupport"
)

// healthy runs doctor, which may find no problem but a setting of the environment that
// the tests run in.
func healthy(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, doctor(args, &out, io.Discard))
	return out.String()
}

func TestDoctorTellsEveryFact(t *testing.T) {
	out := healthy(t)
	b := stackhop.Backend()
	for _, want := range []string{
		"version", "backend", b.Name + ": " + b.Reason, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH,
		"kernel", "cpu", "page size", "default storage", "sized storage", "growth trap", "stack guard", "net poller",
		"vm.max_map_count", "default size", "least size", "discovered",
	} {
		require.Contains(t, out, want)
	}
	for _, f := range b.Facts {
		require.Contains(t, out, f.Name)
		require.Contains(t, out, f.How)
	}
	require.NotEmpty(t, b.Reason)
}

func TestDoctorPrintsOneJSONObjectWithAReasonForEachChoice(t *testing.T) {
	dec := json.NewDecoder(bytes.NewReader([]byte(healthy(t, "-json"))))
	dec.DisallowUnknownFields()
	var d diagnosis
	require.NoError(t, dec.Decode(&d))
	require.False(t, dec.More())
	require.Equal(t, stackhop.Backend().Name, d.Backend.Name)
	for name, f := range map[string]finding{
		"default": d.Default, "sized": d.Sized, "guard": d.Guard, "growth": d.Growth, "net": d.Net,
	} {
		require.NotEmpty(t, f.Is, name)
		require.NotEmpty(t, f.Why, name)
	}
	storages := []string{"native", "mapped"}
	if stackhop.Backend().Name == "portable" {
		storages = []string{"native"}
	}
	require.Contains(t, storages, d.Default.Is)
	require.Contains(t, storages, d.Sized.Is)
	require.Contains(t, []string{"on", "off", "cannot be had"}, d.Growth.Is)
	require.Positive(t, d.DefaultSize)
	require.Positive(t, d.LeastSize)
	require.Empty(t, d.Problems)
}

func TestDoctorWritesTheNamesOfJSONInOneStyle(t *testing.T) {
	out := healthy(t, "-json")
	keys := regexp.MustCompile(`"([^"]*)":`).FindAllStringSubmatch(out, -1)
	require.NotEmpty(t, keys)
	for _, k := range keys {
		require.Regexp(t, "^[a-z][a-z0-9_]*$", k[1])
	}
}

func TestDoctorFailsOnABackendThatIsNotKnownAndNamesTheValues(t *testing.T) {
	r := testsupport.RunChild(t, "doctor", time.Minute, "STACKHOP_BACKEND=foo")
	require.Equal(t, 1, r.Code, r.Stderr)
	require.Contains(t, r.Stdout, `STACKHOP_BACKEND="foo" is ignored`)
	require.Contains(t, r.Stderr, "STACKHOP_BACKEND=foo: want asm or portable")
}

var _ = testsupport.Child("doctor", func() { os.Exit(run([]string{"doctor"}, os.Stdout, os.Stderr)) })
