// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"slices"
	"strings"
)

// as is the directory as the machine sees it that asks metadata: with
// [Machine.Fleet], the host name in the request says which of a fleet that is,
// and what stands behind a dot in which subscription. Each has a resource id
// of its own, beside that of the directory's machine, and a system-assigned
// identity with the rights of that one's.
func (d *Directory) as(host string) *Directory {
	name, subscription, elsewhere := strings.Cut(host, ".")
	if d.Machine.Fleet == "" || !strings.HasPrefix(name, d.Machine.Fleet) {
		return d
	}
	own := *d
	m := &own.Machine
	if elsewhere {
		m.ResourceID = strings.Replace(m.ResourceID, segmentAfter(m.ResourceID, "subscriptions"),
			guidOf("subscription "+subscription), 1)
	}
	m.ResourceID = m.ResourceID[:strings.LastIndex(m.ResourceID, "/")+1] + name
	m.Name, m.VMID = name, guidOf("machine "+name)
	own.Identities = slices.Clone(d.Identities)
	for i, identity := range d.Identities {
		if identity.SystemAssigned {
			own.Identities[i].like = identity.ObjectID
			own.Identities[i].ObjectID, own.Identities[i].ClientID = guidOf("identity "+name),
				guidOf("client "+name)
		}
	}
	return &own
}
