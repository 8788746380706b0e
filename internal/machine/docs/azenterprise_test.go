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

// showEnterprise shows the service principal of the application, or of a managed identity by its
// client id.
func showEnterprise(a azArguments) (any, error) {
	id := ""
	err := rig.Entra.Update(func(d *emulator.Directory) {
		if a["id"] == d.ClientID && !d.Registration.NoServicePrincipal {
			id = azEnterpriseApplication
		}
		for _, identity := range d.Identities {
			if a["id"] == identity.ClientID {
				id = identity.ObjectID
			}
		}
	})
	if id == "" {
		err = errors.New("Resource does not exist or one of its queried reference-property " +
			"objects are not present.")
	}
	return map[string]any{"id": id, "appId": a["id"]}, err
}

func createEnterprise(a azArguments) (any, error) {
	if _, err := showEnterprise(a); err == nil {
		return nil, errors.New("The service principal cannot be created, updated, or restored " +
			"because the service principal name is already in use.")
	}
	err := registered(func(r *emulator.Registration) {
		r.NoServicePrincipal, r.ConsentRequired = false, true
	})
	return map[string]any{"id": azEnterpriseApplication, "appId": a["id"]}, err
}

// grantPermission replaces what the client was granted for the same resource, as the real command
// does.
func grantPermission(a azArguments) (any, error) {
	if _, err := showEnterprise(a); err != nil {
		return nil, err
	}
	names := strings.Fields(a["scope"])
	own := a["api"] != emulator.GraphApp
	var unknown []string
	err := registered(func(r *emulator.Registration) {
		r.AdminConsent = slices.DeleteFunc(r.AdminConsent,
			func(s string) bool { return strings.Contains(s, "/") == own })
		for _, name := range names {
			switch {
			case own && !slices.Contains(r.Scopes, name):
				unknown = append(unknown, name)
			case own:
				r.AdminConsent = append(r.AdminConsent, a["id"]+"/"+name)
			default:
				r.AdminConsent = append(r.AdminConsent, name)
			}
		}
	})
	if unknown != nil {
		err = fmt.Errorf("%q are no scopes of %s", unknown, a["api"])
	}
	return map[string]any{"consentType": "AllPrincipals", "scope": a["scope"]}, err
}
