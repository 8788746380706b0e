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

// ready is the end of the preview's sentence.
const ready = "Press ENTER when ready."

// ask shows the code and waits for ENTER. Behind sudo the code is a message, because "sudo -p" and
// the like replace our prompt. It is an error message: sudo -S writes others to standard output,
// which may be a file. sudo-rs (0.2.5 to 0.2.15) keeps prompts of modules. In sshd the code is
// asked for again if ENTER came first, because the client gives up after a while without a word
// from the server.
func (a *attempt) ask(code *devicecode.Code) {
	text := a.promptText(code)
	if a.Program == "sudo" {
		a.conv.Tell(strings.TrimSuffix(text, " "+ready))
		a.conv.Prompt(ready + " ")
		return
	}
	if a.inSSHD() {
		a.conv.Again(a.askAgain(code))
	}
	a.conv.Prompt(text)
}

func (a *attempt) askAgain(code *devicecode.Code) string {
	return fmt.Sprintf("Still waiting for the browser. \n%s", a.sentence(code))
}

// promptText returns what stands above the cursor while the person is in the browser.
func (a *attempt) promptText(code *devicecode.Code) string {
	return a.before() + a.greeting() + a.picture(code) + a.sentence(code)
}

// greeting says which of several open windows this is. It is the first line because OpenSSH's
// client puts "(user@host) " before it, which would shift a picture. Each line ends in a blank, for
// clients that drop the line break.
func (a *attempt) greeting() string {
	from := ""
	if host := clean(a.RemoteHost, 100); host != "" {
		from = ", from " + host
	}
	return fmt.Sprintf("Signing in to %s as %s (%s%s). \n",
		clean(hostname(), 64), a.name.Account, clean(a.Service, 64), from)
}

// sentence has the page and the code, which are the server's and cleaned. Its last line is the
// preview's, word for word.
func (a *attempt) sentence(code *devicecode.Code) (text string) {
	if complete := clean(code.VerificationURIComplete, 400); complete != "" {
		text = whole("Open ", complete) +
			fmt.Sprintf("Open %s and check that the page shows the code below, or: \n", complete)
	}
	page := clean(code.VerificationURI, 300)
	return text + whole("To sign in, use a web browser to open the page ", page) +
		fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to "+
			"authenticate. %s", page, clean(code.UserCode, 40), ready)
}

// narrowest is where PuTTY, plink and psftp break a line, in the middle of a word and whatever the
// window's width.
const narrowest = 77

// whole returns a line with the address alone if the line that follows would break inside it.
func whole(before, address string) string {
	if utf8.RuneCountInString(before+address) <= narrowest {
		return ""
	}
	return address + " \n"
}

// picture is shown above the sentence if the administrator wants it and the terminal has room.
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

// Picture returns the lines of a QR code for a phone's camera: of the first of these pages that can
// be drawn so wide.
func Picture(columns int, pages ...string) []string {
	for _, page := range pages {
		if lines := qr.Draw(page); len(lines) > 0 && utf8.RuneCountInString(lines[0]) <= columns {
			return lines
		}
	}
	return nil
}

// Pages are the addresses in a prompt, the one with the code in it first, for a host that draws the
// picture itself. Prompts of other modules have none.
func Pages(prompt string) (pages []string) {
	for _, around := range [][2]string{
		{"\nOpen ", " and check that the page shows the code below, or:"},
		{"\nTo sign in, use a web browser to open the page ", " and enter the code "},
	} {
		_, after, begun := strings.Cut(prompt, around[0])
		if page, _, ended := strings.Cut(after, around[1]); begun && ended {
			pages = append(pages, page)
		}
	}
	return pages
}
