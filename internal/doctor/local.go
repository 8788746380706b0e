// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import "context"

// Local runs the checks that need no network, and hands the findings of each to tell as they come.
func (h *Host) Local(ctx context.Context, tell func([]Finding)) {
	for _, c := range []struct {
		name  string
		check func(context.Context) []Finding
	}{
		{"store", h.store},
		{"ids", h.ids},
		{"modules", h.modules},
		{"nsswitch", h.nsswitch},
		{"names", h.names},
		{"nscd", h.nscd},
		{"pam", h.pam},
		{"services", h.services},
		{"sshd", h.sshd},
		{"shell", h.shell},
		{"clocks", h.clocks},
		{"sudo", h.sudo},
		{"groups", h.groups},
		{"polkit", h.polkit},
		{"selinux", h.selinux},
		{"scope", h.scope},
	} {
		tell(examine(ctx, c.name, c.check))
	}
}
