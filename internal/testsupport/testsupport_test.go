package testsupport

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	_ = Child("fine", func() { fmt.Println("GODEBUG", os.Getenv("GODEBUG")); fmt.Println("ok") })
	_ = Child("fatal", func() { panic("as it should be") })
)

func TestMain(m *testing.M) { Main(m) }

func TestChildRunsInItsOwnProcess(t *testing.T) {
	r := RunChild(t, "fine", time.Minute, "GODEBUG=gctrace=0")
	r.RequireOK(t)
	require.Contains(t, r.Stdout, "gctrace=0")
	r = RunChild(t, "fatal", time.Minute)
	require.Equal(t, 2, r.Code)
	require.Contains(t, r.Stderr, "panic: as it should be")
}

func TestErrors(t *testing.T) {
	file := func(name string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	zipped := func(msg ...byte) []byte {
		var b bytes.Buffer
		zw := gzip.NewWriter(&b)
		_, err := zw.Write(msg)
		require.NoError(t, errors.Join(err, zw.Close()))
		return b.Bytes()
	}
	for _, tt := range []struct {
		name string
		call func() error
		want error
	}{
		{"unknown child", func() error {
			t.Setenv(childEnv, "nobody")
			_, err := runAsChild()
			return err
		}, ErrNoChild},
		{"absent profile", func() error { return CheckProfile("absent") }, os.ErrNotExist},
		{"not gzipped", func() error { return CheckProfile(file("p", []byte("text"))) }, ErrProfile},
		{"empty", func() error { return CheckProfile(file("p", zipped())) }, ErrProfile},
		{"cut off", func() error { return CheckProfile(file("p", zipped(0x0a, 5, 1))) }, ErrProfile},
		{"odd wire type", func() error { return CheckProfile(file("p", zipped(0x0d, 1, 2, 3, 4))) }, ErrProfile},
	} {
		t.Run(tt.name, func(t *testing.T) { require.ErrorIs(t, tt.call(), tt.want) })
	}
}

func TestMergeEnvAddsToGODEBUG(t *testing.T) {
	got := mergeEnv([]string{"A=1", "GODEBUG=x=1", "B=2"}, []string{"GODEBUG=y=2", "A=3"})
	require.Equal(t, []string{"B=2", "GODEBUG=x=1,y=2", "A=3"}, got)
}

func TestTailKeepsBothEnds(t *testing.T) {
	long := "first" + strings.Repeat("x", 20000) + "last"
	got := Tail(long)
	require.Less(t, len(got), len(long))
	require.True(t, strings.HasPrefix(got, "first") && strings.HasSuffix(got, "last"))
}

func TestGoroutinesFindsOwnCode(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	go func() { <-hold }()
	require.Len(t, Goroutines(), 2)
}

func TestHotProfilesAreProfiles(t *testing.T) {
	calls, err := HotProfile(".", "x/testsupport", HotCall{Caller: "goTool", Callee: "output"})
	require.NoError(t, err)
	_, err = HotProfile(".", "x/testsupport", HotCall{Caller: "goTool", Callee: "nothing"})
	require.ErrorIs(t, err, ErrCall)
	require.ErrorContains(t, err, "of nothing in x/testsupport.goTool")
	_, err = HotParameters("../../cancel", "x/cancel")
	require.ErrorIs(t, err, ErrCall)
	parameters, err := HotParameters("../../resume", "x/resume")
	require.NoError(t, err)
	for _, profile := range [][]byte{calls, parameters} {
		path := filepath.Join(t.TempDir(), "hot.pprof")
		require.NoError(t, os.WriteFile(path, profile, 0o600))
		require.NoError(t, CheckProfile(path))
	}
}
