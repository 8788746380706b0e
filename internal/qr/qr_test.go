// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package qr

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// This is the page of Entra ID that most people see. internal/machine has zbarimg read this one and
// many others.
func TestPage(t *testing.T) {
	const want = `
█████████████████████████████████████
█████████████████████████████████████
████ ▄▄▄▄▄ █▀ █▄▀▀▄██▀  ▀█ ▄▄▄▄▄ ████
████ █   █ ██▀▀▄▀▀█▄▀█ ▄██ █   █ ████
████ █▄▄▄█ █▄▀▄█ ▄▀▀ ▀   █ █▄▄▄█ ████
████▄▄▄▄▄▄▄█▄▀ ▀▄█▄▀▄▀ ▀ █▄▄▄▄▄▄▄████
████▄█▄█ ▀▄▀█▀▀▀█▀█▀  ▀▄ ▀▀█▄▀█▄▀████
█████ ███▀▄█▄███▄▀ ▄  ██▀▄▀▀██▄ ▄████
████▀ ▄ ▀ ▄▀▀▄▀▄▄█  ▄▄█▄ ▄ ▄█ █▄ ████
████▄▀▄█▀ ▄█▀▀▀  ▄██ ▀ ███  █ █ ▄████
█████ ▄▀▀ ▄ ▄▀▀  ▀█▄  ██   ██ ▀▄ ████
████▄▀▀▄█▄▄▀▄▀██▀▀ ▀█  █ ▄▀  ▀█ ▄████
████▄██▄█▄▄█ █ ▀▄█ ▄  █  ▄▄▄ █▀▀▀████
████ ▄▄▄▄▄ ██  █ ▄██▀▀▀  █▄█  █▄▄████
████ █   █ █▄ ██▄▀██ ▄█▀▄▄▄  █▀▀ ████
████ █▄▄▄█ █▄▀▀▀█▀ █▀▀█▄ ██▄▄▄█▀▄████
████▄▄▄▄▄▄▄█▄▄▄█▄▄█▄▄▄█▄▄██▄███▄▄████
█████████████████████████████████████
▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀
`
	got := "\n" + strings.Join(Draw("https://microsoft.com/devicelogin"), "\n") + "\n"
	if got != want {
		t.Errorf("got%swant%s", got, want)
	}
}

// The sizes follow from the capacities in the standard's table, in bytes: versions 1 to 5 at level
// L.
func TestDraw(t *testing.T) {
	for _, test := range []struct {
		text           string
		columns, lines int
	}{
		{"https://microsoft.com/devicelogin", 37, 19},
		{"https://login.microsoft.com/device", 37, 19},
		{"https://microsoft.com/deviceloginchina", 37, 19},
		{"https://microsoft.com/devicelogin?otc=FJS3K6X4D", 37, 19},
		{"a", 29, 15},
		{strings.Repeat("a", 17), 29, 15},
		{strings.Repeat("a", 18), 33, 17},
		{strings.Repeat("a", 32), 33, 17},
		{strings.Repeat("a", 33), 37, 19},
		{strings.Repeat("a", 53), 37, 19},
		{strings.Repeat("a", 54), 41, 21},
		{strings.Repeat("a", 78), 41, 21},
		{strings.Repeat("a", 79), 45, 23},
		{strings.Repeat("~", 106), 45, 23},
		{strings.Repeat("a", 107), 0, 0},
		{strings.Repeat("a", 1<<20), 0, 0},
		{"", 0, 0},
		{"https://x/a b", 0, 0},
		{"https://x/\x1b[2J", 0, 0},
		{"https://x/\n", 0, 0},
		{"https://x/\x7f", 0, 0},
		{"https://bücher.example", 0, 0},
		{"https://x/\xff", 0, 0},
	} {
		lines := Draw(test.text)
		if len(lines) != test.lines {
			t.Errorf("%.50q: %d lines, want %d", test.text, len(lines), test.lines)
		}
		checkShape(t, lines, test.columns)
	}
}

// checkShape looks for the parts that readers find a code by: a light border and the three squares.
func checkShape(t *testing.T, lines []string, columns int) {
	t.Helper()
	for i, line := range lines {
		full := i < quiet/2 || i == len(lines)-2
		switch {
		case utf8.RuneCountInString(line) != columns || strings.Trim(line, " ▀▄█") != "":
			t.Errorf("line %d is %q, want %d columns", i, line, columns)
		case full && strings.Trim(line, "█") != "", i == len(lines)-1 &&
			strings.Trim(line, "▀") != "":
			t.Errorf("line %d, of the quiet zone, is %q", i, line)
		case i < len(lines)-1 &&
			!(strings.HasPrefix(line, "████") && strings.HasSuffix(line, "████")):
			t.Errorf("line %d has no quiet zone: %q", i, line)
		}
	}
	if len(lines) == 0 {
		return
	}
	square := []string{" ▄▄▄▄▄ █", " █   █ █", " █▄▄▄█ █", "▄▄▄▄▄▄▄█"}
	for i, row := range square {
		line := []rune(lines[quiet/2+i])
		if left := string(line[quiet:][:8]); left != row {
			t.Errorf("upper left square, line %d: %q", i, left)
		}
		if right := string(line[columns-quiet-7:][:7]); right != row[:len(row)-len("█")] {
			t.Errorf("upper right square, line %d: %q", i, right)
		}
	}
}

func FuzzDraw(f *testing.F) {
	f.Add("https://microsoft.com/devicelogin")
	f.Add("")
	f.Add("\x1b\xff€")
	f.Fuzz(func(t *testing.T, text string) {
		lines := Draw(text)
		if len(lines) == 0 {
			if text != "" && len(text) <= 106 &&
				!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("%q: nothing", text)
			}
			return
		}
		checkShape(t, lines, 2*len(lines)-1)
	})
}

func BenchmarkDraw(b *testing.B) {
	for b.Loop() {
		if len(Draw("https://microsoft.com/devicelogin")) == 0 {
			b.Fatal("nothing")
		}
	}
}
