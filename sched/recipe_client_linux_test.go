package sched_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	leaves "github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/sched"
)

// The code of docs/recipes.md, in use.

func get(c context.Context, client *http.Client, url string) ([]byte, error) {
	return leaves.AwaitFunc(func() ([]byte, error) {
		q, err := http.NewRequestWithContext(c, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		r, err := client.Do(q)
		if err != nil {
			return nil, err
		}
		defer r.Body.Close()
		return io.ReadAll(r.Body)
	})
}

// Many tasks make requests one after another, on connections that are kept.
func TestRecipeHTTPClient(t *testing.T) {
	n := runNet(t)
	reported := hangs(n)
	server, connections := countingServer(t)
	client := &http.Client{Transport: &http.Transport{DialContext: n.DialContext, MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	const tasks = 8
	requests := scale(400)
	var done atomic.Int32
	served := 0 // guarded by nothing: the tasks are all of one Net
	for i := range tasks {
		spawn(t, func(task *ctx.Task) {
			defer done.Add(1)
			if err := sched.On(n, task); err != nil {
				t.Error(err)
			}
			for r := range requests {
				text := fmt.Sprint("task ", i, " request ", r)
				body, err := get(task.Context(), client, server.URL+"/"+strings.ReplaceAll(text, " ", "-"))
				if err != nil || string(body) != "you asked for /"+strings.ReplaceAll(text, " ", "-") {
					t.Errorf("%s: %q, %v", text, body, err)
				}
				served++
			}
		})
	}
	eventually(t, "all requests are made", func() bool { return done.Load() == tasks })
	require.NoError(t, n.Do(func() { done.Add(1) }))
	eventually(t, "the Net is idle", func() bool { return done.Load() == tasks+1 })
	require.Equal(t, tasks*requests, served)
	require.LessOrEqual(t, connections.Load(), int32(tasks), "connections are kept")
	require.Empty(t, reported)
}

// A cancel of the task ends its request.
func TestRecipeHTTPClientIsCancelledWithItsTask(t *testing.T) {
	n := runNet(t)
	asked, ended := make(chan bool, 1), make(chan bool, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- true
		<-r.Context().Done()
		ended <- true
	}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: n.DialContext}}
	defer client.CloseIdleConnections()
	task := spawn(t, func(task *ctx.Task) {
		_, err := get(task.Context(), client, server.URL)
		t.Error("get returned:", err)
	}, ctx.WithHome(n))
	<-asked
	if err := task.Cancel(nil); err != nil {
		require.ErrorIs(t, err, cancel.ErrCancelPending)
	}
	require.ErrorIs(t, task.Wait(), context.Canceled)
	<-ended
}

// Why the recipe is needed: a task that calls a client without AwaitFunc blocks the Net.
// With HandOver it does not wait for ever.
func TestHandOverServesAnHTTPClientInATask(t *testing.T) {
	n := runNet(t)
	n.HandOver(500 * time.Microsecond)
	server, connections := countingServer(t)
	client := &http.Client{Transport: &http.Transport{DialContext: n.DialContext}}
	defer client.CloseIdleConnections()
	done := make(chan int)
	spawn(t, func(task *ctx.Task) {
		defer close(done)
		if err := sched.On(n, task); err != nil {
			t.Error(err)
		}
		for range scale(100) {
			r, err := client.Get(server.URL)
			if err != nil {
				t.Error(err)
				return
			}
			if body, err := io.ReadAll(r.Body); err != nil || string(body) != "you asked for /" {
				t.Errorf("%q, %v", body, err)
			}
			r.Body.Close()
		}
	})
	<-done
	require.EqualValues(t, 1, connections.Load())
}

// Without either the second request hangs, which is reported.
func TestAnHTTPClientInATaskIsReportedWhenItHangs(t *testing.T) {
	n := runNet(t)
	reported := stalls(n)
	server, _ := countingServer(t)
	client := &http.Client{Transport: &http.Transport{DialContext: n.DialContext}, Timeout: time.Second}
	defer client.CloseIdleConnections()
	done := make(chan error)
	spawn(t, func(task *ctx.Task) {
		_ = sched.On(n, task)
		for range 2 {
			r, err := client.Get(server.URL)
			if err != nil {
				done <- err
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		done <- nil
	}, ctx.WithName("asking"))
	s := <-reported
	require.Equal(t, "asking", s.Tasks[0].Name)
	require.Contains(t, s.String(), "net/http.(*")
	require.Error(t, <-done, "the client's Timeout")
}

// countingServer is a server of package net/http on package net.
func countingServer(t *testing.T) (*httptest.Server, *atomic.Int32) {
	var connections atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "you asked for ", r.URL.Path)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s, &connections
}
