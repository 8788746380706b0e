// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// These are the lists of Microsoft.Authorization, in the shapes of
// https://learn.microsoft.com/rest/api/authorization

// A block is one permission of a role definition or a deny assignment.
type block struct {
	Actions        []string `json:"actions"`
	NotActions     []string `json:"notActions"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
	Condition      *string  `json:"condition"` // null: roles here have none
	CondVersion    *string  `json:"conditionVersion"`
}

func (r Role) block() block {
	full := func(list []string) []string { return append([]string{}, list...) } // [], not null
	return block{Actions: full(r.Actions), NotActions: full(r.NotActions),
		DataActions: full(r.DataActions), NotDataActions: full(r.NotDataActions)}
}

// made adds when and by whom something was made and changed.
func made(properties map[string]any) map[string]any {
	const at = "2026-01-02T03:04:05.6789012Z"
	properties["createdOn"], properties["updatedOn"] = at, at
	properties["createdBy"], properties["updatedBy"] = founder, founder
	return properties
}

// founder is the object id of the person who made everything.
const founder = "55556666-ffff-7777-aaaa-8888bbbb9999"

// An entry is an element of a list. Its type is that of its collection.
type entry struct {
	ID         string         `json:"id"`
	Type       string         `json:"type"`
	Name       string         `json:"name"`
	Properties map[string]any `json:"properties"`
}

// newEntry makes an element. Its name depends on what it is about.
func newEntry(scope, kind string, properties map[string]any, about ...string) entry {
	name := guidOf(about...)
	id := strings.TrimRight(scope, "/") + "/providers/Microsoft.Authorization/" + kind + "/" + name
	return entry{id, "Microsoft.Authorization/" + kind, name, properties}
}

var assignedTo = regexp.MustCompile(`^atScope\(\) and assignedTo\('([0-9A-Fa-f-]{36})'\)$`)

// roleAssignments lists the role assignments of a principal at the resource and above, including
// those through nested groups. No other filter is served.
func (x *exchange) roleAssignments(resource, _ string) {
	m := assignedTo.FindStringSubmatch(x.r.URL.Query().Get("$filter"))
	if m == nil {
		x.unsupportedFilter()
		return
	}
	subject := x.dir.subject(m[1])
	var all []entry
	for _, a := range x.dir.Assignments {
		role, ok := x.dir.role(a.Role)
		if ok && x.dir.names(a.Principal, subject) && x.dir.covers(a.Scope, resource) {
			all = append(all, x.dir.describe(a, role))
		}
	}
	page(x, all)
}

func (d *Directory) describe(a Assignment, role Role) entry {
	p := d.whoever(a.Principal)
	properties := map[string]any{
		"roleDefinitionId": d.definitionID(role), "principalId": p.oid, "principalType": p.kind,
		"scope": a.Scope, "condition": nil, "conditionVersion": nil,
		"delegatedManagedIdentityResourceId": nil, "description": nil,
	}
	if a.Condition != "" {
		properties["condition"], properties["conditionVersion"] = a.Condition, "2.0"
	}
	return newEntry(a.Scope, "roleAssignments", made(properties), p.oid,
		role.ID, a.Scope, a.Condition)
}

// definitionID returns the id of a role's definition, which is in the subscription.
func (d *Directory) definitionID(r Role) string {
	return "/subscriptions/" + segmentAfter(d.Machine.ResourceID, "subscriptions") +
		"/providers/Microsoft.Authorization/roleDefinitions/" + r.ID
}

func (x *exchange) roleDefinition(_, name string) {
	role, ok := x.dir.role(name)
	if !ok || !isGUID(name) {
		x.armError(http.StatusNotFound, "RoleDefinitionDoesNotExist",
			fmt.Sprintf("The specified role definition with ID '%s' does not exist.", name))
		return
	}
	kind := "CustomRole"
	if slices.ContainsFunc(builtin(), func(r Role) bool { return r.ID == role.ID }) {
		kind = "BuiltInRole"
	}
	x.json(http.StatusOK, entry{x.dir.definitionID(role), "Microsoft.Authorization/roleDefinitions",
		role.ID, made(map[string]any{
			"roleName": role.Name, "type": kind, "description": role.Name,
			"assignableScopes": []string{"/"}, "permissions": []block{role.block()},
		})})
}

// denyAssignments lists all deny assignments at the resource and above, for any principal.
func (x *exchange) denyAssignments(resource, _ string) {
	if x.r.URL.Query().Get("$filter") != "atScope()" {
		x.unsupportedFilter()
		return
	}
	var all []entry
	for _, y := range x.dir.Denies {
		if x.dir.covers(y.Scope, resource) {
			what := Role{Actions: y.Actions, NotActions: y.NotActions, DataActions: y.DataActions,
				NotDataActions: y.NotDataActions}
			all = append(all, newEntry(y.Scope, "denyAssignments", made(map[string]any{
				"denyAssignmentName": y.Name, "description": y.Name, "condition": nil,
				"conditionVersion": nil, "permissions": []block{what.block()}, "scope": y.Scope,
				"doNotApplyToChildScopes": y.DoNotApplyToChildScopes, "isSystemProtected": true,
				"principals":        x.dir.named(y.Principals),
				"excludePrincipals": x.dir.named(y.Exclude),
			}), y.Name, y.Scope))
		}
	}
	page(x, all)
}

type deniedPrincipal struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

func (d *Directory) named(keys []string) []deniedPrincipal {
	all := []deniedPrincipal{}
	for _, key := range keys {
		p := d.whoever(key)
		all = append(all, deniedPrincipal{p.oid, p.kind})
	}
	return all
}

// whoever returns the principal that an assignment names.
func (d *Directory) whoever(key string) principal {
	p, ok := d.principal(key)
	switch {
	case key == everyone:
		return principal{oid: everyoneObjectID, kind: "SystemDefined"}
	case !ok:
		return principal{oid: key, kind: "Unknown"} // it was deleted
	}
	return p
}

// permissions lists what the caller's roles permit, one block for each role. It shows neither deny
// assignments nor conditions. Azure does not document that it considers them, so this is the worst
// case.
func (x *exchange) permissions(resource, _ string) {
	b, _ := x.caller()
	subject := x.dir.subject(b.oid)
	all := []block{}
	for _, a := range x.dir.Assignments {
		role, ok := x.dir.role(a.Role)
		if ok && x.dir.names(a.Principal, subject) && x.dir.covers(a.Scope, resource) {
			all = append(all, role.block())
		}
	}
	page(x, all)
}

func (x *exchange) unsupportedFilter() {
	x.armError(http.StatusBadRequest, "UnsupportedQuery",
		fmt.Sprintf("The filter '%s' is not supported.", x.r.URL.Query().Get("$filter")))
}

// page sends the elements that fit into a page. It begins where the link of the page before says.
func page[T any](x *exchange, all []T) {
	q := x.r.URL.Query()
	from, err := strconv.Atoi(orDefaultText(q.Get("$skiptoken"), "0"))
	if err != nil || from < 0 || from > len(all) {
		x.armError(http.StatusBadRequest, "InvalidSkipToken", "The skip token is invalid.")
		return
	}
	answer := struct {
		Value []T    `json:"value"`
		Next  string `json:"nextLink,omitempty"`
	}{Value: append([]T{}, all[from:]...)}
	if size := orDefault(x.dir.PageSize, 1000); len(answer.Value) > size {
		answer.Value = answer.Value[:size]
		q.Set("$skiptoken", strconv.Itoa(from+size))
		answer.Next = x.base() + x.r.URL.EscapedPath() + "?" + q.Encode()
	}
	x.json(http.StatusOK, answer)
}

func orDefaultText(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
