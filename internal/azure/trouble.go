// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"syscall"
)

// Any local process can use up this machine's ports, memory and descriptors. So a failed request
// counts as an outage only if something came from the network, or if the network was silent. An
// unknown cause is no outage.

// A LocalError is returned if this machine could not send the request, whatever the network is
// like.
type LocalError struct {
	Problem string // as in "this machine …"
	Fix     string // for its administrator
	Err     error
}

func (e *LocalError) Error() string {
	return fmt.Sprintf("azure: this machine %s: %v", e.Problem, e.Err)
}
func (e *LocalError) Unwrap() error { return e.Err }

// fromNetwork marks an error that came from the network.
type fromNetwork struct{ error }

func (e fromNetwork) Unwrap() error { return e.error }

// Outage reports whether err means that the network, or a server beyond it, is out of order. A
// server that has been asked too often is not: any local process may ask the metadata service, and
// may ask Resource Manager with the token that it gets there.
func Outage(err error) bool {
	var local *LocalError
	var answered *Error
	switch {
	case errors.As(err, &local):
		return false
	case errors.As(err, &answered):
		return answered.Status >= http.StatusInternalServerError
	}
	return errors.As(err, new(fromNetwork))
}

// beyond are the error numbers that come from the network: from a packet, from silence, or from a
// missing route, which only root can change. All others come from this machine.
var beyond = []syscall.Errno{
	syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE,
	syscall.ETIMEDOUT, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN,
	syscall.EHOSTDOWN, syscall.ENETRESET,
}

// localErrno returns the first error number in errs that did not come from the network.
func localErrno(errs ...error) (syscall.Errno, bool) {
	for _, err := range errs {
		if errno := syscall.Errno(0); errors.As(err, &errno) && !slices.Contains(beyond, errno) {
			return errno, true
		}
	}
	return 0, false
}

// local describes an error number of this machine.
func local(errno syscall.Errno, err error) *LocalError {
	switch errno {
	case syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.EAGAIN:
		return &LocalError{"is out of local ports",
			"ss -tanp shows who holds them; " +
				"net.ipv4.ip_local_port_range says how many there are", err}
	case syscall.ENOBUFS, syscall.ENOMEM:
		return &LocalError{"is out of memory for the network",
			"free -m and dmesg show what is used up; ss -tanpm shows by whom", err}
	case syscall.EMFILE, syscall.ENFILE:
		return &LocalError{"is out of file descriptors",
			"sysctl fs.file-nr shows how many are in use, lsof by whom", err}
	case syscall.EPERM, syscall.EACCES:
		return &LocalError{"has a rule that forbids the connection",
			"let root connect in this machine's own firewall: nft list ruleset", err}
	default:
		return &LocalError{"cannot make such a connection", "the error says why", err}
	}
}

// numbered reports whether err holds an error number at all.
func numbered(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno)
}
