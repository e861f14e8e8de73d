package join_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
)

// In a bubble time is the bubble's, and nothing made there serves elsewhere.
func TestInsideABubble(t *testing.T) {
	for range 3 {
		for _, p := range parents[:3] {
			t.Run(p.name, func(t *testing.T) {
				outside := func() {
					p.run(t, func() {
						won, err := join.Select(join.After(time.Microsecond), join.Recv(make(chan int), nil))
						require.NoError(t, err)
						require.Zero(t, won)
					})
				}
				outside()
				synctest.Test(t, func(t *testing.T) {
					p.run(t, func() {
						start := time.Now()
						ch := make(chan int)
						go func() {
							time.Sleep(time.Hour)
							ch <- 1
						}()
						var v int
						won, err := join.Select(join.After(2*time.Hour), join.Recv(ch, &v))
						require.NoError(t, err)
						require.Equal(t, 1, won)
						require.Equal(t, 1, v)
						require.Equal(t, time.Hour, time.Since(start))
						won, err = join.Select(join.Recv(ch, &v), join.After(time.Hour), join.After(3*time.Hour))
						require.NoError(t, err)
						require.Equal(t, 1, won)
						require.Equal(t, 2*time.Hour, time.Since(start))
						var g gate
						require.NoError(t, join.All(func(task *ctx.Task) error {
							go func() {
								synctest.Wait()
								g.open()
							}()
							return g.wait(task)
						}, fails(nil)))
					})
				})
				outside()
			})
		}
	}
}
