// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

const signedIn = "You have signed in to the Microsoft Azure Linux Virtual Machine Sign-In " +
	"application on your device."

// A person without a mouse goes through a whole sign-in: they read the code in one window and type
// it in the other, in lower case and with a blank.
func TestSignInWithChromium(t *testing.T) {
	c := rig.SSH(t, "admin@contoso.example")
	page, code := c.Prompted()
	b := rig.NewChromium(t)
	b.EnterCode(page, strings.ToLower(code[:4]+" "+code[4:]))
	b.Expect(code)
	b.ChooseAccount("Ada Admin admin@contoso.example")
	b.Expect(signedIn)
	b.Heard(`heading "Signed in"`)
	c.TypeLine("")
	c.Expect(`\$ `)
	c.TypeLine("id; exit")
	c.Expect(`uid=(\d+)\(admin@contoso\.example\) gid=(\d+)\(admin@contoso\.example\) groups=.*\(aad_admins\)\n`)
	if status, _ := c.End(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	b.EnterCode(page, code)
	b.Expect("This code has been used already. Start again on your device to get a new one.")
}

// In the three attempts of a connection, the browser ends each code in another way, and ssh says
// how.
func TestRefusedWithChromium(t *testing.T) {
	b := rig.NewChromium(t)
	c := rig.SSH(t, "user@contoso.example")

	page, code := c.Prompted()
	b.EnterCode(page, code)
	b.Expect(code)
	b.TabTo(`button "Decline"`)
	b.Press(rig.KeyEnter)
	b.Expect("You declined. Nobody is signed in on your device.")
	b.Heard(`heading "Sign-in declined"`)
	c.TypeLine("")
	c.Expect(`The sign-in was declined in the browser\.`)

	page, code = c.Prompted()
	b.EnterCode(page, code)
	b.ChooseAccount("Ada Admin admin@contoso.example")
	b.Expect(signedIn)
	c.TypeLine("")
	c.Expect(`This sign-in is for user@contoso\.example, but admin@contoso\.example signed in with the browser\.`)

	page, code = c.Prompted()
	if err := rig.Entra.Expire(code); err != nil {
		t.Fatal(err)
	}
	b.EnterCode(page, code)
	b.Expect("This code has expired. Start again on your device to get a new one.")
	c.TypeLine("")
	c.Expect(`not finished in the browser in time`)
	status, rest := c.End()
	if status != 255 || regexp.MustCompile(`To sign in|assword`).MatchString(rest) {
		t.Errorf("exit status %d, said %q", status, rest)
	}
}

// Every state of the page can be used on a phone, without a mouse, and with weak eyes.
func TestDevicePageCanBeUsed(t *testing.T) {
	c := rig.SSH(t, "user@contoso.example")
	page, code := c.Prompted()
	b := rig.NewChromium(t)

	b.Open(page)
	b.Expect("Demonstration: not a page of Microsoft’s, but of the emulator of aad-login")
	b.Heard(`textbox "Code"`)
	b.Usable()

	b.EnterCode(page, "nonsense")
	b.Expect("That code is not known.")
	b.Heard(`textbox "Code"`)
	described(b, "That code is not known. Check it on your device and enter it again.")
	b.Usable()

	b.Open(page + "?code=" + code) // verification_uri_complete
	b.Expect("Go on only if your device shows this very code.")
	b.Heard(`textbox "Code"`)
	b.Usable()
	b.Click("form button")

	b.Expect(code)
	b.Usable()
	b.Click("#account")
	b.Press("nobody@contoso.example" + rig.KeyEnter)
	b.Expect("There is no account “nobody@contoso.example” in this directory. Check the spelling.")
	b.Heard(`textbox "Another account"`)
	described(b,
		"There is no account “nobody@contoso.example” in this directory. Check the spelling.")
	b.Usable()

	b.Click("button[value='user@contoso.example']")
	b.Expect(signedIn)
	b.Usable()
	c.TypeLine("")
	c.Expect(`\$ `)

	c = rig.SSH(t, "user@contoso.example")
	page, code = c.Prompted()
	b.Open(page + "?code=" + code)
	b.Click("form button")
	b.Expect(code)
	b.Click("button[name=decline]")
	b.Expect("You declined.")
	b.Usable()
}

// described fails unless the focused field is marked as wrong, with the reason.
func described(c *rig.Chromium, want string) {
	c.T.Helper()
	var got struct {
		Invalid string
		Said    string
	}
	c.JS(`const e = document.activeElement;
		return {Invalid: e.ariaInvalid, Said: document.getElementById(e.getAttribute("aria-describedby"))?.innerText}`, &got)
	if got.Invalid != "true" || got.Said != want {
		c.T.Errorf("the field is described as %+v, want %q", got, want)
	}
}
