// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"aadlogin/internal/config"
	"aadlogin/internal/signin"
)

// The tenant and the domains are typed by hand. A mistake in one of them turns everybody into a
// stranger, who is asked for a password that does not exist. So setup asks Entra ID about them
// before it writes.

// ofTheTenant refuses values that Entra ID contradicts, unless they are forced or in the file
// already. If Entra ID cannot be asked, it refuses nothing.
func (w *wanted) ofTheTenant(ctx context.Context, c *config.Config,
	written bool, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	wrong, hint, err := contradicted(ctx, c)
	switch {
	case err != nil:
		fmt.Fprintf(out,
			"Entra ID could not be asked whether the domains are the tenant's: %s\nOnce it can "+
				"be, aadctl check asks again.\n",
			printable(plain(err)))
	case wrong == "":
	case w.force || w.insisted || written:
		fmt.Fprintf(out, "Kept all the same: %s.\n", printable(wrong))
	default:
		return &failure{exitNo, "setup: " + wrong, "nothing was changed; " + hint}
	}
	return nil
}

// contradicted returns what Entra ID says if a value belongs to another tenant, or to none.
func contradicted(ctx context.Context, c *config.Config) (wrong, hint string, err error) {
	probe, err := signin.NewProbe(ctx, c)
	if err != nil {
		return "", "", err
	}
	authority, err := probe.OpenID(ctx)
	if err != nil {
		if tenant, none := probe.TenantOf(ctx, c.TenantID); none == nil && tenant == "" {
			return fmt.Sprintf("%s knows no tenant %s", authority, c.TenantID),
				"correct --tenant: az account show --query tenantId --output tsv; or --force " +
					"writes it", nil
		}
		return "", "", err
	}
	var all []string
	for _, domain := range c.Domains {
		tenant, unanswered := probe.TenantOf(ctx, domain)
		switch {
		case unanswered != nil:
			err = unanswered // which does not withdraw an objection that is known
		case tenant == "":
			all = append(all, fmt.Sprintf("%s is a domain of no tenant that %s knows", domain,
				authority))
			hint = "correct --domain, or add the domain to the tenant; or --force writes it"
		case !strings.EqualFold(tenant, c.TenantID):
			all = append(all, fmt.Sprintf("%s is a domain of tenant %s, not of %s",
				domain, tenant, c.TenantID))
			hint = "correct --domain or --tenant; for guests from there, --force writes it"
		}
	}
	if all != nil {
		err = nil
	}
	return strings.Join(all, "; "), hint, err
}
