// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

// Heard waits until the focus is on what a screen reader calls this: a page takes it there after it
// has loaded.
func (c *Chromium) Heard(what string) {
	c.T.Helper()
	Eventually(c.T, "the focus on "+what, Patience, func() bool { return c.focused() == what })
}

// EnterCode goes to the device page with a code, by keyboard.
func (c *Chromium) EnterCode(page, code string) {
	c.T.Helper()
	c.Open(page)
	c.Heard(`textbox "Code"`)
	c.Press(code + KeyEnter)
}

// ChooseAccount does so on the page that follows.
func (c *Chromium) ChooseAccount(name string) {
	c.T.Helper()
	c.Expect("on the device that shows the code")
	c.Heard(`heading "Sign in"`)
	c.TabTo(`button "` + name + `"`)
	c.Press(KeyEnter)
}
