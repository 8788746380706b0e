// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Chromium is Debian's Chromium without a window, used by keyboard. The tests speak WebDriver
// (https://www.w3.org/TR/webdriver2/) to its chromedriver. A dozen requests of that standard
// suffice, and it also tells the name that a screen reader says. A library would bring one
// browser's whole protocol. When the test ends, the console must be free of errors, and every
// requested address must be this machine's.
type Chromium struct {
	T       testing.TB
	Session string // the session's URL
	Said    []Entry
	Firefox bool // it is not Chromium
}

// Entry is a line of Chromium's log, about the console or the network.
type Entry struct {
	Level   string `json:"level"`
	Message string `json:"message"`
	network bool
}

// These are keys without a character (WebDriver, Section 17.4.2).
const (
	KeyTab   = "\uE004"
	KeyEnter = "\uE007"
	KeyEnd   = "\uE010"
)

// Browsing is the Chromium that all tests share, because its start takes as long as a test.
var Browsing struct {
	session string
	Dir     string // its user's data
	driver  *exec.Cmd
}

// NewChromium returns Chromium with the width of a phone, on an empty page. The first call starts
// it.
func NewChromium(t testing.TB) *Chromium {
	t.Helper()
	c := &Chromium{T: t}
	if Browsing.session == "" {
		c.start()
	}
	c.Session = Browsing.session
	// This leaves the page of an earlier test, or fills a new tab, and waits for loads to end.
	c.Open("about:blank")
	c.Log()
	c.Said = nil
	c.Width(375)
	c.scheme("light")
	t.Cleanup(func() {
		for _, trouble := range c.troubles() {
			t.Error(trouble)
		}
	})
	return c
}

func (c *Chromium) start() {
	c.T.Helper()
	var err error
	if Browsing.Dir, err = os.MkdirTemp("", "chromium"); err != nil {
		c.T.Fatal(err)
	}
	driver := startChromedriver(c.T)
	var answer struct {
		ID string `json:"sessionId"`
	}
	args := []string{
		"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
		"disable-background-networking", "disable-component-update", "disable-sync",
		"hide-scrollbars", "user-data-dir=" + Browsing.Dir,
	}
	wanted := map[string]any{
		"browserName":         "chrome",
		"acceptInsecureCerts": true, // the emulator's, which no browser knows
		"goog:chromeOptions":  map[string]any{"binary": "/usr/bin/chromium", "args": args},
		"goog:loggingPrefs":   map[string]string{"browser": "ALL", "performance": "ALL"},
	}
	capabilities := map[string]any{"capabilities": map[string]any{"alwaysMatch": wanted}}
	c.Do("POST", driver+"/session", capabilities, &answer)
	Browsing.session = driver + "/session/" + answer.ID
}

// stopChromium stops Chromium after all tests.
func stopChromium() {
	if Browsing.driver == nil {
		return
	}
	if r, err := http.NewRequest("DELETE", Browsing.session, nil); err == nil {
		http.DefaultClient.Do(r) // answered when its processes have ended
	}
	Browsing.driver.Process.Kill()
	Browsing.driver.Wait()
	os.RemoveAll(Browsing.Dir)
}

// devtools sends a command of Chromium's own protocol, because WebDriver does not know phones.
func (c *Chromium) devtools(command string, params map[string]any) {
	c.T.Helper()
	if c.Firefox {
		c.T.Fatalf("firefox knows no %s", command)
	}
	body := map[string]any{"cmd": command, "params": params}
	c.Do("POST", c.Session+"/goog/cdp/execute", body, nil)
}

// Width sets the width of the screen in CSS pixels.
func (c *Chromium) Width(pixels int) {
	c.T.Helper()
	c.devtools("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": pixels, "height": 720, "deviceScaleFactor": 2, "mobile": pixels < 600})
}

// scheme sets the person's preferred scheme: "light" or "dark".
func (c *Chromium) scheme(name string) {
	c.T.Helper()
	c.devtools("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": name}}})
}

