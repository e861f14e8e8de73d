package pull_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/pull"
)

type (
	myInt  int
	pairOf struct{ A, B int32 }
	large  struct{ a [9]int }
	ring   struct{ next *ring }
)

// check pulls each value twice, and looks for false hits of ok.
func check[V any](values ...V) func(*testing.T) {
	return func(t *testing.T) {
		next, stop := pull.Pull(func(yield func(V) bool) {
			for range 2 {
				for _, v := range values {
					if !yield(v) {
						return
					}
				}
			}
		})
		defer stop()
		for range 2 {
			for _, want := range values {
				v, ok := next()
				require.Equal(t, want, v)
				require.Equal(t, true, ok)
			}
		}
		var zero V
		v, ok := next()
		require.Equal(t, zero, v)
		require.Equal(t, false, ok)
	}
}

func check2[K, V any](ks []K, vs []V) func(*testing.T) {
	return func(t *testing.T) {
		next, stop := pull.Pull2(func(yield func(K, V) bool) {
			for i, k := range ks {
				if !yield(k, vs[i]) {
					return
				}
			}
		})
		defer stop()
		for i := range ks {
			k, v, ok := next()
			require.Equal(t, ks[i], k)
			require.Equal(t, vs[i], v)
			require.Equal(t, true, ok)
		}
		_, _, ok := next()
		require.Equal(t, false, ok)
	}
}

// Each kind of value returns in registers of its own.
func TestValuesOfEveryShape(t *testing.T) {
	one, self := 1, &ring{}
	self.next = self
	for name, run := range map[string]func(*testing.T){
		"bool":          check(true, false, true),
		"int":           check(0, -1, math.MaxInt),
		"named":         check(myInt(3), myInt(-3)),
		"int8":          check(int8(-128), int8(127)),
		"uint8":         check(uint8(255), uint8(0)),
		"int16":         check(int16(-1), int16(300)),
		"int32":         check(int32(-1), int32(math.MaxInt32)),
		"uint32":        check(uint32(math.MaxUint32)),
		"uint64":        check(uint64(math.MaxUint64), uint64(1)),
		"float32":       check(float32(1.5), float32(-2)),
		"float64":       check(1.5, math.Inf(1), math.Copysign(0, -1)),
		"complex128":    check(complex(1, 2)),
		"string":        check("", "x", "long enough to lie somewhere"),
		"slice":         check([]int{1, 2}, nil, []int{}),
		"array of none": check([0]int{}),
		"array of one":  check([1]string{"a"}),
		"array":         check([3]int{1, 2, 3}),
		"empty struct":  check(struct{}{}, struct{}{}),
		"small struct":  check(pairOf{1, 2}),
		"large struct":  check(large{[9]int{1, 2, 3, 4, 5, 6, 7, 8, 9}}),
		"pointer":       check(&one, nil),
		"cyclic":        check(self),
		"map":           check(map[string]int{"a": 1}, nil),
		"any":           check[any](1, "x", nil, 2.5),
		"error":         check(errors.New("e"), nil),
		"uintptr":       check(uintptr(7)),

		"int, int":          check2([]int{1, 2}, []int{3, 4}),
		"int32, int32":      check2([]int32{1, 2}, []int32{3, 4}),
		"int, string":       check2([]int{1, 2}, []string{"a", "b"}),
		"string, string":    check2([]string{"a", ""}, []string{"", "b"}),
		"slice, int":        check2([][]int{{1}, nil}, []int{1, 2}),
		"slice, string":     check2([][]int{{1}, nil}, []string{"a", "b"}),
		"int, float64":      check2([]int{1, 2}, []float64{1.5, 2.5}),
		"float64, float64":  check2([]float64{1, 2}, []float64{1.5, 2.5}),
		"empty, int":        check2([]struct{}{{}, {}}, []int{1, 2}),
		"int, empty":        check2([]int{1, 2}, []struct{}{{}, {}}),
		"empty, empty":      check2([]struct{}{{}, {}}, []struct{}{{}, {}}),
		"bool, int":         check2([]bool{true, false}, []int{1, 2}),
		"large, any":        check2([]large{{}, {}}, []any{1, nil}),
		"any, error":        check2([]any{1, nil}, []error{nil, errors.New("e")}),
		"int, small struct": check2([]int{1}, []pairOf{{2, 3}}),
	} {
		t.Run(name, run)
	}
}

// The short way out of next and yield takes their frames away: the compiler must
// not have merged them into others, even if a profile says they are hot.
func TestNextAndYieldAreNeverInlined(t *testing.T) {
	next, stop := pull.Pull(func(yield func(string) bool) {
		for i := 0; i < 3 && yield(fmt.Sprint(i)); i++ {
		}
	})
	defer stop()
	_, ok := next()
	require.True(t, ok)
	if reason := testsupport.NoGo(); reason != "" {
		t.Skip(reason)
	}
	requireNotInlinable(t)
}
