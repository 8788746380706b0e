// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"regexp"
	"strings"
	"testing"
)

// tabTo presses Tab until a screen reader would say this.
func (c *chromium) tabTo(what string) {
	c.t.Helper()
	var passed []string
	for range 20 {
		c.press(keyTab)
		said := c.focused()
		if said == what {
			return
		}
		passed = append(passed, said)
	}
	c.t.Fatalf("Tab never comes to %s, only to %q", what, passed)
}

// heard waits until the focus is on what a screen reader calls this: a page takes it there after it has loaded.
func (c *chromium) heard(what string) {
	c.t.Helper()
	eventually(c.t, "the focus on "+what, patience, func() bool { return c.focused() == what })
}

// enterCode goes to the device page with a code, by keyboard.
func (c *chromium) enterCode(page, code string) {
	c.t.Helper()
	c.open(page)
	c.heard(`textbox "Code"`)
	c.press(code + keyEnter)
}

// chooseAccount does so on the page that follows.
func (c *chromium) chooseAccount(name string) {
	c.t.Helper()
	c.expect("on the device that shows the code")
	c.heard(`heading "Sign in"`)
	c.tabTo(`button "` + name + `"`)
	c.press(keyEnter)
}

const signedIn = "You have signed in to the Microsoft Azure Linux Virtual Machine Sign-In application on your device."

// The whole of a sign-in as a person without a mouse goes through it: the code is read in one window and typed in the other,
// in small letters with a blank between.
func TestSignInWithChromium(t *testing.T) {
	c := ssh(t, "admin@contoso.example")
	page, code := c.prompted()
	b := newChromium(t)
	b.enterCode(page, strings.ToLower(code[:4]+" "+code[4:]))
	b.expect(code)
	b.chooseAccount("Ada Admin admin@contoso.example")
	b.expect(signedIn)
	b.heard(`heading "Signed in"`)
	c.typeLine("")
	c.expect(`\$ `)
	c.typeLine("id; exit")
	c.expect(`uid=(\d+)\(admin@contoso\.example\) gid=(\d+)\(admin@contoso\.example\) groups=.*\(aad_admins\)\n`)
	if status, _ := c.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	b.enterCode(page, code)
	b.expect("This code has been used already. Start again on your device to get a new one.")
}

// What else can become of a code in the browser, and what ssh says to it, in the three attempts of a connection.
func TestRefusedWithChromium(t *testing.T) {
	b := newChromium(t)
	c := ssh(t, "user@contoso.example")

	page, code := c.prompted()
	b.enterCode(page, code)
	b.expect(code)
	b.tabTo(`button "Decline"`)
	b.press(keyEnter)
	b.expect("You declined. Nobody is signed in on your device.")
	b.heard(`heading "Sign-in declined"`)
	c.typeLine("")
	c.expect(`The sign-in was declined in the browser\.`)

	page, code = c.prompted()
	b.enterCode(page, code)
	b.chooseAccount("Ada Admin admin@contoso.example")
	b.expect(signedIn)
	c.typeLine("")
	c.expect(`This sign-in is for user@contoso\.example, but admin@contoso\.example signed in with the browser\.`)

	page, code = c.prompted()
	if err := entra.Expire(code); err != nil {
		t.Fatal(err)
	}
	b.enterCode(page, code)
	b.expect("This code has expired. Start again on your device to get a new one.")
	c.typeLine("")
	c.expect(`not finished in the browser in time`)
	if status, rest := c.end(); status != 255 || regexp.MustCompile(`To sign in|assword`).MatchString(rest) {
		t.Errorf("exit status %d, said %q", status, rest)
	}
}

// Every state of the page can be used on a phone, without a mouse, and with weak eyes.
func TestDevicePageCanBeUsed(t *testing.T) {
	c := ssh(t, "user@contoso.example")
	page, code := c.prompted()
	b := newChromium(t)

	b.open(page)
	b.expect("Demonstration: not a page of Microsoft’s, but of the emulator of aad-login")
	b.heard(`textbox "Code"`)
	b.usable()

	b.enterCode(page, "nonsense")
	b.expect("That code is not known.")
	b.heard(`textbox "Code"`)
	b.described("That code is not known. Check it on your device and enter it again.")
	b.usable()

	b.open(page + "?code=" + code) // verification_uri_complete
	b.expect("Go on only if your device shows this very code.")
	b.heard(`textbox "Code"`)
	b.usable()
	b.click("form button")

	b.expect(code)
	b.usable()
	b.click("#account")
	b.press("nobody@contoso.example" + keyEnter)
	b.expect("There is no account “nobody@contoso.example” in this directory. Check the spelling.")
	b.heard(`textbox "Another account"`)
	b.described("There is no account “nobody@contoso.example” in this directory. Check the spelling.")
	b.usable()

	b.click("button[value='user@contoso.example']")
	b.expect(signedIn)
	b.usable()
	c.typeLine("")
	c.expect(`\$ `)

	c = ssh(t, "user@contoso.example")
	page, code = c.prompted()
	b.open(page + "?code=" + code)
	b.click("form button")
	b.expect(code)
	b.click("button[name=decline]")
	b.expect("You declined.")
	b.usable()
}

// described fails unless the field with the focus is marked as wrong, and this is said with it.
func (c *chromium) described(want string) {
	c.t.Helper()
	var got struct {
		Invalid string
		Said    string
	}
	c.js(`const e = document.activeElement;
		return {Invalid: e.ariaInvalid, Said: document.getElementById(e.getAttribute("aria-describedby"))?.innerText}`, &got)
	if got.Invalid != "true" || got.Said != want {
		c.t.Errorf("the field is described as %+v, want %q", got, want)
	}
}
