// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A table aligns columns without holding the rows: it measures every row in a first pass and prints
// it in a second. The last column needs no width.
type table struct {
	head  []string
	width []int
	out   *bufio.Writer
}

func newTable(out io.Writer, head ...string) *table {
	return &table{head, make([]int, len(head)), bufio.NewWriter(out)}
}

func (t *table) measure(cells ...string) {
	for i, cell := range cells {
		t.width[i] = max(t.width[i], utf8.RuneCountInString(printable(cell)))
	}
}

// fit narrows the first column of a table that is wider than the terminal. A cell that is too long
// for the column then gets a line of its own. Names are never cut, because they are there to be
// copied.
func (t *table) fit(terminal int) {
	all := 2 * (len(t.width) - 1)
	for _, w := range t.width {
		all += w
	}
	if terminal > 0 && all > terminal {
		t.width[0] = max(t.width[0]-(all-terminal), utf8.RuneCountInString(t.head[0]))
	}
}

func (t *table) print(cells ...string) {
	var line strings.Builder
	for i, cell := range cells {
		cell = printable(cell)
		if i == 0 && utf8.RuneCountInString(cell) > t.width[0] {
			t.out.WriteString(cell + "\n")
			cell = ""
		}
		fmt.Fprintf(&line, "%-*s  ", t.width[i], cell)
	}
	t.out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}

// flush leaves it to the writer below to remember an error.
func (t *table) flush() { t.out.Flush() }

// printable keeps text from a store or the name of a file from driving the terminal.
func printable(s string) string {
	if utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	return fmt.Sprintf("%q", s)
}
