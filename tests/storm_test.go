package tests

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/leaf"
)

var (
	stormRounds = flag.Int("storm.rounds", 0, "how many cancel storms TestCancelStorm makes; 0: 5, with -short 1")
	stormSeed   = flag.Uint64("storm.seed", 0, "what its choices depend on; 0: the time")
)

// TestCancelStorm cancels 10,000 tasks that wait in nested joins on locks, channels
// and timers: from outside, from inside, from children and from other threads,
// all at once. Afterwards every deferred call has run exactly once, nothing is
// left locked or queued, no value that was sent is lost, and every stack is back.
func TestCancelStorm(t *testing.T) {
	rounds, trees, seed := *stormRounds, testsupport.Scale(40), *stormSeed
	if rounds == 0 {
		rounds = 5
		if testing.Short() {
			rounds = 1
		}
	}
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("%d rounds of %d tasks, -storm.seed=%d", rounds, trees*treeTasks, seed)
	var asked [4]int64
	for round := range rounds {
		out := stacksOut()
		s := &storm{rnd: rand.New(rand.NewPCG(seed, uint64(round)))}
		s.plant(t, trees)
		s.rage()
		s.check(t)
		require.Equal(t, out, stacksOut(), "stacks lost in round %d", round)
		for who := range asked {
			asked[who] += s.asked[who].Load()
		}
	}
	require.Empty(t, ctx.Snapshot(), "tasks that have not ended")
	ctx.CheckLeaks(t)
	t.Logf("cancels from outside %d, by oneself %d, by a child %d, by a leaf far below %d",
		asked[fromOutside], asked[byItself], asked[byItsChild], asked[byItsLeaf])
}

// A storm is one round.
type storm struct {
	rnd   *rand.Rand
	trees []*stormTree
	asked [4]atomic.Int64        // cancels, by who has made them
	fault atomic.Pointer[string] // the first thing that was wrong
}

// A stormTree is a tree of joins: of branches, of twigs, of leaves.
type stormTree struct {
	s     *storm
	seed  uint64
	root  *ctx.Task
	lock  leaf.Mutex // until the storm nobody gets it
	chans [3]*leaf.Chan[int]
	sent  [3]atomic.Int64 // of chans
	got   [3]atomic.Int64
	begun atomic.Int64 // tasks
	ends  [treeTasks]atomic.Int32
}

// How many arms the joins of a tree have, from the root on.
var treeArms = []int{5, 5, 9}

const treeTasks = 1 + 5*(1+5*(1+9))

// stormSizes are of the stacks of arms: from pools, carved, carved as long as
// there is room.
var stormSizes = []join.Size{0, 8 << 10, 16 << 10}

// stacksOut counts the stacks that are not in the pools the storm uses.
func stacksOut() (n int) {
	if !overflowing() {
		return 0 // these options take stacks of the runtime
	}
	for _, size := range stormSizes {
		pool, err := guard.Default(int(size))
		check(err)
		n += pool.Stats().InUse
	}
	return n
}

func (s *storm) wrong(format string, args ...any) {
	fault := fmt.Sprintf(format, args...)
	s.fault.CompareAndSwap(nil, &fault)
}

// Who cancels.
const (
	fromOutside = iota // several threads
	byItself
	byItsChild
	byItsLeaf
)

// ask cancels a task that has not ended, or that nobody has freed.
func (s *storm) ask(who int, task *ctx.Task) {
	s.asked[who].Add(1)
	if err := task.Cancel(errCause); err != nil && !errors.Is(err, cancel.ErrCancelPending) {
		s.wrong("Cancel answers %v", err)
	}
}

// plant starts the trees.
func (s *storm) plant(t *testing.T, trees int) {
	for range trees {
		tree := &stormTree{s: s, seed: s.rnd.Uint64()}
		for i := range tree.chans {
			tree.chans[i] = leaf.NewChan[int](i)
		}
		require.NoError(t, tree.lock.Lock())
		spawn(t, func(task *ctx.Task) {
			tree.root = task // before Spawn returns a timer may have let a leaf go on
			_ = tree.node(nil, 0)(task)
		}, ctx.WithStrictStack(128<<10)) // strict ones have room to carve arms from
		s.trees = append(s.trees, tree)
	}
}

// node is the body of a task at a depth of the tree.
func (tree *stormTree) node(parent *ctx.Task, depth int) func(*ctx.Task) error {
	return func(task *ctx.Task) error {
		n := tree.begun.Add(1) - 1
		rnd := rand.New(rand.NewPCG(tree.seed, uint64(n)))
		returned := false
		defer func() { tree.ended(task, n, returned) }()
		err := error(nil)
		if depth == len(treeArms) {
			err = tree.leaf(parent, task, rnd)
		} else {
			arms := make([]func(*ctx.Task) error, treeArms[depth])
			for i := range arms {
				arms[i] = tree.node(task, depth+1)
			}
			size := stormSizes[rnd.IntN(len(stormSizes))]
			switch rnd.IntN(3) {
			case 0:
				_, err = size.Any(arms...)
			case 1:
				_, err = size.Race(arms...)
			default:
				err = size.All(arms...)
			}
		}
		returned = true
		return err
	}
}

