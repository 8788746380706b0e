// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"aadlogin/internal/doctor"
)

// A paper writes findings: in colour on a terminal, unless NO_COLOR is set (https://no-color.org),
// and with sentences broken at its width. Commands are never broken, because they are there to be
// copied.
type paper struct {
	w      io.Writer
	colour bool
	ascii  bool // the locale has only ASCII
	width  int  // 0 if unknown
}

func newPaper(w io.Writer, getenv func(string) string) *paper {
	p := &paper{w: w, width: terminalWidth(w)}
	// LANG alone is no evidence: C is the default where nobody has chosen.
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"))
	p.ascii = locale == "C" || locale == "POSIX"
	p.colour = p.width > 0 && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	return p
}

// terminalWidth returns 0 for a writer that is no terminal.
func terminalWidth(w io.Writer) int {
	if c, ok := w.(*checkedWriter); ok {
		w = c.w
	}
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	if size.Col == 0 {
		return 80
	}
	return int(size.Col)
}

// marks are the sign and the colour of each status.
var marks = map[doctor.Status][2]string{
	doctor.OK:      {"✓", "32"},
	doctor.Warning: {"!", "33"},
	doctor.Failed:  {"✗", "31"},
	doctor.Skipped: {"-", "2"},
}

// asciiMarks have the same width.
var asciiMarks = map[doctor.Status]string{doctor.OK: "+", doctor.Warning: "!",
	doctor.Failed: "x", doctor.Skipped: "-"}

func (p *paper) findings(all []doctor.Finding) {
	for _, r := range all {
		mark := marks[r.Status][0]
		if p.ascii {
			mark = asciiMarks[r.Status]
		}
		if p.colour {
			mark = "\x1b[" + marks[r.Status][1] + "m" + mark + "\x1b[0m"
		}
		fmt.Fprintln(p.w, mark+" "+p.fold(r.Check+": "+printable(r.Found), 2))
		if r.Command != "" {
			fmt.Fprintln(p.w, "    run: "+r.Command)
		}
		if r.Fix != "" {
			fmt.Fprintln(p.w, "    "+p.fold("fix: "+printable(r.Fix), 4))
		}
	}
}

// sum ends a list of successful checks with a line that says so. After a failure, the error says
// it.
func (p *paper) sum(all []doctor.Finding) {
	n := map[doctor.Status]int{}
	for _, r := range all {
		n[r.Status]++
	}
	switch looked := len(all) - n[doctor.Skipped]; {
	case n[doctor.Failed] > 0:
	case n[doctor.Warning] > 0:
		fmt.Fprintf(p.w, "%d checks, nothing failed; warnings: %d\n", looked, n[doctor.Warning])
	default:
		fmt.Fprintf(p.w, "%d checks, all well\n", looked)
	}
}

// fold breaks text at blanks, so that no line passes the width unless it is one long word. It
// indents all lines but the first, which starts at the indentation.
func (p *paper) fold(text string, indent int) string {
	if p.width == 0 {
		return text
	}
	var b strings.Builder
	column := indent
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > p.width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// paragraphs folds each paragraph. An empty line separates them.
func (p *paper) paragraphs(text string) string {
	if p.width == 0 {
		return text
	}
	all := strings.Split(text, "\n\n")
	for i, paragraph := range all {
		all[i] = p.fold(strings.Join(strings.Fields(paragraph), " "), 0)
	}
	return strings.Join(all, "\n\n")
}
