// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"aadlogin/internal/config"
)

// Lines that register the address of the sign-in page. Each platform's addresses are a list that
// Microsoft Graph takes whole, so it is read, added to and written back, as for the scopes. The
// platform decides who may redeem a code that comes to the address: the page itself, on that of
// single-page applications; this machine without a secret, on that of public clients. An address
// that is registered on another platform stays there: Entra ID takes none on two ("Redirect URIs
// must have distinct values", MicrosoftDocs/azure-docs issue 89929), and what it was registered for
// there is for its owner to know.
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

// A platform is where an application's redirect addresses are registered.
type platform struct {
	member string   // of Microsoft Graph's application
	portal string   // its name there
	others []string // on which the same address may not be
}

var (
	singlePage = platform{"spa", "Single-page application", []string{"web.redirectUris",
		"publicClient.redirectUris"}}
	publicClient = platform{"publicClient", "Mobile and desktop applications",
		[]string{"web.redirectUris", "spa.redirectUris"}}
)

// platformFor is where the page's address belongs, by who redeems the code.
func platformFor(c *config.Config) platform {
	if c.SignIn.Answer == config.CodeAnswer {
		return publicClient
	}
	return singlePage
}

// addressLines register the page, if there is one. What an address may hold (config) ends no
// quotes.
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
