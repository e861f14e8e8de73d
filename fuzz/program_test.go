package fuzz

import (
	"fmt"
	"strings"

	"github.com/stackhop/stackhop/internal/testsupport"
)

// A kind is what an operation does. Whoever runs the script does it: the main
// goroutine, a task, or a goroutine that one of them started.
type kind uint8

const (
	opSpawn     kind = iota // script a; b: storage, parent, lazy
	opYield                 //
	opSuspend               // publish runs script a
	opResume                // task a, as its owner
	opHandle                // resume by handle a
	opTransfer              // to handle a, into the owner's hands
	opHandOver              // to handle a, under a handle of its own; publish runs script b
	opCancel                // task a, cause b
	opHere                  //
	opDefer                 // script a; b odd: recovers first
	opCall                  // script a, in a frame of its own
	opPanic                 // value a
	opGoexit                //
	opWait                  // for task a
	opFree                  // task a
	opLook                  // at task a: Done, Err, CancelPending
	opLive                  // handle a
	opAgain                 // from the script's start, a few times
	opReturn                //
	opJoin                  // of scripts a, a+1, ...; b: rule, arms, which of them fail
	opElsewhere             // what a says, with b, on another goroutine, and wait for it
	kinds
)

var kindNames = [kinds]string{
	"spawn", "yield", "suspend", "resume", "handle", "transfer", "handover", "cancel", "here", "defer",
	"call", "panic", "goexit", "wait", "free", "look", "live", "again", "return", "join", "elsewhere",
}

func (k kind) String() string { return kindNames[k] }

// An op is one operation of a script. Numbers of scripts, tasks and handles are
// taken modulo what there is when it runs.
type op struct {
	kind kind
	a, b uint8
}

func (o op) String() string { return fmt.Sprintf("%v(%d,%d)", o.kind, o.a, o.b) }

// elsewhere is what opElsewhere can do on another goroutine.
var elsewhere = []kind{opHandle, opResume, opCancel, opHandle, opCancel, opTransfer, opLook, opFree}

// A program is a main script, and those that tasks, publish functions and
// deferred calls run.
type program struct {
	main    []op
	scripts [][]op
}

// How many operations a program may do, on all scripts together: the native
// fuzzer finds more with many programs than with long ones.
var (
	fuel     = testsupport.Scale(10_000)
	fuzzFuel = testsupport.Scale(seedFuel)
)

// seedFuel is what the seeds are chosen for.
const seedFuel = 2_000

// Limits that keep programs on small stacks.
const (
	maxScripts  = 12
	maxOps      = 16 // of a script but main
	maxDepth    = 8  // frames of one actor
	maxDeferred = 24 // deferred calls of one task that run a script: while it panics none leaves the stack
	maxWaits    = 60 // each may nest in the one before when that ends
	maxOpen     = 40 // tasks that have not ended
	maxAgain    = 6  // per frame
)

// decode makes a program of any bytes. The operations are those of menu.
//
//	scripts, then for each of them: length, length times (kind, a, b)
//	the rest: main
func decode(data []byte, menu []kind) *program {
	next := func() uint8 {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return b
	}
	nextOp := func() op { return op{menu[int(next())%len(menu)], next(), next()} }
	p := new(program)
	p.scripts = make([][]op, 1+int(next())%maxScripts)
	for i := range p.scripts {
		p.scripts[i] = make([]op, int(next())%(maxOps+1))
		for j := range p.scripts[i] {
			p.scripts[i][j] = nextOp()
		}
	}
	for len(data) > 0 {
		p.main = append(p.main, nextOp())
	}
	return p
}

// encode is the inverse of decode.
func (p *program) encode(menu []kind) []byte {
	number := map[kind]uint8{}
	for i, k := range menu {
		number[k] = uint8(i)
	}
	data := []byte{uint8(len(p.scripts) - 1)}
	put := func(ops []op) {
		for _, o := range ops {
			data = append(data, number[o.kind], o.a, o.b)
		}
	}
	for _, s := range p.scripts {
		data = append(data, uint8(len(s)))
		put(s)
	}
	put(p.main)
	return data
}

// String prints the program for people.
func (p *program) String() string {
	var b strings.Builder
	line := func(name string, ops []op) {
		fmt.Fprintf(&b, "%s:", name)
		for _, o := range ops {
			fmt.Fprintf(&b, " %v", o)
		}
		b.WriteByte('\n')
	}
	line("main", p.main)
	for i, s := range p.scripts {
		line(fmt.Sprintf("script %d", i), s)
	}
	return b.String()
}

// script returns script i, whatever i is.
func (p *program) script(i uint8) int { return int(i) % len(p.scripts) }

// pick chooses one of n things, and prefers those that are good, and new.
func pick(i uint8, n int, good func(int) bool) int {
	if i >= 224 {
		return int(i) * 7 % n
	}
	skip := int(i) % 8
	for try := n - 1; try >= max(0, n-64); try-- {
		if good(try) {
			if skip == 0 {
				return try
			}
			skip--
		}
	}
	return n - 1 - int(i)%min(n, 10)
}

// publishes chooses the script of a publish function: mostly the empty one.
func (p *program) publishes(i uint8) []op {
	if i < 128 {
		return nil
	}
	return p.scripts[p.script(i)]
}

// A choice is what opSpawn's b asks for.
type choice struct {
	storage int // number of a storage
	parent  int
	lazy    bool // New, not Spawn
	onEnd   bool
}

const (
	parentNone  = iota
	parentSelf  // the spawner
	parentOther // some task
)

func choiceOf(o op) choice {
	storages := [8]int{storeDefault, storeDefault, storeBig, storeBig, storeStrict, storeStrict, firstOwn, firstOwn + 1}
	parents := [8]int{parentNone, parentSelf, parentNone, parentSelf, parentNone, parentSelf, parentSelf, parentOther}
	return choice{
		storage: storages[o.b&7],
		parent:  parents[o.b>>5],
		lazy:    o.b>>3&3 == 3,
		onEnd:   o.b>>3&3 >= 2,
	}
}

// Kinds of storage. The last are stacks of the program's own.
const (
	storeDefault = iota
	storeBig
	storeStrict
	firstOwn
	ownStacks = 2
)

// A cause is a number of one.
type cause int

const (
	causes      = 4 // cause 0 is nil
	parentEnded = causes
)

func causeOf(b uint8) cause { return cause(b % causes) }

var causeNames = [...]string{"cancelled", "cancelled 1", "cancelled 2", "cancelled 3", "parent ended", causeLost}

const causeLost = "another arm won"

// values is how many values opPanic has.
const values = 4

var valueNames = [values]string{"v0", "v1", "v2", "v3"}
