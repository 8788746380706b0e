// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"slices"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
)

// sshd looks up a person's groups when the connection begins, for AllowGroups, DenyGroups and Match
// Group, and never again. Changes that a sign-in makes are too late for it: a member of a group
// that is to be confined would have a full shell once. If sshd has such rules, the changed groups
// are stored, and the person connects again.

// reconnects reports whether this attempt is one of sshd's that must not go on with other groups
// than it began with.
func (a *attempt) reconnects() bool {
	switch {
	case a.Service != "sshd" && !strings.HasPrefix(a.HostTitle(), "sshd"):
		return false
	case a.cfg.SignIn.ReconnectOnGroupChange == config.Auto:
		return a.groupsMayHelp() // or harm
	}
	return a.cfg.SignIn.ReconnectOnGroupChange == "true"
}

// otherGroups reports whether an account has other groups by now than sshd was told of. This
// attempt may have changed them from before to now, or another one since the connection began.
// Without a browser only aad_admins counts, because nothing else can change.
func (a *attempt) otherGroups(before, now account.Account) bool {
	if a.claims == nil {
		before.Groups, now.Groups = nil, nil
	}
	if before.Admin != now.Admin || !sameGroups(before.Groups, now.Groups) {
		return true
	}
	return a.storeHasChanged() && (now.Admin || len(now.Groups) > 0)
}

func sameGroups(x, y []uint32) bool {
	sorted := func(gids []uint32) []uint32 {
		return slices.Compact(slices.Sorted(slices.Values(gids)))
	}
	return slices.Equal(sorted(x), sorted(y))
}

// storeHasChanged reports whether the store has changed since the host asked for the account.
func (a *attempt) storeHasChanged() bool {
	inode, modified := a.store.Stamp()
	return a.KnownToHost && (inode != a.StoreInode || modified != a.StoreModified)
}

func (a *attempt) groupsChanged() error {
	return a.refuse(Denied, "Your groups on this machine have changed. Connect again.",
		"groups-changed")
}
