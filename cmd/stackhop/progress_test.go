package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProgressSaysNothingWhereThereIsNoTerminal(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, time.Minute)
	p.part("one", 0)
	p.end()
	require.Empty(t, out.String())
}

func TestProgressWritesOneLineAndTakesItAway(t *testing.T) {
	var out bytes.Buffer
	p := &progress{w: &out, begin: time.Now(), total: time.Minute}
	p.part("one", 0)
	p.part("two", time.Minute)
	p.end()
	require.Equal(t, "\r\x1b[K1m0s left: one\r\x1b[K0s left: two\r\x1b[K", out.String())
}

func TestProgressCorrectsItsEstimate(t *testing.T) {
	p := &progress{total: 10 * time.Second}
	require.Equal(t, 10*time.Second, p.left(0))
	p.part("", 5*time.Second)
	require.Equal(t, 5*time.Second, p.left(5*time.Second))
	require.Equal(t, 10*time.Second, p.left(10*time.Second), "the first half took twice as long as expected")
	p.part("", 20*time.Second)
	require.Zero(t, p.left(time.Second))
}
