// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package browsers proves the pages that a person sees: the device code page of the emulator and
// our sign-in page, in Chromium and (make browsers) Firefox, with a mouse, a keyboard and a screen
// reader. It also proves the parts that are pasted at ssh, sudo and aadctl login, an OAuth server
// of another maker, and the pictures in README.md.
package browsers
