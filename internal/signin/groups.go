// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/token"
)

// groupsLifetime is how long groups outlive the browser sign-in that brought them: only another one
// can tell that the person has left a group. No reuse window is longer, so none ends with fewer
// groups than it began with.
const groupsLifetime = 24 * time.Hour

// groups returns the local groups of an account besides its private group and ours. last is its
// last grant, or none.
func (a *attempt) groups(acct account.Account, last account.Grant) []uint32 {
	switch {
	case a.claims != nil && !last.Browser.After(account.Moment(a.browser)):
		return a.localGroups(a.claims)
	case moment(last.Browser).within(groupsLifetime, a.moment()):
		return a.stillMapped(acct)
	default:
		return nil
	}
}

// localGroups returns the local groups that the person's Entra groups stand for. They are matched
// by object id: anybody who may make a group can give it any name (CVE-2025-49012). A group that
// cannot be given is logged and left out; it keeps nobody out.
func (a *attempt) localGroups(c *token.Claims) (gids []uint32) {
	mapped := a.cfg.Accounts.Groups
	if len(mapped) > 0 && c.GroupsOverage {
		a.log(LogWarning, "groups-not-given", "oid", c.ObjectID,
			"problem", "the person is in more groups than a token holds",
			"fix", `in the app registration, set the groups claim to "Groups assigned to the application"`)
		return nil
	}
	for _, id := range c.Groups {
		name, ok := mapped[strings.ToLower(id)]
		if !ok {
			continue
		}
		gid, err := a.localGroup(name)
		if err != nil {
			a.log(LogWarning, "group-not-given",
				"group", name, "group_oid", id, "problem", err.Error())
			continue
		}
		gids = append(gids, gid)
	}
	return gids
}

// stillMapped returns those of an account's groups that the configuration still has, for sign-ins
// without a token.
func (a *attempt) stillMapped(acct account.Account) []uint32 {
	var mapped []uint32
	for _, name := range a.cfg.Accounts.Groups {
		if gid, err := a.localGroup(name); err == nil {
			mapped = append(mapped, gid)
		}
	}
	return slices.DeleteFunc(slices.Clone(acct.Groups), func(gid uint32) bool {
		return !slices.Contains(mapped, gid)
	})
}

// localGroup returns the id of a group of /etc/group that people may be put into. config has
// checked its name, but a group of another name may have the same id.
func (a *attempt) localGroup(name string) (uint32, error) {
	gid, err := a.groupID(name)
	switch {
	case err != nil:
		return 0, err
	case gid >= a.rules.Low && gid <= a.rules.High:
		return 0, fmt.Errorf("its id %d is of accounts.id_range", gid)
	case gid == 0:
		return 0, errors.New("its id is root's")
	case a.cfg.Accounts.AllowPrivilegedGroups:
		return gid, nil
	}
	for _, privileged := range config.PrivilegedGroups() {
		if same, err := a.groupID(privileged); err == nil && same == gid {
			return 0, fmt.Errorf("its id %d is that of %s", gid, privileged)
		}
	}
	return gid, nil
}

func (a *attempt) groupID(name string) (uint32, error) {
	group, err := a.LookupGroup(name)
	if err != nil {
		return 0, errors.New("no such group in /etc/group")
	}
	gid, err := strconv.ParseUint(group.Gid, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("its id %q is no number", group.Gid)
	}
	return uint32(gid), nil
}
