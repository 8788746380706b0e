// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package qr draws an address as a QR code (ISO/IEC 18004) that a phone reads off a terminal.
//
// A character holds two modules, one above the other, as ▀, ▄, █ or a blank: that makes modules
// square, and the picture no wider than it must be. The light modules are the ones drawn, with the
// quiet zone of four that readers find the code by, since most terminals write light on dark. On
// one that writes dark on light the picture is reversed, quiet zone and all, which is a QR code
// still: the standard has readers take both, and phones do. Colours would settle it, but OpenSSH's
// client lets no escape sequence of a server's through; who writes to a terminal itself can add
// them.
//
// The code is the smallest that holds the address, at the highest level of error correction that
// makes it no larger. None is drawn beyond version 5, which is 45 columns and 23 lines: a larger
// one would not be on a screen of 24 lines as a whole. The mask is always the first. An encoder
// should choose the one of eight that is kindest to readers, but they read each.
//
// rsc.io/qr/coding places the modules and computes the error correction: 1,000 lines of arithmetic
// without dependencies. Its parent package, which knows no bounds and brings image/png, is not
// needed.
package qr

import (
	"strings"

	"rsc.io/qr/coding"
)

const (
	quiet   = 4 // modules of light around the code
	largest = coding.Version(5)
)

// Draw returns the lines of the picture, all equally wide, or none if there is nothing sensible to
// draw: text is empty, too long, or has characters besides the printable ones of ASCII, the blank
// excepted. Whoever reads bytes beyond that guesses what they mean, and addresses have none.
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

// encode returns nil for what is too long, or nothing.
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

// line draws the rows y and y+1; below the last there is nothing, not even light.
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
