// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"bytes"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// The page does nothing inside another page. A page with another script does nothing at all.
func TestSignInPageTampered(t *testing.T) { tampered(t, rig.NewChromium(t)) }

func tampered(t *testing.T, c *rig.Chromium) {
	good := rig.ContosoPage(t)
	page := rig.WebHost(t, good)
	a := atPrompt(page+"index.html", nil)
	c.Open(page + "around")
	c.JS(`const f = document.getElementById("inner"); return new Promise(done => { f.onload = () => done(1); f.src = "`+strings.Replace(a.Address(), "/index.html", "/index.html?inside", 1)+`" })`, nil)
	c.Do("POST", c.Session+"/frame", map[string]any{"id": 0}, nil)
	c.Expect("This page does not work inside another page.")
	var visible bool
	if c.JS(`return document.getElementById("go").checkVisibility()`, &visible); visible {
		t.Error("a button to be pressed unseen")
	}
	c.Do("POST", c.Session+"/frame", map[string]any{"id": nil}, nil)

	const mine = `const lifetime = 10`
	for name, change := range map[string]func([]byte) []byte{
		"another script": func(p []byte) []byte {
			return bytes.Replace(p, []byte(mine), []byte(mine+"0"), 1)
		},
		"one more": func(p []byte) []byte {
			return bytes.Replace(p, []byte("</main>"),
				[]byte("</main><script>document.title='run'</script>"), 1)
		},
		"from elsewhere": func(p []byte) []byte {
			return bytes.Replace(p, []byte("</main>"),
				[]byte("</main><script src='"+page+"around'></script>"), 1)
		},
		"an attribute": func(p []byte) []byte {
			return bytes.Replace(p, []byte("<main>"),
				[]byte("<main tabindex=0 autofocus onfocus=\"document.title='run'\">"), 1)
		},
	} {
		bad := change(good)
		if bytes.Equal(bad, good) {
			t.Fatalf("%s: the same", name)
		}
		a := atPrompt(rig.WebHost(t, bad), nil)
		c.Open(a.Address())
		if name == "another script" {
			c.Expect("If this stays here, the script of this page does not run")
		} else {
			c.Expect("Sign in to web-07?") // the page itself works, and the addition does not
		}
		if !c.Firefox {
			rig.Eventually(t, name+" is refused", rig.Patience, func() bool {
				return strings.Contains(strings.Join(c.Console(), "\n"), "Content Security Policy")
			})
		}
		var title string
		if c.JS(`return document.title`, &title); title == "run" {
			t.Errorf("%s: has run", name)
		}
		meant(c)
	}

	// Not even the right script reaches another host.
	c.Open(atPrompt(page, nil).Address())
	var err string
	c.JS(`return fetch("`+page+`").then(() => "reached", e => String(e))`, &err)
	if err == "reached" {
		t.Error("the page reaches its own host, and could others")
	}
	meant(c)
}
