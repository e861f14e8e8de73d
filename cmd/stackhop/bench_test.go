package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var quick = []string{"-round=100us", "-rounds=1", "-tasks=50"}

func TestBenchPrintsEveryTable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, bench(quick, &out, io.Discard))
	for _, want := range []string{
		"stackhop.Coro: Switch", "ctx.Task: Resume, Yield", "resume.Handle: Resume, Suspend", rowIterPull, rowChannels,
		"ctx.Spawn, default: ", "ctx.Spawn, 64 KiB by size", "ctx.Spawn, 64 KiB strict", rowGo, "pull.Pull, per element", rowIterElem,
		"leaf beneath 1 frames", "leaf beneath 1000 frames",
		"TransferTo, one way", "leaf.Mutex", rowMutex, "leaf.Chan, unbuffered", rowGoChan, rowGoChan16,
		"join.All of two, carved", rowWait2, "skynet of tasks", rowSkynet,
		"suspended tasks, default: ", "suspended tasks, 64 KiB by size", "suspended tasks, 16 KiB by size",
		"suspended tasks, 64 KiB strict", "suspended tasks, 256 KiB growing", "parked goroutines",
	} {
		require.Contains(t, out.String(), want)
	}
}

func TestBenchPrintsOneJSONObject(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, bench(append([]string{"-json"}, quick...), &out, io.Discard))
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	var r report
	require.NoError(t, dec.Decode(&r))
	require.False(t, dec.More())
	require.Equal(t, 1, r.Rounds)
	require.NotEmpty(t, r.Backend.Name)
	require.NotEmpty(t, r.Host.CPU)
	require.Len(t, r.Times, len(groups))
	for _, g := range r.Times {
		require.NotEmpty(t, g.Rows)
		for _, row := range g.Rows {
			require.Positive(t, row.NS, row.Name)
		}
	}
	require.Len(t, r.Memory, len(kinds()))
}

// The children run where a process can start itself; in an emulator it cannot.
func TestFootprintHasFiguresOrAReason(t *testing.T) {
	all, err := footprints(50)
	require.NoError(t, err)
	for _, fp := range all {
		require.Equal(t, 50, fp.Count)
		if fp.Missing == "" {
			require.Positive(t, fp.HeapGoal, fp.Kind)
		}
	}
}

func TestEveryKindIsWeighed(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.flag, func(t *testing.T) {
			fp, err := k.weigh(50)
			require.NoError(t, err)
			require.Equal(t, k.name, fp.Kind)
			require.Equal(t, 50, fp.Count)
			require.Positive(t, fp.HeapGoal)
		})
	}
}

func TestMeasureTakesTheMedianAndStopsEverything(t *testing.T) {
	var order []string
	fake := func(name string) subject {
		return subject{name, func() (func(int), func() error, error) {
			return func(int) { order = append(order, name) }, func() error { order = append(order, "stop "+name); return nil }, nil
		}}
	}
	rows, err := measure(clock{time.Nanosecond, 3, 1}, []subject{fake("a"), fake("b")})
	require.NoError(t, err)
	require.Equal(t, "a", rows[0].Name)
	require.Equal(t, "b", rows[1].Name)
	require.Contains(t, strings.Join(order, " "), "a b a b a b", "the rounds take turns")
	require.Equal(t, []string{"stop b", "stop a"}, order[len(order)-2:])
}

func TestMeasureReportsAStartAndAStopThatFail(t *testing.T) {
	boom := errors.New("boom")
	stopped := 0
	good := subject{"good", func() (func(int), func() error, error) {
		return func(int) {}, func() error { stopped++; return nil }, nil
	}}
	for _, bad := range []subject{
		{"start", func() (func(int), func() error, error) { return nil, nil, boom }},
		{"stop", func() (func(int), func() error, error) { return func(int) {}, func() error { return boom }, nil }},
	} {
		_, err := measure(clock{time.Nanosecond, 1, 1}, []subject{good, bad})
		require.ErrorIs(t, err, boom)
		require.ErrorContains(t, err, bad.name)
	}
	require.Equal(t, 2, stopped)
}

func TestRatiosAreOfTheYardsticksInTheTable(t *testing.T) {
	rows := []timing{{"x", 10, 0}, {rowIterPull, 100, 0}, {rowChannels, 5, 0}}
	require.Equal(t, []string{"1/10.0 of iter.Pull", "2.0 × channels"}, ratios(rows[0], rows))
	require.Equal(t, []string{"20.0 × channels"}, ratios(rows[1], rows))
	require.Empty(t, ratios(rows[0], rows[:1]))
}
