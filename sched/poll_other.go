//go:build !linux

package sched

import (
	"errors"
	"syscall"
)

// Where there is no epoll, NewNet says so, and nothing below is ever reached.

type pollEvent struct{}

const (
	pollerKind = "none"
	pollerWhy  = "Net needs Linux"
)

type poller struct{}

func openPoller() (poller, error) { return poller{}, errors.ErrUnsupported }

func (*poller) close()                     {}
func (*poller) add(int, slotKey) error     { return errors.ErrUnsupported }
func (*poller) notify()                    {}
func (*poller) block([]pollEvent, int) int { return 0 }
func (*poller) peek([]pollEvent) int       { return 0 }
func (*poller) yield()                     {}
func (*poller) pending() bool              { return false }
func eventKey(*pollEvent) slotKey          { return slotKey{} }
func eventReady(*pollEvent) (_, _, _ bool) { return }
func sysClose(int) error                   { return errors.ErrUnsupported }
func sysShutdownRead(int) error            { return errors.ErrUnsupported }
func sysShutdownWrite(int) error           { return errors.ErrUnsupported }
func sysSet(int, option, int) error        { return errors.ErrUnsupported }
func sysSetLinger(int, int) error          { return errors.ErrUnsupported }
func sysConnected(int) (bool, error)       { return true, errors.ErrUnsupported }

func sysListen(string, string, bool) (int, error)    { return -1, errors.ErrUnsupported }
func sysNames(_ int, o endpoint) (_, _ endpoint)     { return o, o }
func sysConnect(string, endpoint) (int, bool, error) { return -1, false, errors.ErrUnsupported }

func sysRead(int, []byte) (int, syscall.Errno)       { return 0, syscall.EINVAL }
func sysWrite(int, []byte) (int, syscall.Errno)      { return 0, syscall.EINVAL }
func sysAccept(int) (int, endpoint, syscall.Errno)   { return -1, endpoint{}, syscall.EINVAL }
func retryErrno(syscall.Errno) (again, restart bool) { return }
