// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package qr draws an address as a QR code (ISO/IEC 18004) that a phone can read from a terminal.
//
// A character holds two modules, one above the other, as ▀, ▄, █ or a blank. That makes modules
// square, and the picture as narrow as possible. The light modules are drawn, with the quiet zone
// of four that readers find the code by, since most terminals write light on dark. On a terminal
// that writes dark on light, the picture is reversed, quiet zone and all. It is still a QR code:
// the standard has readers accept both, and phones do. Colours would avoid that, but OpenSSH's
// client removes every escape sequence that a server sends. A program that writes to the terminal
// itself can add them.
//
// The code is the smallest that holds the address, with the highest level of error correction that
// makes it no larger. No code beyond version 5 is drawn. That one has 45 columns and 23 lines, and
// a larger one would not fit a screen of 24 lines. The mask is always the first. An encoder should
// choose the mask that is easiest to read, but readers accept all eight.
//
// rsc.io/qr/coding places the modules and computes the error correction, in 1,000 lines of
// arithmetic without dependencies. Its parent package is not used: it has no limits and imports
// image/png.
package qr

import (
	"strings"

	"rsc.io/qr/coding"
)

const (
	quiet   = 4 // modules of light around the code
	largest = coding.Version(5)
)

// Draw returns the lines of the picture, all equally wide. It returns none if text is empty, too
// long, or has characters other than the printable ones of ASCII without the blank. Readers guess
// the encoding of other bytes, and addresses have none.
func Draw(text string) []string {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil
	}
	code := encode(text)
	if code == nil {
		return nil
	}
	var lines []string
	for y := -quiet; y < code.Size+quiet; y += 2 {
		lines = append(lines, line(code, y))
	}
	return lines
}

// encode returns nil for a text that is empty or too long.
func encode(text string) *coding.Code {
	data := coding.String(text)
	fits := func(v coding.Version, l coding.Level) bool { return data.Bits(v) <= 8*v.DataBytes(l) }
	version, level := coding.Version(coding.MinVersion), coding.L
	for version <= largest && !fits(version, level) {
		version++
	}
	if version > largest || text == "" {
		return nil
	}
	for level < coding.H && fits(version, level+1) {
		level++
	}
	plan, err := coding.NewPlan(version, level, 0)
	if err != nil {
		return nil
	}
	code, err := plan.Encode(data)
	if err != nil {
		return nil
	}
	return code
}

// line draws the rows y and y+1. Below the last row there is nothing, not even light.
func line(code *coding.Code, y int) string {
	var b strings.Builder
	last := code.Size + quiet - 1
	for x := -quiet; x <= last; x++ {
		upper, lower := !code.Black(x, y), !code.Black(x, y+1) && y < last
		switch {
		case upper && lower:
			b.WriteRune('█')
		case upper:
			b.WriteRune('▀')
		case lower:
			b.WriteRune('▄')
		default:
			b.WriteRune(' ')
		}
	}
	return b.String()
}
