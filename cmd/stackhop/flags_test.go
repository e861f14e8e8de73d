package main

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestALimitErrorNamesTheValueAndTheLimits(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"demo", "-rounds=0"}, "-rounds 0: want 1 to 1000000"},
		{[]string{"demo", "-round=1h"}, "-round 1h0m0s: want 1µs to 1m0s"},
		{[]string{"bench", "-round=1h", "-rounds=1"}, "-round 1h0m0s: want 1µs to 1m0s"},
		{[]string{"bench", "-round=0"}, "-round 0s: want 1µs to 1m0s"},
		{[]string{"bench", "-rounds=-3"}, "-rounds -3: want 1 to 1000000"},
		{[]string{"bench", "-procs=100000"}, fmt.Sprintf("-procs 100000: want 1 to %d, the processors of this machine", runtime.NumCPU())},
		{[]string{"bench", "-procs=0"}, "-procs 0: want 1 to "},
		{[]string{"bench", "-tasks=0"}, "-tasks 0: want 1 to 10000000"},
		{[]string{"bench", "-tasks=-1", "-procs=-1"}, "-procs -1"},
	} {
		t.Run(fmt.Sprint(tc.args), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, 2, run(tc.args, &stdout, &stderr))
			require.Empty(t, stdout.String(), "flags are checked before anything else happens")
			require.Contains(t, stderr.String(), tc.want)
		})
	}
	require.ErrorIs(t, within("n", 3, 1, 2, ""), errLimit)
	require.NoError(t, within("n", 2, 1, 2, ""))
}

func TestEveryCommandHasAHelpWithItsFlags(t *testing.T) {
	want := map[string][]string{
		"demo":    {"-round", "-rounds"},
		"bench":   {"-json", "-procs", "-round", "-rounds", "-tasks"},
		"doctor":  {"-json"},
		"version": {"-json"},
	}
	require.Len(t, commands(), len(want))
	for _, c := range commands() {
		for _, args := range [][]string{{c.name, "-h"}, {"help", c.name}} {
			var stdout, stderr bytes.Buffer
			require.Zero(t, run(args, &stdout, &stderr))
			require.Empty(t, stderr.String())
			require.Contains(t, stdout.String(), "usage: stackhop "+c.name+" [flags]")
			for _, flag := range append(want[c.name], "-h") {
				require.Contains(t, stdout.String(), "\n  "+flag, c.name)
			}
		}
		require.NotEmpty(t, want[c.name], c.name)
	}
}