// ended is the deferred call of every task.
func (tree *stormTree) ended(task *ctx.Task, n int64, returned bool) {
	tree.ends[n].Add(1)
	if returned {
		return
	}
	var ce *cancel.Error
	if err := task.Err(); !errors.As(err, &ce) {
		tree.s.wrong("a task unwinds, and its error is %v", err)
	}
	// A value may be there: its receiver was cancelled before it got to run.
	if err := tree.recv(0); err != nil && err != cancel.ErrUnwinding {
		tree.s.wrong("a receive in a deferred call of a task that unwinds answers %v", err)
	}
}

var errLeaf = errors.New("the leaf's own error")

// leaf waits for one thing after the other. When it is let go on it may cancel
// itself or those above it.
func (tree *stormTree) leaf(parent, task *ctx.Task, rnd *rand.Rand) error {
	for {
		if err := tree.wait(rnd); err != nil {
			tree.s.wrong("a leaf cannot wait: %v", err)
			return err
		}
		switch rnd.IntN(8) {
		case 0:
			tree.s.ask(byItself, task)
		case 1:
			tree.s.ask(byItsChild, parent)
		case 2:
			tree.s.ask(byItsLeaf, tree.root)
		case 3:
			tree.s.ask(byItsLeaf, tree.root)
			cancel.Here()
			tree.s.wrong("Here has returned to a task that was asked to end")
		case 4:
			return nil
		case 5:
			return errLeaf
		}
	}
}

func (tree *stormTree) wait(rnd *rand.Rand) error {
	switch rnd.IntN(6) {
	case 0, 1:
		if err := tree.lock.Lock(); err != nil {
			return err
		}
		defer tree.lock.Unlock()
		if rnd.IntN(2) == 0 {
			return nil
		}
		fallthrough // waits while it has the lock
	case 2, 3:
		return tree.recv(rnd.IntN(len(tree.chans)))
	case 4:
		return leaf.Sleep(time.Duration(rnd.IntN(20)) * time.Millisecond)
	}
	return leaf.Sleep(time.Hour)
}

func (tree *stormTree) recv(i int) error {
	_, err := tree.chans[i].Recv()
	if err == nil {
		tree.got[i].Add(1)
	}
	return err
}

func (tree *stormTree) trySend(i int) {
	sent, err := tree.chans[i].TrySend(1)
	if err != nil {
		tree.s.wrong("TrySend: %v", err)
	}
	if sent {
		tree.sent[i].Add(1)
	}
}

// rage has goroutines do all that ends tasks, at the same time.
func (s *storm) rage() {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	everyTree := func(do func(tree *stormTree)) {
		order := s.rnd.Perm(len(s.trees))
		wg.Go(func() {
			<-begin
			for _, i := range order {
				do(s.trees[i])
			}
		})
	}
	askRoot := func(tree *stormTree) { s.ask(fromOutside, tree.root) }
	send := func(tree *stormTree) {
		for i := range tree.chans {
			for range 4 {
				tree.trySend(i)
			}
		}
	}
	everyTree(askRoot)
	everyTree(askRoot)
	everyTree(send)
	everyTree(send)
	everyTree(func(tree *stormTree) { tree.lock.Unlock() })
	close(begin)
	for _, tree := range s.trees { // and this goroutine from the other end
		askRoot(tree)
	}
	wg.Wait()
}

// check looks at what is left.
func (s *storm) check(t *testing.T) {
	t.Helper()
	for _, tree := range s.trees {
		err := tree.root.Wait() // a timer may have let a leaf go on a moment ago
		require.True(t, tree.root.Done())
		var pe *ctx.PanicError
		require.NotErrorAs(t, err, &pe)
		begun := tree.begun.Load()
		for n := range tree.ends {
			want := int32(0)
			if int64(n) < begun {
				want = 1
			}
			require.Equal(t, want, tree.ends[n].Load(), "deferred calls of task %d, of %d that have begun", n, begun)
		}
		require.True(t, tree.lock.TryLock(), "the lock is free")
		for i, c := range tree.chans {
			require.Equal(t, tree.sent[i].Load(), tree.got[i].Load()+int64(c.Len()), "values sent to a channel, and received or left there")
			for sent := true; sent; {
				before := c.Len()
				var err error
				sent, err = c.TrySend(0)
				require.NoError(t, err)
				require.True(t, !sent || c.Len() == before+1, "somebody received: nobody is left to wait")
			}
		}
	}
	if fault := s.fault.Load(); fault != nil {
		t.Fatal(*fault)
	}
}
