// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	_ "embed" // what is measured in a page
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/webpage.js
var webpageScript string

// measure runs one of the functions of testdata/webpage.js.
func (c *chromium) measure(function string, into any) {
	c.t.Helper()
	c.js(webpageScript+"\nreturn "+function, into)
}

// faults are what makes the page shown hard to use for somebody with a phone, without a mouse, or with weak eyes.
// https://www.w3.org/TR/WCAG22/
func (c *chromium) faults() (all []string) {
	c.t.Helper()
	for _, width := range []int{320, 375, 1280} {
		c.width(width)
		for _, scheme := range []string{"light", "dark"} {
			c.scheme(scheme)
			var found []string
			c.measure("contrast()", &found)
			if width == 320 {
				all = append(all, prefixed(scheme+": ", found)...)
			}
		}
		var found []string
		c.measure(fmt.Sprintf("fit(%d)", width), &found)
		all = append(all, prefixed(fmt.Sprintf("%d pixels wide: ", width), found)...)
	}
	c.scheme("light")
	c.width(375)
	return append(all, c.keyboard()...)
}

func prefixed(with string, all []string) []string {
	for i := range all {
		all[i] = with + all[i]
	}
	return all
}

// keyboard goes through the page with Tab and returns what is not reached in order, has no name or does not show its focus.
func (c *chromium) keyboard() (all []string) {
	c.t.Helper()
	var count int
	c.measure("number()", &count)
	for i := range count {
		c.press(keyTab)
		var at struct {
			Number int
			What   string
			Ring   string
		}
		c.measure("focus()", &at)
		if at.Number != i {
			return append(all, fmt.Sprintf("Tab %d of %d: on number %d, %s", i+1, count, at.Number, at.What))
		}
		if at.Ring != "" {
			all = append(all, at.What+": "+at.Ring)
		}
		if said := c.focused(); strings.HasSuffix(said, ` ""`) || strings.HasPrefix(said, "generic ") {
			all = append(all, fmt.Sprintf("%s: a screen reader says %s", at.What, said))
		}
	}
	return all
}

// usable fails the test for each fault.
func (c *chromium) usable() {
	c.t.Helper()
	for _, fault := range c.faults() {
		c.t.Error(fault)
	}
}

// What the tests of pages rely on: a page with a mistake of every kind is told from one that has none.
func TestFaultsOfPagesAreFound(t *testing.T) {
	const head = `<!doctype html><html lang="en"><title>x</title>` +
		`<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><style>:focus-visible{outline:2px solid #00f}</style>`
	c := newChromium(t)
	for _, test := range []struct{ page, fault string }{
		{head + `<p>Text. <a href="/x">Link</a> <label>Name <input autofocus></label> <button>Go</button>`, ""},
		{strings.Replace(head, "device-width", "980", 1), "laid out for 980"},
		{head + `<div style="width:400px">x</div>`, "wider than the window"},
		{strings.Replace(head, `lang="en"`, "", 1), "no language"},
		{strings.Replace(head, "x</title>", "</title>", 1), "no title"},
		{head + `<p style="color:#8a8a8a">grey`, "contrast"},
		{head + `<p style="background:#fff"><i style="background:rgb(0 0 0/60%)">x`, "contrast"},
		{head + `<style>::placeholder{color:#aaa}</style><input aria-label="Name" placeholder="Name">`, "contrast"},
		{head + `<style>@media (prefers-color-scheme: dark){body{background:#111}}</style><p>dark on dark`, "dark: contrast"},
		{head + `<input>`, "a screen reader says"},
		{head + `<button></button>`, "a screen reader says"},
		{head + `<button>a</button><button tabindex="1">b</button>`, "Tab 2 of 2"},
		{head + `<button>a</button><button tabindex="-1">b</button>`, "Tab 2 of 2"},
		{head + `<button style="outline:none">a</button>`, "no ring"},
		{head + `<button style="outline-color:#eee">a</button>`, "ring"},
	} {
		page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, test.page) }))
		c.open(page.URL)
		faults := c.faults()
		page.Close()
		found := slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, test.fault) })
		if test.fault == "" && len(faults) > 0 || test.fault != "" && !found {
			t.Errorf("%s: want %q, got %q", strings.TrimPrefix(test.page, head), test.fault, faults)
		}
	}
}

// The console and the network of a page are not read in vain.
func TestChromiumNoticesTrouble(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!doctype html><link rel="icon" href="data:,"><img src="http://192.0.2.1/x.png"><script>console.error("oh")</script>`)
	}))
	defer page.Close()
	c := newChromium(t)
	c.open(page.URL)
	got := strings.Join(c.troubles(), "\n")
	for _, want := range []string{`console: `, `"oh"`, `asks for http://192.0.2.1/x.png`} {
		if !strings.Contains(got, want) {
			t.Errorf("not noticed: %s; got:\n%s", want, got)
		}
	}
	c.said = nil // it was meant
}
