// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// azAppRoles are the app roles of the application, by their id.
var azAppRoles = map[string]string{}

type azAccess struct {
	ResourceAppID  string `json:"resourceAppId"`
	ResourceAccess []struct{ ID, Type string }
}

// delegated are the permissions of Microsoft Graph that a sign-in needs: openid and profile.
// https://learn.microsoft.com/graph/permissions-reference
const delegated = "00000003-0000-0000-c000-000000000000 37f7f235-527c-4136-accd-4a02d197296e " +
	"Scope 14dad69e-099b-42c9-810b-d002981feec1 Scope"

func isRequiredAccess(text string) error {
	var all []azAccess
	if err := azDecode(text, &all); err != nil {
		return err
	}
	var words []string
	for _, access := range all {
		words = append(words, access.ResourceAppID)
		for _, permission := range access.ResourceAccess {
			words = append(words, permission.ID, permission.Type)
		}
	}
	if got := strings.Join(words, " "); got != delegated {
		return fmt.Errorf("%s, want %s", got, delegated)
	}
	return nil
}

type azAppRole struct {
	ID, Value, DisplayName, Description string
	IsEnabled                           bool
	AllowedMemberTypes                  []string
}

func isAppRoles(text string) error {
	var roles []azAppRole
	if err := azDecode(text, &roles); err != nil {
		return err
	}
	for _, r := range roles {
		if err := isGUID(r.ID); err != nil {
			return err
		}
		if r.Value == "" || r.DisplayName == "" || r.Description == "" || !r.IsEnabled ||
			!slices.Equal(r.AllowedMemberTypes, []string{"User"}) {
			return fmt.Errorf("incomplete: %+v", r)
		}
	}
	return nil
}

// assignAppRole is the only request to Microsoft Graph that the stand-in knows.
// https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto
func assignAppRole(a azArguments) (any, error) {
	want := "https://graph.microsoft.com/v1.0/servicePrincipals/" + azEnterpriseApplication +
		"/appRoleAssignedTo"
	if a["url"] != want {
		return nil, fmt.Errorf("%s, want %s", a["url"], want)
	}
	var body struct{ PrincipalID, ResourceID, AppRoleID string }
	if err := azDecode(a["body"], &body); err != nil {
		return nil, err
	}
	role, known := azAppRoles[body.AppRoleID]
	if body.ResourceID != azEnterpriseApplication || !known {
		return nil, fmt.Errorf("not a role of this application: %+v", body)
	}
	found := false
	err := rig.Entra.Update(func(d *emulator.Directory) {
		for i, u := range d.Users {
			if u.ObjectID == body.PrincipalID {
				d.Users[i].AppRoles, found = append(slices.Clone(u.AppRoles), role), true
			}
		}
	})
	if !found {
		err = errors.Join(err, fmt.Errorf("there is no user %s", body.PrincipalID))
	}
	return map[string]any{"appRoleId": body.AppRoleID}, err
}
