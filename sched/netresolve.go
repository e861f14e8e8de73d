package sched

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// errMissingAddress has the text of package net's error, which is not exported.
var errMissingAddress = errors.New("missing address")

// resolve turns an address to dial into endpoints, in the order in which they
// are to be tried. Package net looks names up, on another goroutine if the
// caller is a task: the task is suspended meanwhile.
func (n *Net) resolve(c context.Context, network, address string) ([]endpoint, error) {
	if network == "unix" {
		if address == "" {
			return nil, errMissingAddress
		}
		return []endpoint{{path: address, local: true}}, nil
	}
	if !isTCP(network) {
		return nil, net.UnknownNetworkError(network)
	}
	if address == "" {
		return nil, errMissingAddress
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if isLiteral(host) && isNumber(service) {
		return lookUp(c, network, host, service)
	}
	c, cancel := context.WithCancel(c)
	defer cancel() // also if the task is cancelled
	q := new(struct {
		found []endpoint
		err   error
	})
	if err := n.offload(func() { q.found, q.err = lookUp(c, network, host, service) }); err != nil {
		return nil, err
	}
	return q.found, q.err
}

// isLiteral reports whether a host needs no look-up.
func isLiteral(host string) bool {
	_, err := netip.ParseAddr(host)
	return host == "" || err == nil
}

// isNumber reports whether a service is the number of a port, as package net
// reads it.
func isNumber(service string) bool {
	return strings.Trim(service, "+-0123456789") == ""
}

// offload calls f, which may block; if the caller is a task, on another goroutine, while
// the task is suspended. If it is cancelled meanwhile, f goes on. Errors: those of
// Task.Park; f was not called then.
func (n *Net) offload(f func()) error {
	t := ctx.Current()
	if t == nil {
		f()
		return nil
	}
	return n.park(t, &blocking{n, f})
}

// A blocking call is one that a task waits for.
type blocking struct {
	net *Net
	f   func()
}

// Publish starts it. Its goroutine posts the task after it.
func (b *blocking) Publish(h resume.Handle) {
	go func() {
		b.f()
		b.net.post(wake{task: h})
	}()
}

// lookUp does what package net does with a host and the name or number of a
// service, in the same order and with the same errors.
func lookUp(c context.Context, network, host, service string) ([]endpoint, error) {
	port, err := net.DefaultResolver.LookupPort(c, network, service)
	if err != nil {
		return nil, err
	}
	ips := []netip.Addr{{}}
	literal, literalErr := netip.ParseAddr(host)
	switch {
	case host == "":
	case literalErr != nil:
		if ips, err = net.DefaultResolver.LookupNetIP(c, "ip"+network[len("tcp"):], host); err != nil {
			return nil, err
		}
	default:
		ips = []netip.Addr{literal}
		if literal.WithZone("") == netip.IPv6Unspecified() { // the system may not be able to connect to it
			ips = append(ips, netip.IPv4Unspecified())
		}
	}
	var found []endpoint
	for _, ip := range ips {
		if host == "" || suits(network, ip) {
			found = append(found, endpoint{ip: netip.AddrPortFrom(ip, uint16(port))})
		}
	}
	if len(found) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: host}
	}
	return found, nil
}
