// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import "context"

// Local checks what needs no network, and gives the results of each check to tell as they come.
func (p *Patient) Local(ctx context.Context, tell func([]Result)) {
	for _, c := range []struct {
		name  string
		check func(context.Context) []Result
	}{
		{"store", p.store},
		{"ids", p.ids},
		{"modules", p.modules},
		{"nsswitch", p.nsswitch},
		{"names", p.names},
		{"nscd", p.nscd},
		{"pam", p.pam},
		{"services", p.services},
		{"sshd", p.sshd},
		{"shell", p.shell},
		{"clocks", p.clocks},
		{"sudo", p.sudo},
		{"groups", p.groups},
		{"polkit", p.polkit},
		{"selinux", p.selinux},
		{"scope", p.scope},
	} {
		tell(examine(ctx, c.name, c.check))
	}
}
