// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Log returns all that Chromium has logged so far. Chromium reports every line once.
func (c *Chromium) Log() []Entry {
	c.T.Helper()
	if c.Firefox { // tells nobody
		return nil
	}
	for _, kind := range []string{"browser", "performance"} {
		var more []Entry
		c.Do("POST", c.Session+"/se/log", map[string]string{"type": kind}, &more)
		for i := range more {
			more[i].network = kind == "performance"
		}
		c.Said = append(c.Said, more...)
	}
	return c.Said
}

// Chromium logs an error when a form comes back with a message about its fields.
const formCameBack = "Failed to load resource: " +
	"the server responded with a status of 400 (Bad Request)"

// Console returns the warnings and errors of the console.
func (c *Chromium) Console() (lines []string) {
	c.T.Helper()
	for _, e := range c.Log() {
		if !e.network && (e.Level == "SEVERE" || e.Level == "WARNING") &&
			!strings.HasSuffix(e.Message, formCameBack) {
			lines = append(lines, e.Message)
		}
	}
	return lines
}

// Requests returns the addresses that pages have requested.
func (c *Chromium) Requests() (urls []string) {
	c.T.Helper()
	for _, e := range c.Log() {
		var event struct {
			Message struct {
				Method string
				Params struct{ Request struct{ URL string } }
			}
		}
		if !e.network {
			continue
		}
		if err := json.Unmarshal([]byte(e.Message), &event); err != nil {
			c.T.Fatalf("chromium: log: %v", err)
		}
		if event.Message.Method == "Network.requestWillBeSent" {
			urls = append(urls, event.Message.Params.Request.URL)
		}
	}
	return urls
}

// ownAddress matches the addresses that a page may request here: this machine, a file of it, or
// data inside the page or the browser.
var ownAddress = regexp.MustCompile(`^(https?://127\.0\.0\.1[:/]|file:///|data:|chrome:)`)

// troubles returns errors on the console and requests that leave the machine.
func (c *Chromium) troubles() (all []string) {
	c.T.Helper()
	for _, line := range c.Console() {
		all = append(all, "chromium: console: "+line)
	}
	for _, url := range c.Requests() {
		if !ownAddress.MatchString(url) {
			all = append(all, "chromium: asks for "+url)
		}
	}
	return all
}
