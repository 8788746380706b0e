// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"net"
	"net/netip"
)

// noWindowFrom says why no window is kept for people from this host, or returns "". The host must
// be an address: a name (UseDNS yes) is what the owner of the address says it is, and "UNKNOWN" is
// everybody. Every local user who runs "ssh alice@127.0.0.1" comes from an address of this
// machine's own, and from loopback comes whoever is at the other end of a tunnel.
func noWindowFrom(host string, own func() ([]net.Addr, error)) string {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return "address unknown"
	}
	address = address.Unmap().WithZone("")
	if !address.IsGlobalUnicast() { // loopback, of the link, multicast, unspecified
		return "address of nobody in particular"
	}
	mine, err := own()
	if err != nil {
		return "own addresses unknown"
	}
	for _, a := range mine {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			return fmt.Sprintf("own address %s makes no sense", a)
		}
		if prefix.Addr().Unmap().WithZone("") == address {
			return "address of this machine"
		}
	}
	return ""
}
