// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"crypto/sha256"
	"fmt"

	"aadlogin/internal/config"
)

// ConfigDigest returns a digest of the settings that say which authority and which source are
// asked, about which people and about which machine. Grants and windows hold only under the digest
// that they were stored with: after a change of these settings, everybody is asked about anew.
//
// The scope is part of it because Conditional Access goes by the scope: a sign-in that no policy
// for this application saw must not stand in for one that such a policy would have judged. Without
// a scope, the digest is the one of versions that knew no scope.
func ConfigDigest(c *config.Config) string {
	z := c.Authorization
	said := fmt.Appendf(nil, "%q %q %q %t %q %q %q %q %q",
		c.TenantID, c.ClientID, c.Domains, c.ShortNames, c.Cloud, c.Endpoints, z.Source,
		z.ResourceID, z.ManagedIdentity)
	if c.SignIn.Scope != "" {
		said = fmt.Appendf(said, " %q", c.SignIn.Scope)
	}
	return fmt.Sprintf("%x", sha256.Sum256(said))
}
