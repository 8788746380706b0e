// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// browserFlow configures this machine to show the address of a page.
func browserFlow(t *testing.T, page string) {
	t.Helper()
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		return fmt.Appendf([]byte(s), "\n[sign_in]\nflow = \"browser\"\npage = %q\n", page)
	})
}

// shownAddress waits for the address of a prompt.
func shownAddress(c *rig.Terminal) string {
	c.T.Helper()
	return c.Expect(`\n(http://127\.0\.0\.1:\d+/\S*#c=\S+)\n`)[1]
}

// throughPage signs in by an address, and returns the text that the page copies.
func throughPage(c *rig.Chromium, address string) string {
	c.T.Helper()
	c.Open("about:blank")
	c.Open(address)
	c.Expect("Go on only if you started this sign-in")
	c.Click("#go")
	c.Heard(`heading "Sign in"`)
	c.SignIn()
	c.Expect(rig.ToPaste)
	c.Heard(`button "Copy the answer"`)
	c.Press(rig.KeyEnter)
	c.Expect("Copied the answer")
	return c.Clipboard()
}

// changed returns an address with another value in it, and the right check sum.
func changed(t *testing.T, address, key, value string) string {
	t.Helper()
	page, fragment, _ := strings.Cut(address, "#")
	q, err := url.ParseQuery(fragment)
	if err != nil || q.Get(key) == "" || q.Get(key) == value {
		t.Fatalf("%s in %s: %v", key, address, err)
	}
	q.Set(key, value)
	var all, pairs []string
	for _, k := range []string{"c", "u", "m", "o", "s", "p"} {
		all = append(all, q.Get(k))
		pairs = append(pairs, k+"="+url.QueryEscape(q.Get(k)))
	}
	sum := sha256.Sum256([]byte(strings.Join(all, "\n")))
	return page + "#" + strings.Join(pairs, "&") + "&z=" + hex.EncodeToString(sum[:4])
}

// A person signs in at ssh by pasting what they copied in a browser. If the page showed this
// machine's sign-in with the name of another machine or place, the paste is of no use.
func TestSignInWithPage(t *testing.T) {
	page := rig.WebHost(t, rig.ContosoPage(t))
	browserFlow(t, page)
	b := rig.NewChromium(t)
	b.MayPaste()

	c := rig.SSH(t, "user@contoso.example", "id -un")
	c.TypeLine(throughPage(b, shownAddress(c)))
	c.Expect(`\nuser@contoso\.example\n`)
	if status, _ := c.End(); status != 0 {
		t.Errorf("exit status %d", status)
	}

	c = rig.SSH(t, "user@contoso.example", "id -un")
	for key, value := range map[string]string{"m": "build-01", "o": "198.51.100.7"} {
		c.TypeLine(throughPage(b, changed(t, shownAddress(c), key, value)))
		c.Expect(`The answer does not belong to what this machine asked for`)
		c.TypeLine("") // Press ENTER.
	}
	c.Kill()
}