// Open goes to a page and waits until it has loaded.
func (c *Chromium) Open(url string) {
	c.T.Helper()
	c.Do("POST", c.Session+"/url", map[string]string{"url": url}, nil)
}

// Press presses one key after the other, wherever the focus is.
func (c *Chromium) Press(keys string) {
	c.T.Helper()
	var actions []map[string]string
	for _, key := range keys {
		actions = append(actions, map[string]string{"type": "keyDown", "value": string(key)},
			map[string]string{"type": "keyUp", "value": string(key)})
	}
	c.Do("POST", c.Session+"/actions", map[string]any{"actions": []any{
		map[string]any{"type": "key", "id": "keyboard", "actions": actions}}}, nil)
}

// element is WebDriver's reference to an element of the page.
type element map[string]string

func (e element) path() string { return "/element/" + e["element-6066-11e4-a52e-4f735466cecf"] }

// Click clicks with the mouse.
func (c *Chromium) Click(selector string) {
	c.T.Helper()
	var e element
	c.Do("POST", c.Session+"/element",
		map[string]string{"using": "css selector", "value": selector}, &e)
	c.Do("POST", c.Session+e.path()+"/click", struct{}{}, nil)
}

// focused returns the focused element as a screen reader says it: role and accessible name, as in
// `button "Next"`. It returns "" between two pages.
func (c *Chromium) focused() string {
	c.T.Helper()
	var e element
	var role, name string
	err := c.try("GET", c.Session+"/element/active", nil, &e)
	if err == nil {
		err = c.try("GET", c.Session+e.path()+"/computedrole", nil, &role)
	}
	if err == nil {
		err = c.try("GET", c.Session+e.path()+"/computedlabel", nil, &name)
	}
	var no failure
	switch {
	case errors.As(err, &no) &&
		(no.Err == "stale element reference" || no.Err == "no such element"):
		return ""
	case err != nil:
		c.T.Fatal(err)
	}
	return fmt.Sprintf("%s %q", role, name)
}

// JS runs a script in the page, and stores the result in into.
func (c *Chromium) JS(script string, into any) {
	c.T.Helper()
	c.Do("POST", c.Session+"/execute/sync", map[string]any{"script": script, "args": []any{}}, into)
}

// Text returns the visible text of the page when the page is complete.
func (c *Chromium) Text() (text string) {
	c.T.Helper()
	c.JS(`return document.readyState === "complete" ? document.body.innerText : ""`, &text)
	return text
}

// Expect waits until the page has this text.
func (c *Chromium) Expect(sentence string) {
	c.T.Helper()
	var said string
	c.T.Cleanup(func() {
		if c.T.Failed() && !strings.Contains(said, sentence) {
			c.T.Logf("instead of %q the page says:\n%s", sentence, said)
		}
	})
	Eventually(c.T, fmt.Sprintf("the page says %q", sentence), Patience, func() bool {
		said = c.Text()
		return strings.Contains(said, sentence)
	})
}

// Screenshot returns a picture of the page as PNG.
func (c *Chromium) Screenshot() []byte {
	c.T.Helper()
	var text string
	c.Do("GET", c.Session+"/screenshot", nil, &text)
	picture, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		c.T.Fatal(err)
	}
	return picture
}

// TabTo presses Tab until a screen reader would say this.
func (c *Chromium) TabTo(what string) {
	c.T.Helper()
	var passed []string
	for range 20 {
		c.Press(KeyTab)
		said := c.focused()
		if said == what {
			return
		}
		passed = append(passed, said)
	}
	c.T.Fatalf("Tab never comes to %s, only to %q", what, passed)
}

// Tab switches to a tab.
func (c *Chromium) Tab(handle string) {
	c.T.Helper()
	c.Do("POST", c.Session+"/window", map[string]string{"handle": handle}, nil)
}

// NewTab opens a tab and returns its handle.
func (c *Chromium) NewTab() (handle string) {
	c.T.Helper()
	var tab struct{ Handle string }
	c.Do("POST", c.Session+"/window/new", map[string]string{"type": "tab"}, &tab)
	c.Tab(tab.Handle)
	return tab.Handle
}
