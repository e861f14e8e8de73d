package sched

import (
	"context"
	"sync"
	"time"
)

// fallbackDelay is package net's.
const fallbackDelay = 300 * time.Millisecond

// byFamily splits addresses into those of the family of the first one, and the
// others.
func byFamily(found []endpoint) (primaries, fallbacks []endpoint) {
	for _, e := range found {
		if e.ip.Addr().Unmap().Is4() == found[0].ip.Addr().Unmap().Is4() {
			primaries = append(primaries, e)
		} else {
			fallbacks = append(fallbacks, e)
		}
	}
	return primaries, fallbacks
}

// race tries the primaries and, when they have failed or taken long, the fallbacks
// beside them. The first connection wins; without one the error is the primaries'.
//
// The primaries are tried by the caller, a task maybe, and the fallbacks by a goroutine.
func (n *Net) race(c context.Context, network string, primaries, fallbacks []endpoint, deadline time.Time) (*Conn, error) {
	mine, stop := context.WithCancel(c)
	defer stop()
	theirs, stopRival := context.WithCancel(c)
	defer stopRival()
	r := &rival{stop: stop, ended: make(chan struct{})}
	defer r.lose() // also if the task is cancelled
	late := time.AfterFunc(fallbackDelay, func() { r.finish(n.series(theirs, network, fallbacks, deadline)) })
	defer late.Stop()
	conn, err := n.series(mine, network, primaries, deadline)
	switch {
	case late.Stop(): // it has not begun
		if err != nil && c.Err() == nil {
			if other, failed := n.series(c, network, fallbacks, deadline); failed == nil {
				return other, nil
			}
		}
		return conn, err
	case err == nil:
		return conn, nil
	}
	if failed := n.offload(func() { <-r.ended }); failed != nil {
		return nil, err
	}
	if other := r.take(); other != nil {
		return other, nil
	}
	return nil, err
}

// A rival tries the fallbacks.
type rival struct {
	stop  func() // ends the attempt of the primaries
	ended chan struct{}

	mu   sync.Mutex
	lost bool
	conn *Conn
}

// finish notes what has come of it.
func (r *rival) finish(conn *Conn, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer close(r.ended)
	switch {
	case err != nil:
	case r.lost:
		conn.Close()
	default:
		r.conn = conn
		r.stop()
	}
}

// take returns the connection, if it was made.
func (r *rival) take() *Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	conn := r.conn
	r.conn = nil
	return conn
}

// lose closes the connection unless it was taken, also one that is still to come.
func (r *rival) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = true
	if r.conn != nil {
		r.conn.Close()
		r.conn = nil
	}
}
