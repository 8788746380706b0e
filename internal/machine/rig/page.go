// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed testdata/webpage.js
var webpageScript string

// measure runs one of the functions of testdata/webpage.js.
func (c *Chromium) measure(function string, into any) {
	c.T.Helper()
	c.JS(webpageScript+"\nreturn "+function, into)
}

// faults returns what makes the page hard to use with a phone, without a mouse, or with weak eyes.
// https://www.w3.org/TR/WCAG22/
func (c *Chromium) faults() (all []string) {
	c.T.Helper()
	for _, width := range []int{320, 375, 1280} {
		c.Width(width)
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
	c.Width(375)
	return append(all, c.keyboard()...)
}

func prefixed(with string, all []string) []string {
	for i := range all {
		all[i] = with + all[i]
	}
	return all
}

// keyboard goes through the page with Tab. It returns the elements that are not reached in order,
// have no name, or do not show their focus.
func (c *Chromium) keyboard() (all []string) {
	c.T.Helper()
	var count int
	c.measure("number()", &count)
	for i := range count {
		c.Press(KeyTab)
		var at struct {
			Number int
			What   string
			Ring   string
		}
		c.measure("focus()", &at)
		if at.Number != i {
			return append(all,
				fmt.Sprintf("Tab %d of %d: on number %d, %s", i+1, count, at.Number, at.What))
		}
		if at.Ring != "" {
			all = append(all, at.What+": "+at.Ring)
		}
		said := c.focused()
		if strings.HasSuffix(said, ` ""`) || strings.HasPrefix(said, "generic ") {
			all = append(all, fmt.Sprintf("%s: a screen reader says %s", at.What, said))
		}
	}
	return all
}

// Usable fails the test for each fault.
func (c *Chromium) Usable() {
	c.T.Helper()
	for _, fault := range c.faults() {
		c.T.Error(fault)
	}
}
