package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
)

// TestMain lets bench find its child command in the test binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childCommand {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	testsupport.Main(m)
}

func TestExitStatus(t *testing.T) {
	for _, tc := range []struct {
		name   string
		args   []string
		want   int
		stdout string
		stderr string
	}{
		{"no command", nil, 2, "", "usage: stackhop"},
		{"help", []string{"help"}, 0, "doctor", ""},
		{"unknown command", []string{"dance"}, 2, "", `unknown command "dance"`},
		{"help of a command", []string{"bench", "-h"}, 0, "-json", ""},
		{"help of no command", []string{"help", "dance"}, 2, "", `unknown command "dance"`},
		{"version", []string{"version"}, 0, "stackhop ", ""},
		{"unknown flag", []string{"bench", "-fast"}, 2, "", "-fast"},
		{"argument where none is read", []string{"doctor", "now"}, 2, "", `unexpected argument "now"`},
		{"no rounds", []string{"demo", "-rounds=0"}, 2, "", "-rounds 0"},
		{"no P", []string{"bench", "-procs=0"}, 2, "", "-procs 0"},
		{"no tasks", []string{"bench", "-tasks=0", "-rounds=1", "-round=1us"}, 2, "", "-tasks 0"},
		{"child without a kind", []string{childCommand}, 2, "", "for stackhop bench only"},
		{"child of no kind", []string{childCommand, "threads", "1"}, 2, "", `no kind "threads"`},
		{"child without a count", []string{childCommand, "tasks", "many"}, 2, "", "many"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, tc.want, run(tc.args, &stdout, &stderr), stderr.String())
			require.Contains(t, stdout.String(), tc.stdout)
			require.Contains(t, stderr.String(), tc.stderr)
			if tc.stderr == "" {
				require.Empty(t, stderr.String())
			}
		})
	}
}
