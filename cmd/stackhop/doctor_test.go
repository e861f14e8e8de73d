package main

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stretchr/testify/require"
)

func TestDoctorTellsEveryFact(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, doctor(nil, &out))
	b := stackhop.Backend()
	for _, want := range []string{
		"backend", b.Name + ": " + b.Reason, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH,
		"kernel", "cpu", "page size", "stack guard", "vm.max_map_count", "default stack", "discovered",
	} {
		require.Contains(t, out.String(), want)
	}
	for _, f := range b.Facts {
		require.Contains(t, out.String(), f.Name)
		require.Contains(t, out.String(), f.How)
	}
	require.NotEmpty(t, b.Reason)
}
