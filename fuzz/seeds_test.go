package fuzz

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var writeSeeds = flag.Bool("seeds", false, "TestSeeds writes the seed corpora anew")

const (
	seeds = 24 // programs of a corpus
	tries = 60 // from which each is chosen
)

// TestSeeds reads every seed: what the native fuzzer starts from must be
// programs that do much. With -seeds it makes them first: of many random
// programs those that show the most kinds of effect that no other has shown.
func TestSeeds(t *testing.T) {
	for _, tc := range targets {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join("testdata", "fuzz", tc.name)
			if *writeSeeds {
				require.NoError(t, writeCorpus(dir, tc.menu))
			}
			files, err := filepath.Glob(filepath.Join(dir, "seed-*"))
			require.NoError(t, err)
			require.NotEmpty(t, files)
			shown := map[string]bool{}
			for _, name := range files {
				p := decode(readSeed(t, name), tc.menu)
				require.Equal(t, p, decode(p.encode(tc.menu), tc.menu), "encode is the inverse of decode")
				for e := range effects(p) {
					shown[e] = true
				}
			}
			t.Logf("%d seeds show %d kinds of effect", len(files), len(shown))
			for _, k := range tc.menu {
				if k != opReturn && k != opElsewhere {
					require.True(t, shown[k.String()+": "+isOK] || k == opLook || k == opLive || k == opPanic || k == opGoexit,
						"no seed has a successful %v", k)
				}
			}
		})
	}
}

// effects are the kinds of event that a program leads to.
func effects(p *program) map[string]bool {
	kinds := map[string]bool{}
	before := ""
	for _, e := range runModel(p, seedFuel) {
		now := e.what + ": " + e.result
		kinds[now] = true
		kinds[before+", "+now] = true
		before = now
	}
	return kinds
}

func writeCorpus(dir string, menu []kind) error {
	old, err := filepath.Glob(filepath.Join(dir, "seed-*"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	shown := map[string]bool{}
	draw := programs(menu)
	for n := range seeds {
		var best *program
		most := -1
		for try := range tries {
			p := draw.Example(n*tries + try)
			fresh := 0
			for e := range effects(p) {
				if !shown[e] {
					fresh++
				}
			}
			if fresh*1000/(len(p.encode(menu))+300) > most { // new ones per byte
				best, most = p, fresh*1000/(len(p.encode(menu))+300)
			}
		}
		for e := range effects(best) {
			shown[e] = true
		}
		text := fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", best.encode(menu))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("seed-%02d", n)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// readSeed reads a file in the format of the native fuzzer.
func readSeed(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	var data []byte
	_, line, _ := strings.Cut(string(b), "\n")
	_, err = fmt.Sscanf(line, "[]byte(%q)", &data)
	require.NoError(t, err)
	return data
}
