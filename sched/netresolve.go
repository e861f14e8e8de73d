package sched

import (
	"context"
	"net"
	"net/netip"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// resolve turns an address into endpoints, the best one first. Names are looked
// up by package net, on a goroutine: a task is suspended meanwhile.
func (n *Net) resolve(network, address string) ([]endpoint, error) {
	e, host, err := parseEndpoint(network, address)
	if err != nil || host == "" {
		return []endpoint{e}, err
	}
	port := e.ip.Port()
	t := ctx.Current()
	if t == nil {
		return lookUp(context.Background(), network, host, port)
	}
	c, cancel := context.WithCancel(context.Background())
	defer cancel() // also if the task is cancelled
	q := &query{net: n, find: func() ([]endpoint, error) { return lookUp(c, network, host, port) }}
	if err := n.park(t, q); err != nil {
		return nil, err
	}
	return q.found, q.err
}

// A query is a look-up that a task waits for.
type query struct {
	net   *Net
	find  func() ([]endpoint, error)
	found []endpoint
	err   error
}

// Publish starts the look-up. Its goroutine writes q before it posts the task.
func (q *query) Publish(h resume.Handle) {
	go func() {
		q.found, q.err = q.find()
		q.net.post(wake{task: h})
	}()
}

func lookUp(c context.Context, network, host string, port uint16) ([]endpoint, error) {
	family := "ip" + network[len("tcp"):]
	ips, err := net.DefaultResolver.LookupNetIP(c, family, host)
	if err != nil {
		return nil, err
	}
	found := make([]endpoint, len(ips))
	for i, ip := range ips {
		found[i].ip = netip.AddrPortFrom(ip.Unmap(), port)
	}
	return found, nil
}
