// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

// Heard waits until a screen reader would call the focused element this. A page sets the focus
// after it has loaded.
func (c *Chromium) Heard(what string) {
	c.T.Helper()
	Eventually(c.T, "the focus on "+what, Patience, func() bool { return c.focused() == what })
}

// EnterCode goes to the device page and types a code.
func (c *Chromium) EnterCode(page, code string) {
	c.T.Helper()
	c.Open(page)
	c.Heard(`textbox "Code"`)
	c.Press(code + KeyEnter)
}

// ChooseAccount types the account on the page that follows.
func (c *Chromium) ChooseAccount(name string) {
	c.T.Helper()
	c.Expect("on the device that shows the code")
	c.Heard(`heading "Sign in"`)
	c.TabTo(`button "` + name + `"`)
	c.Press(KeyEnter)
}
