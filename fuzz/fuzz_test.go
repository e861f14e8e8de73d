package fuzz

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
)

// The menus of the targets: an operation that is there twice comes twice as often.
// What a byte means depends on them, so a change makes other programs of the
// corpora: run TestSeeds with -seeds then.
var (
	everything = menu(map[kind]int{
		opSpawn: 4, opYield: 3, opSuspend: 6, opResume: 3, opHandle: 6, opTransfer: 3, opHandOver: 3, opCancel: 4,
		opHere: 1, opDefer: 3, opCall: 2, opPanic: 1, opGoexit: 1, opWait: 3, opFree: 1, opLook: 1, opLive: 1,
		opAgain: 3, opReturn: 1, opElsewhere: 2, opJoin: 3,
	})
	handlesMenu = menu(map[kind]int{
		opSpawn: 2, opYield: 2, opSuspend: 6, opResume: 2, opHandle: 6, opTransfer: 4, opHandOver: 4, opCancel: 1,
		opFree: 2, opLive: 2, opAgain: 3, opElsewhere: 2,
	})
	cancelMenu = menu(map[kind]int{
		opSpawn: 6, opYield: 2, opSuspend: 4, opHandle: 4, opCancel: 6, opHere: 1, opDefer: 4, opCall: 1, opWait: 3,
		opLook: 2, opAgain: 1, opElsewhere: 2, opPanic: 1, opGoexit: 1,
	})
	joinsMenu = menu(map[kind]int{
		opSpawn: 3, opJoin: 8, opYield: 2, opSuspend: 6, opResume: 2, opHandle: 8, opCancel: 3, opDefer: 2, opWait: 1,
		opAgain: 1, opElsewhere: 2, opPanic: 1, opHandOver: 1,
	})
)

func menu(weights map[kind]int) (menu []kind) {
	for k := range kinds {
		menu = append(menu, slices.Repeat([]kind{k}, weights[k])...)
	}
	return menu
}

// check runs p on both with so much fuel and reports where they part.
func check(tb interface {
	Helper()
	Fatalf(format string, args ...any)
}, p *program, fuel int) {
	tb.Helper()
	out := stacksOut(tb)
	model, library := runModel(p, fuel), runLibrary(p, fuel)
	if d := diff(model, library); d != "" {
		tb.Fatalf("model and library differ at:\n%sin the program\n%v", d, p)
	}
	if now := stacksOut(tb); now != out {
		tb.Fatalf("%d stacks were out before the program, %d are after it\n%v", out, now, p)
	}
	for _, e := range library {
		if e.what == "outcome" && e.result != isNone && !strings.HasPrefix(e.result, "done") {
			tb.Fatalf("task %d cannot be ended: %s\nin the program\n%v%v", e.which, e.result, p, listing(library))
		}
	}
}

// programs draws programs of the operations of menu.
func programs(menu []kind) *rapid.Generator[*program] {
	operation := rapid.Custom(func(t *rapid.T) op {
		return op{rapid.SampledFrom(menu).Draw(t, "kind"), rapid.Byte().Draw(t, "a"), rapid.Byte().Draw(t, "b")}
	})
	// Slices of rapid are short as a rule.
	operations := func(t *rapid.T, most int, what string) []op {
		ops := make([]op, rapid.IntRange(0, most).Draw(t, what))
		for i := range ops {
			ops[i] = operation.Draw(t, what)
		}
		return ops
	}
	return rapid.Custom(func(t *rapid.T) *program {
		p := &program{scripts: make([][]op, rapid.IntRange(1, maxScripts).Draw(t, "scripts"))}
		for i := range p.scripts {
			p.scripts[i] = operations(t, maxOps, "script")
		}
		p.main = operations(t, 400, "main")
		return p
	})
}

// TestRandomProgramsAgree is the property of this package. More programs:
// -rapid.checks=100000.
func TestRandomProgramsAgree(t *testing.T) {
	for _, tc := range targets {
		t.Run(tc.name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { check(rt, programs(tc.menu).Draw(rt, "program"), fuel) })
		})
	}
}

// targets are the fuzz targets, and what their programs are made of.
var targets = []struct {
	name string
	menu []kind
}{
	{"FuzzProgram", everything},
	{"FuzzHandles", handlesMenu},
	{"FuzzCancelTree", cancelMenu},
	{"FuzzJoins", joinsMenu},
}

func FuzzProgram(f *testing.F)    { fuzzMenu(f, everything) }
func FuzzHandles(f *testing.F)    { fuzzMenu(f, handlesMenu) }
func FuzzCancelTree(f *testing.F) { fuzzMenu(f, cancelMenu) }
func FuzzJoins(f *testing.F)      { fuzzMenu(f, joinsMenu) }

func fuzzMenu(f *testing.F, menu []kind) {
	f.Fuzz(func(t *testing.T, data []byte) { check(t, decode(data, menu), fuzzFuel) })
}

// stacksOut counts the stacks of the programs' two sizes that are not in their pools.
func stacksOut(tb interface {
	Helper()
	Fatalf(format string, args ...any)
}) int {
	tb.Helper()
	out := mmapstack.Default(512 << 10).Stats().InUse
	if stackhop.Backend().Name == "portable" {
		return out
	}
	pool, err := guard.Default(512 << 10)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	return out + pool.Stats().InUse
}
