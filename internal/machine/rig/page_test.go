// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// The tests of pages rely on this: a page with a mistake of every kind is told apart from a page
// without any.
func TestFaultsOfPagesAreFound(t *testing.T) {
	const head = `<!doctype html><html lang="en"><title>x</title>` +
		`<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><style>:focus-visible{outline:2px solid #00f}</style>`
	c := NewChromium(t)
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
		page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, test.page)
		}))
		c.Open(page.URL)
		faults := c.faults()
		page.Close()
		found := slices.ContainsFunc(faults, func(f string) bool {
			return strings.Contains(f, test.fault)
		})
		if test.fault == "" && len(faults) > 0 || test.fault != "" && !found {
			t.Errorf("%s: want %q, got %q", strings.TrimPrefix(test.page, head), test.fault, faults)
		}
	}
}

// Errors on the console and requests to the network of a page are noticed.
func TestChromiumNoticesTrouble(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w,
			`<!doctype html><link rel="icon" href="data:,"><img src="http://192.0.2.1/x.png"><script>console.error("oh")</script>`)
	}))
	defer page.Close()
	c := NewChromium(t)
	c.Open(page.URL)
	got := strings.Join(c.troubles(), "\n")
	for _, want := range []string{`console: `, `"oh"`, `asks for http://192.0.2.1/x.png`} {
		if !strings.Contains(got, want) {
			t.Errorf("not noticed: %s; got:\n%s", want, got)
		}
	}
	c.Said = nil // it was meant
}
