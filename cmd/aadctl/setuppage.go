// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"aadlogin/internal/config"
)

// These commands register the address of the sign-in page. Microsoft Graph takes the list of a
// platform's addresses as a whole, so a command reads it, adds the address and writes it back, as
// for the scopes. The platform decides who may redeem a code that comes to the address. On the
// platform for single-page applications that is the page itself. On the one for public clients it
// is this machine, without a secret. An address that is registered on another platform stays there.
// Entra ID accepts no address on two platforms ("Redirect URIs must have distinct values",
// MicrosoftDocs/azure-docs issue 89929), and only its owner knows its purpose.
//
// https://learn.microsoft.com/graph/api/resources/spaapplication
// https://learn.microsoft.com/graph/api/resources/publicclientapplication
const (
	addressesOf = `%s.redirectUris[]`

	oneAddressMore = `{%[1]s: {redirectUris: [%[1]s.redirectUris || ` +
		"`[]`, `[\"%[2]s\"]`" + `][]}}`

	unlessElsewhere = `if az ad app show --id %[1]s --query '[%[2]s][]' --output tsv | grep -qxF '%[3]s'; then ` +
		`echo '%[3]s is registered on another platform of this application: remove it there, or give the page another address' >&2; false; ` +
		`else %[4]s; fi`
)

// A platform is the part of a registration that holds redirect addresses of one kind.
type platform struct {
	member string   // in Microsoft Graph's application
	portal string   // its name in the portal
	others []string // platforms on which the same address is not allowed
}

var (
	singlePage = platform{"spa", "Single-page application", []string{"web.redirectUris",
		"publicClient.redirectUris"}}
	publicClient = platform{"publicClient", "Mobile and desktop applications",
		[]string{"web.redirectUris", "spa.redirectUris"}}
)

// platformFor returns the platform for the page's address. It depends on who redeems the code.
func platformFor(c *config.Config) platform {
	if c.SignIn.Answer == config.CodeAnswer {
		return publicClient
	}
	return singlePage
}

// addressLines returns the commands that register the page, if there is one. The characters that
// config allows in an address cannot end the quotes.
func addressLines(c *config.Config) []string {
	page, p := c.SignIn.Page, platformFor(c)
	if page == "" {
		return nil
	}
	add := fmt.Sprintf(has, c.ClientID, fmt.Sprintf(addressesOf, p.member), page) +
		fmt.Sprintf(patchApplication, c.ClientID, fmt.Sprintf(oneAddressMore, p.member, page))
	return []string{
		"# The address of the sign-in page, as one of the platform \"" + p.portal + "\"",
		fmt.Sprintf(unlessElsewhere, c.ClientID, p.others[0]+", "+p.others[1], page, add),
	}
}
