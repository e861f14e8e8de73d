package sched

import (
	"net"
	"net/netip"
)

// An endpoint is an address of TCP or of a Unix socket.
type endpoint struct {
	ip    netip.AddrPort // without an address: package net's nil IP
	path  string
	local bool // a Unix socket
}

func (e endpoint) isUnix() bool { return e.local }

// addr returns the endpoint as package net has it.
func (e endpoint) addr() net.Addr {
	if e.local {
		return &net.UnixAddr{Name: e.path, Net: "unix"}
	}
	return net.TCPAddrFromAddrPort(e.ip)
}

// isTCP reports whether network is tcp, tcp4 or tcp6.
func isTCP(network string) bool { return network == "tcp" || network == "tcp4" || network == "tcp6" }

// suits reports whether ip can be an address of network. It is package net's
// rule: an IPv4 address within IPv6 counts as IPv4.
func suits(network string, ip netip.Addr) bool {
	is4 := ip.Unmap().Is4()
	return network == "tcp" || is4 == (network == "tcp4")
}
