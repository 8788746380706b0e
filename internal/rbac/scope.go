// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import "strings"

const managementGroups = "/providers/Microsoft.Management/managementGroups/"

// covers reports whether a scope is the resource or above it. Scopes are compared by whole
// segments: vm1 is not above vm10.
//
// Only Azure knows which management groups are above a subscription. It was asked for assignments
// at the resource and above (atScope), so the management groups that it names are.
func covers(scope string, r Resource) bool {
	if scope == "/" {
		return true
	}
	scope = strings.TrimSuffix(scope, "/")
	if group, ok := cutPrefix(scope, managementGroups); ok {
		return group != "" && !strings.Contains(group, "/")
	}
	rest, ok := cutPrefix(r.id, scope)
	return ok && scope != "" && (rest == "" || rest[0] == '/')
}

// cutPrefix is strings.CutPrefix without case.
func cutPrefix(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
