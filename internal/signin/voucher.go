// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"crypto/sha256"
	"fmt"

	"aadlogin/internal/config"
)

// Voucher is a digest of what the configuration says of who is asked, about whom and about what. Grants and windows are good
// under the one that they were given under: after a change there, everybody is asked about anew.
//
// The scope is part of it because Conditional Access goes by it: a sign-in that no policy for this application saw must not
// stand in for one that such a policy would have judged. Without a scope, the digest is that of versions that knew none.
func Voucher(c *config.Config) string {
	z := c.Authorization
	said := fmt.Appendf(nil, "%q %q %q %t %q %q %q %q %q",
		c.TenantID, c.ClientID, c.Domains, c.ShortNames, c.Cloud, c.Endpoints, z.Source, z.ResourceID, z.ManagedIdentity)
	if c.SignIn.Scope != "" {
		said = fmt.Appendf(said, " %q", c.SignIn.Scope)
	}
	return fmt.Sprintf("%x", sha256.Sum256(said))
}
