package sched

import (
	"net"
	"net/netip"
	"strconv"
)

// An endpoint is an address of TCP or of a Unix socket.
type endpoint struct {
	ip    netip.AddrPort // without an address: all addresses of this machine
	path  string
	local bool // a Unix socket
}

func (e endpoint) isUnix() bool { return e.local }

func (e endpoint) network() string {
	if e.local {
		return "unix"
	}
	return "tcp"
}

// addr returns the endpoint as package net has it.
func (e endpoint) addr() net.Addr {
	if e.local {
		return &net.UnixAddr{Name: e.path, Net: "unix"}
	}
	return net.TCPAddrFromAddrPort(e.ip)
}

// parseEndpoint reads an address that needs no look-up. Otherwise it returns
// the host to look up.
func parseEndpoint(network, address string) (e endpoint, host string, err error) {
	switch network {
	case "unix":
		if address == "" {
			return e, "", &net.AddrError{Err: "missing path", Addr: address}
		}
		return endpoint{path: address, local: true}, "", nil
	case "tcp", "tcp4", "tcp6":
	default:
		return e, "", net.UnknownNetworkError(network)
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return e, "", err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return e, "", &net.AddrError{Err: "need a port number from 0 to 65535", Addr: address}
	}
	var ip netip.Addr
	switch {
	case host != "":
		if ip, err = netip.ParseAddr(host); err != nil {
			return endpoint{ip: netip.AddrPortFrom(ip, uint16(port))}, host, nil
		}
	case network == "tcp4":
		ip = netip.IPv4Unspecified()
	case network == "tcp6":
		ip = netip.IPv6Unspecified()
	}
	if ip.IsValid() && !suits(network, ip) {
		return e, "", &net.AddrError{Err: "not an address of " + network, Addr: address}
	}
	return endpoint{ip: netip.AddrPortFrom(ip, uint16(port))}, "", nil
}

func suits(network string, ip netip.Addr) bool {
	switch network {
	case "tcp4":
		return ip.Unmap().Is4()
	case "tcp6":
		return ip.Is6() && !ip.Is4In6()
	}
	return true
}

// zoneID turns an IPv6 zone, a number or the name of an interface, into the number.
func zoneID(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}
