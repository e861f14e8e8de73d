package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
)

func TestMain(m *testing.M) { testsupport.Main(m) }

func run(t *testing.T, people, days int, seed uint64) (*town, string) {
	t.Helper()
	var out strings.Builder
	town := town{people: people, seed: seed}
	require.NoError(t, town.run(days, &out))
	town.summary(&out)
	return &town, out.String()
}

func TestSmallTown(t *testing.T) {
	_, out := run(t, 1000, 5, 1)
	require.Equal(t, `day  visits  waiting now
  1     493            3
  2     974            0
  3    1479            1
  4    1950            3
  5    2451            1
tellers: served   1397, left  1054, mean wait 8m28s, longest queue 12
key:     served    140, left     0, mean wait 0s, longest queue 0
1000 people, 6291 events in 120h0m0s
`, out)
}

func TestTownOf100000(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 100,000 tasks need 700 MiB and some seconds")
	}
	if testsupport.Race {
		t.Skip("race builds: the race detector is limited to 8128 goroutines")
	}
	_, out := run(t, 100_000, 10, 1)
	require.Equal(t, `day  visits  waiting now
  1   49808            0
  2   99942           18
  3  149693            6
  4  199472           23
  5  249385            0
  6  299455           33
  7  349635            0
  8  399623            5
  9  449948            0
 10  499422            0
tellers: served 492684, left  6739, mean wait 16s, longest queue 101
key:     served  46924, left  2312, mean wait 28s, longest queue 21
100000 people, 1351644 events in 240h0m0s
`, out)
}

func TestSameSeedSameRun(t *testing.T) {
	_, first := run(t, 500, 3, 7)
	_, again := run(t, 500, 3, 7)
	_, other := run(t, 500, 3, 8)
	require.Equal(t, first, again)
	require.NotEqual(t, first, other)
}

// Little's law holds exactly, also with those who wait when the world ends.
func TestQueuesAddUp(t *testing.T) {
	town, _ := run(t, testsupport.Scale(3000), 5, 3)
	require.Equal(t, town.people, town.gone)
	require.NotZero(t, town.tellers.waited)
	for _, q := range []stats{town.tellers.stats, town.key.stats} {
		require.Equal(t, q.area, q.waited)
		require.Zero(t, q.standing)
	}
}

func TestPanicOfAProcessEndsTheWorld(t *testing.T) {
	ended := 0
	_, err := simulate(time.Hour, func(s *sim) error {
		for i := range 10 {
			if err := s.start(func() {
				defer func() { ended++ }()
				s.wait(time.Duration(i) * time.Minute)
				require.Less(t, i, 5, "a process ran in a world that had ended")
				if i == 4 {
					panic(io.ErrNoProgress)
				}
			}); err != nil {
				return err
			}
		}
		return nil
	})
	var bug *ctx.PanicError
	require.ErrorAs(t, err, &bug)
	require.ErrorIs(t, err, io.ErrNoProgress)
	require.Equal(t, 10, ended)
}

func TestErrorAtTheBeginning(t *testing.T) {
	_, err := simulate(time.Hour, func(s *sim) error {
		require.NoError(t, s.start(func() { s.wait(time.Second) }))
		return io.ErrUnexpectedEOF
	})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = simulate(time.Hour, func(s *sim) error {
		return s.start(func() { panic(io.ErrNoProgress) })
	})
	require.ErrorIs(t, err, io.ErrNoProgress)
}
