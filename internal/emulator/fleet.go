// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"slices"
	"strings"
)

// as returns the directory for the machine that asks metadata. With [Machine.Fleet], the host name
// of the request selects a machine of the fleet, and the part behind a dot its subscription. Each
// machine has its own resource id beside that of the directory's machine, and a system-assigned
// identity with the same rights.
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
