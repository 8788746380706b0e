// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package browsers proves the pages that a person sees: the device code page of the emulator and
// our sign-in page, in Chromium and (make browsers) Firefox, with a mouse, a keyboard and a
// reader; the parts that are pasted at ssh, sudo and aadctl login; an OAuth server of another
// maker; and the pictures that README.md shows.
package browsers
