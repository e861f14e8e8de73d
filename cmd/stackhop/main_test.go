package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain lets bench find its child command in the test binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childCommand {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
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
		{"unknown flag", []string{"bench", "-fast"}, 2, "", "-fast"},
		{"argument where none is read", []string{"doctor", "now"}, 2, "", `unexpected argument "now"`},
		{"no rounds", []string{"demo", "-rounds=0"}, 2, "1. Spawn", "at least one round"},
		{"no P", []string{"bench", "-procs=0"}, 2, "", "at least one P"},
		{"no tasks", []string{"bench", "-tasks=0", "-rounds=1", "-round=1us"}, 2, "", "at least one task"},
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
