// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"maps"
	"slices"
)

// PrivilegedGroups returns the local groups whose members are as good as root: they run any program
// as root, or read and write what root does.
func PrivilegedGroups() []string {
	return []string{
		"sudo", "wheel", "admin", "staff", "disk", "kmem", "shadow", "docker",
		"lxd", "incus", "incus-admin",
		"libvirt", "microk8s",
	}
}

// ChangingGroups returns the local groups that a sign-in may add somebody to, or remove them from.
func (c *Config) ChangingGroups() []string {
	names := append(slices.Collect(maps.Values(c.Accounts.Groups)), "aad_admins")
	slices.Sort(names)
	return slices.Compact(names)
}

// setGroup takes one line of [accounts.groups].
func (c *Config) setGroup(id string, value any) *problem {
	id, p := guidText(id)
	if p != nil {
		return wrong("the key is not the object id of an Entra group, a GUID", p.fix)
	}
	if _, twice := c.Accounts.Groups[id]; twice {
		return wrong("this group is listed already, in another case", "keep one of the two lines")
	}
	var name string
	if p := text(&name, groupName)(value); p != nil {
		return p
	}
	if c.Accounts.Groups == nil {
		c.Accounts.Groups = make(map[string]string)
	}
	c.Accounts.Groups[id] = name
	return nil
}

// privileged refuses mappings that make administrators past Azure RBAC. More people often manage
// the groups of an Entra tenant than its roles.
func (c *Config) privileged() *Error {
	for _, id := range slices.Sorted(maps.Keys(c.Accounts.Groups)) {
		name, key := c.Accounts.Groups[id], groupsSection+"."+id
		switch {
		case name == "root":
			return wrong(quote(name)+" is nobody's group but root's",
				"choose another group").at(key, 0)
		case name == "aad_users" || name == "aad_admins":
			return wrong(quote(name)+" is filled by this software",
				"assign the Azure role instead").at(key, 0)
		case slices.Contains(PrivilegedGroups(), name) && !c.Accounts.AllowPrivilegedGroups:
			return wrong(quote(name)+" makes its members as good as root",
				"choose another group, or set accounts.allow_privileged_groups = true").at(key, 0)
		}
	}
	return nil
}
