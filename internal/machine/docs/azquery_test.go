// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Besides names with dots, and the forms of azaddress_test.go, our programs use two forms of
// JMESPath: a member of each element, and an object with a list to which one element is added. The
// element is given as JSON, or is made of the application itself.
var (
	azEach   = regexp.MustCompile(`^([A-Za-z0-9.]*)\[\]\.([A-Za-z]+)$`)
	azAppend = regexp.MustCompile("^\\{api: \\{([A-Za-z0-9]+): \\[api\\.([A-Za-z0-9]+) \\|\\| " +
		"`\\[\\]`, \\[(?:`(\\{[^`]*\\})`|" +
		"\\{appId: appId, delegatedPermissionIds: " +
		"api\\.oauth2PermissionScopes\\[\\?value==`\"([A-Za-z0-9._-]+)\"`\\]\\.id\\})\\]\\]\\[\\]\\}\\}$")
)

// azQuery applies --query.
func azQuery(result any, query string) (any, error) {
	if m := azEach.FindStringSubmatch(query); m != nil {
		list, err := azQuery(result, m[1])
		var all []any
		elements, _ := list.([]any)
		for _, e := range elements {
			all = append(all, e.(map[string]any)[m[2]])
		}
		return all, err
	}
	if m := azAppend.FindStringSubmatch(query); m != nil {
		list, err := azQuery(result, "api."+m[2])
		if err != nil || m[1] != m[2] {
			return nil, fmt.Errorf("--query %s: %w", query,
				cmpError(err, errors.New("one list would replace another")))
		}
		added, err := azAdded(result, m[3], m[4])
		grown := append(slices.Clone(list.([]any)), added)
		return map[string]any{"api": map[string]any{m[1]: grown}}, err
	}
	if found, is, err := azRoleQuery(result, query); is {
		return found, err
	}
	if found, is, err := azAddressQuery(result, query); is {
		return found, err
	}
	if query == azPrincipal {
		return principalOf(result)
	}
	for _, name := range strings.FieldsFunc(query, func(r rune) bool { return r == '.' }) {
		object, _ := result.(map[string]any)
		if result = object[name]; result == nil {
			return nil, fmt.Errorf("--query %s: there is no %s", query, name)
		}
	}
	return result, nil
}

func cmpError(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// azAdded returns the added element: text, or the application with the scope of that name.
func azAdded(result any, text, scope string) (added any, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &added)
		return added, err
	}
	ids := []any{}
	list, err := azQuery(result, "api.oauth2PermissionScopes")
	for _, s := range list.([]any) {
		if s := s.(map[string]any); s["value"] == scope {
			ids = append(ids, s["id"])
		}
	}
	return map[string]any{"appId": result.(map[string]any)["appId"], "delegatedPermissionIds": ids},
		err
}

// These are the two forms of JMESPath for the tenant's custom roles: the scopes where a role can be
// assigned, and its definition with another scope.
var (
	azScopesOf = regexp.MustCompile("^value\\[\\?properties\\.roleName==`\"([^\"`]+)\"`\\]\\.properties\\.assignableScopes\\[\\]$")
	azGrown    = regexp.MustCompile("^value\\[\\?properties\\.roleName==`\"([^\"`]+)\"`\\]\\.properties \\| \\[0\\]\\.\\{name: roleName, description: description, " +
		"permissions: permissions, assignableScopes: \\[assignableScopes, " +
		"\\[`\"([^\"`]+)\"`\\]\\]\\[\\]\\}$")
)

func azRoleQuery(result any, query string) (found any, is bool, err error) {
	m, grown := azScopesOf.FindStringSubmatch(query), azGrown.FindStringSubmatch(query)
	if m == nil && grown == nil {
		return nil, false, nil
	}
	name := append(m, grown...)[1]
	object, _ := result.(map[string]any)
	value, _ := object["value"].([]any)
	for _, one := range value {
		p := one.(map[string]any)["properties"].(map[string]any)
		switch {
		case p["roleName"] != name:
		case grown != nil:
			scopes := slices.Clone(p["assignableScopes"].([]any))
			return map[string]any{
				"name":             name,
				"description":      p["description"],
				"permissions":      p["permissions"],
				"assignableScopes": append(scopes, grown[2]),
			}, true, nil
		default:
			return p["assignableScopes"], true, nil
		}
	}
	if grown != nil {
		return nil, true, nil // null
	}
	return []any{}, true, nil
}
