// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"aadlogin/internal/devicecode"
	"aadlogin/internal/qr"
)

// promptText is what stands above the cursor while the person is in the browser. The last sentence is the preview's, word
// for word. Page and code are the server's and cleaned; the first line says which of several open windows this is, and is the
// first because OpenSSH's client puts "(user@host) " before it, which would shift a picture.
func (a *attempt) promptText(code *devicecode.Code) string {
	from := ""
	if host := clean(a.RemoteHost, 100); host != "" {
		from = ", from " + host
	}
	text := fmt.Sprintf("Signing in to %s as %s (%s%s).\n", clean(hostname(), 64), a.name.Account, clean(a.Service, 64), from)
	text += a.picture(code)
	if complete := clean(code.VerificationURIComplete, 400); complete != "" {
		text += fmt.Sprintf("Open %s and check that the page shows the code below, or:\n", complete)
	}
	return text + fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to authenticate. Press ENTER when ready.",
		clean(code.VerificationURI, 300), clean(code.UserCode, 40))
}

// picture stands above the sentence where the administrator wants it and the terminal has room.
func (a *attempt) picture(code *devicecode.Code) string {
	if !a.cfg.SignIn.QR {
		return ""
	}
	var text strings.Builder
	for _, line := range Picture(a.Columns, code.VerificationURIComplete, code.VerificationURI) {
		text.WriteString(line + "\n")
	}
	return text.String()
}

// Picture returns the lines of a QR code for a phone's camera: of the first of these pages that can be drawn so wide.
func Picture(columns int, pages ...string) []string {
	for _, page := range pages {
		if lines := qr.Draw(page); len(lines) > 0 && utf8.RuneCountInString(lines[0]) <= columns {
			return lines
		}
	}
	return nil
}

// Pages are the addresses in a prompt, the one with the code in it first, for a host that draws the picture itself. Prompts of
// other modules have none.
func Pages(prompt string) (pages []string) {
	for _, around := range [][2]string{
		{"\nOpen ", " and check that the page shows the code below, or:\n"},
		{"\nTo sign in, use a web browser to open the page ", " and enter the code "},
	} {
		_, after, begun := strings.Cut(prompt, around[0])
		if page, _, ended := strings.Cut(after, around[1]); begun && ended {
			pages = append(pages, page)
		}
	}
	return pages
}
