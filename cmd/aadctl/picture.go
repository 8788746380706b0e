// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"aadlogin/internal/signin"
)

// A picture draws the page of a prompt as a QR code. The module draws one only if the host has a
// locale, and a Go program has none. In colour it is black on white, whatever colours the terminal
// has.
type picture struct {
	paper  *paper
	utf8   bool
	notice io.Writer // --qr: gets the reason why there is none; may be nil
}

func newPicture(cmd *cobra.Command, getenv func(string) string, insist bool) *picture {
	p := &picture{newPaper(cmd.OutOrStdout(), getenv), isUTF8(getenv), nil}
	if insist {
		p.notice = cmd.ErrOrStderr()
	}
	return p
}

// isUTF8 looks at the locale's name, as setlocale(3) finds it.
func isUTF8(getenv func(string) string) bool {
	for _, key := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if name := strings.ToLower(getenv(key)); name != "" {
			return strings.Contains(name, "utf-8") || strings.Contains(name, "utf8")
		}
	}
	return false
}

// Colours 16 and 231 of xterm's 256 are black and white in every colour scheme.
const (
	blackAndWhite = "\x1b[38;5;231;48;5;16m"
	asBefore      = "\x1b[0m"
)

// above draws the picture above a prompt that has one. A prompt of another module has none.
func (p *picture) above(prompt string) {
	pages := signin.Pages(prompt)
	if p == nil || len(pages) == 0 {
		return
	}
	lines, problem := p.lines(pages)
	for _, line := range lines {
		if p.paper.colour {
			line = blackAndWhite + line + asBefore
		}
		fmt.Fprintln(p.paper.w, line)
	}
	if problem != "" && p.notice != nil {
		fmt.Fprintln(p.notice, "aadctl: login: no QR code: "+problem)
	}
}

func (p *picture) lines(pages []string) (lines []string, problem string) {
	room := p.paper.width
	if room == 0 {
		room = math.MaxInt
	}
	if !p.utf8 {
		return nil, "the locale is not one of UTF-8 (LC_ALL, LC_CTYPE, LANG)"
	}
	if lines = signin.Picture(room, pages...); len(lines) > 0 {
		return lines, ""
	}
	if len(signin.Picture(math.MaxInt, pages...)) > 0 {
		return nil, fmt.Sprintf("the terminal's %d columns are too few", room)
	}
	return nil, "the address cannot be drawn"
}
