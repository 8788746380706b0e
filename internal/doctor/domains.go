// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"strings"
)

// domains finds a misspelled domain in the configuration. With one, people of the tenant are
// strangers to this machine, and are asked for a password that they do not have. A domain of
// another tenant is right for guests only.
func (r remote) domains(ctx context.Context) (findings []Finding) {
	own := 0
	for _, domain := range r.Config.Domains {
		tenant, err := r.probe.TenantOf(ctx, domain)
		switch {
		case err != nil:
			return []Finding{warning("whose " + domain + " is could not be asked: " + plain(err)).
				fix("try again")}
		case strings.EqualFold(tenant, r.Config.TenantID):
			own++
		case tenant == "":
			findings = append(findings, warningf("Entra ID knows no tenant that has the domain %s",
				domain))
		default:
			findings = append(findings,
				warningf("%s is a domain of tenant %s: nobody but guests can come from there",
					domain, tenant))
		}
	}
	const correct = "if that is a slip, correct domains in the configuration, and run: aadctl " +
		"config apply"
	for i := range findings {
		findings[i].Fix = correct
		if own == 0 {
			findings[i].Status, findings[i].Kind = Failed, Configuration
		}
	}
	if findings == nil {
		return []Finding{ok("Entra ID says that the domains are the tenant's")}
	}
	return findings
}
