package offsets

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(text, []byte("no executable"), 0o600))

	tests := []struct {
		name string
		call func() error
		want error
	}{
		{"no file", func() error { _, err := Read(filepath.Join(dir, "none"), Fields); return err }, os.ErrNotExist},
		{"no file has no DWARF", func() error { _, err := Read(filepath.Join(dir, "none"), Fields); return err }, ErrNoDWARF},
		{"no ELF", func() error { _, err := Read(text, Fields); return err }, ErrNoDWARF},
		{"missing field", func() error { _, err := pick(nil, Fields[:1]); return err }, ErrMissing},
		{"missing stand-in", func() error {
			_, err := pick(map[string]int64{"a": 1}, []Field{{Name: "b", Path: "b", Else: "a"}})
			return err
		}, ErrMissing},
		{"no toolchain", func() error { _, err := Build(text, "local", runtime.GOARCH, dir); return err }, ErrBuild},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.ErrorIs(t, tt.call(), tt.want) })
	}

	var missing *MissingError
	_, err := pick(nil, Fields[:1])
	require.ErrorAs(t, err, &missing)
	require.Equal(t, Fields[0], missing.Field)
}

func TestPickFallsBackOnElse(t *testing.T) {
	got, err := pick(map[string]int64{"runtime.g.lockedm": 208}, []Field{
		{Name: "gLockedm", Path: "runtime.g.lockedm"},
		{Name: "gSecret", Path: "runtime.g.secret", Else: "gLockedm"},
	})
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"gLockedm": 208, "gSecret": 208}, got.Value)
	require.Equal(t, map[string]bool{"gSecret": true}, got.Absent)
}

func TestReadsProbeOfBothArchitecturesAlike(t *testing.T) {
	gotool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command in PATH")
	}
	var tables []Table
	for _, arch := range []string{"amd64", "arm64"} {
		bin, err := Build(gotool, "local", arch, t.TempDir())
		require.NoError(t, err)
		table, err := Read(bin, Fields)
		require.NoError(t, err)
		require.Len(t, table.Value, len(Fields))
		tables = append(tables, table)
	}
	require.Equal(t, tables[0], tables[1])
}
