package main

import (
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
)

func TestMain(m *testing.M) { testsupport.Main(m) }

func Example() {
	main()
	// Output:
	// All slow requests; a bad line is skipped:
	//   open gate.log
	//   open east.log
	//   open west.log
	//   slow r3 /cart 75ms
	//   skipped east.log:3: no entry: "180ms warming up"
	//   slow r2 /search 180ms
	//   close gate.log after 6 lines
	//   close east.log after 4 lines
	//   slow r4 /pay 270ms
	//   close west.log after 3 lines
	// The first one is enough:
	//   open gate.log
	//   open east.log
	//   open west.log
	//   slow r3 /cart 75ms
	//   close west.log after 1 lines
	//   close east.log after 2 lines
	//   close gate.log after 5 lines
	// A bad line is the end:
	//   open gate.log
	//   open east.log
	//   open west.log
	//   slow r3 /cart 75ms
	//   failed east.log:3: no entry: "180ms warming up"
	//   close west.log after 1 lines
	//   close east.log after 3 lines
	//   close gate.log after 5 lines
}

// The deferred calls of every stage have run when the loop is left by a panic.
func TestPanicOfTheConsumerClosesTheLogs(t *testing.T) {
	logs := &counting{FS: fstest.MapFS{
		"gate.log": {Data: []byte("1ms begin r1 /\n2ms begin r2 /\n9ms begin r3 /\n")},
		"east.log": {Data: []byte("5ms end r1\n9ms end r2\n")},
		"west.log": {Data: []byte("6ms end r3\n")},
	}}
	require.PanicsWithValue(t, "r1 / 4ms", func() {
		for r := range slowRequests(logs, time.Millisecond) {
			require.Equal(t, 3, logs.open)
			panic(r.String())
		}
	})
	require.Zero(t, logs.open)
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ name, east, want string }{
		{"no entry", "nonsense", `east.log:1: no entry: "nonsense"`},
		{"no time", "soon end r1", `east.log:1: time: invalid duration "soon"`},
		{"never begun", "5ms end r7", "r7 ends at 5ms without a beginning"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logs := &counting{FS: fstest.MapFS{
				"gate.log": {}, "west.log": {}, "east.log": {Data: []byte(tt.east)},
			}}
			var got []string
			for _, err := range slowRequests(logs, 0) {
				require.Error(t, err)
				got = append(got, err.Error())
			}
			require.Equal(t, []string{tt.want}, got)
			require.Zero(t, logs.open)
		})
	}
	for _, err := range slowRequests(fstest.MapFS{}, 0) {
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
}

// A counting file system knows how many of its files are open.
type counting struct {
	fs.FS
	open int
}

func (c *counting) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err == nil {
		c.open++
	}
	return &countedFile{f, c}, err
}

type countedFile struct {
	fs.File
	in *counting
}

func (f *countedFile) Close() error {
	f.in.open--
	return f.File.Close()
}
