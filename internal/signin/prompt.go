// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"

	"aadlogin/internal/devicecode"
)

// promptText is what stands above the cursor while the person is in the browser. The second sentence is the preview's, word
// for word. Page and code are the server's and cleaned; the first line says which of several open windows this is.
func (a *attempt) promptText(code *devicecode.Code) string {
	from := ""
	if host := clean(a.RemoteHost, 100); host != "" {
		from = ", from " + host
	}
	text := fmt.Sprintf("Signing in to %s as %s (%s%s).\n", clean(hostname(), 64), a.name.Account, clean(a.Service, 64), from)
	if complete := clean(code.VerificationURIComplete, 400); complete != "" {
		text += fmt.Sprintf("Open %s and check that the page shows the code below, or:\n", complete)
	}
	return text + fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to authenticate. Press ENTER when ready.",
		clean(code.VerificationURI, 300), clean(code.UserCode, 40))
}
