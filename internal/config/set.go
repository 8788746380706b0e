// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"strings"
)

// Set gives a key, such as authorization.resource_id, a value in the text of a file, and leaves
// everything else as it is: comments are the administrator's, also those behind a value. A key that
// is there, or is commented out, keeps its place. value is TOML. Set also returns the value that
// the key had, or "". It does not understand inline tables: Parse the result before use.
func Set(text []byte, key, value string) (edited []byte, had string) {
	file := string(text)
	if file != "" && !strings.HasSuffix(file, "\n") {
		file += "\n"
	}
	table, name := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		table, name = key[:i], key[i+1:]
	}
	best := find(file, table, name)
	switch best.position {
	case live:
		return []byte(file[:best.begin] + value + file[best.end:]), file[best.begin:best.end]
	case asleep:
		return []byte(file[:best.line] + name + " = " + value + file[best.end:]), ""
	case header:
		return []byte(file[:best.end] + name + " = " + value + "\n" + file[best.end:]), ""
	}
	return []byte(file[:best.line] + key + " = " + value + "\n" + file[best.line:]), ""
}

// A position says where Set found a key; later ones are better.
type position int

const (
	nowhere position = iota // in front of the first table there is room for it
	header                  // only its table
	asleep                  // behind a #
	live
)

// A spot is a position in the text: where its line begins, and where its value begins and ends. The
// spot of a header ends behind the line.
type spot struct {
	position
	line, begin, end int
}

// find goes through the file statement by statement, so that nothing within a value passes for a
// line.
func find(file, table, name string) (best spot) {
	here, first := "", len(file)
	for at := 0; at < len(file); {
		s := read(file, at)
		if s.header {
			here, first = s.key, min(first, at)
		}
		if is := s.is(here, table, name); is > best.position {
			best = spot{is, at, s.begin, s.end}
		}
		at = s.next
	}
	if best.position == nowhere {
		best.line = first
	}
	return best
}

// A statement is a header or an assignment, or one of these behind a #.
type statement struct {
	key               string // "": neither
	header, commented bool
	begin, end        int // of the value; the end of a header is that of its line
	next              int // where the next one begins
}

// is returns what the statement is to the key wanted. here is the table that it stands in.
func (s statement) is(here, table, name string) position {
	full, wanted := s.key, name
	if here != "" {
		full = here + "." + s.key
	}
	if table != "" {
		wanted = table + "." + name
	}
	switch {
	case s.header && table != "" && s.key == table:
		return header
	case s.header, s.key == "":
		return nowhere
	case !s.commented && full == wanted:
		return live
	case s.commented && here == table && s.key == name:
		return asleep
	}
	return nowhere
}

// read reads the statement whose line begins at.
func read(file string, at int) statement {
	line := file[at : at+strings.IndexByte(file[at:], '\n')+1]
	next := at + len(line)
	text := strings.TrimLeft(line, " \t")
	if strings.HasPrefix(text, "[") {
		inside, _, _ := strings.Cut(strings.TrimLeft(text, "["), "]")
		return statement{key: keyOf(inside), header: true, end: next, next: next}
	}
	text, commented := strings.CutPrefix(text, "#")
	key, value, assigns := strings.Cut(text, "=")
	if !assigns || keyOf(key) == "" {
		return statement{next: next}
	}
	begin := next - len(strings.TrimLeft(value, " \t"))
	s := statement{key: keyOf(key), commented: commented, begin: begin, next: next}
	rest := file[s.begin:]
	if commented {
		rest = file[s.begin : next-1]
	}
	s.end = s.begin + valueLength(rest)
	if behind := strings.IndexByte(file[s.end:], '\n'); behind >= 0 {
		s.next = s.end + behind + 1
	} else {
		s.next = len(file)
	}
	return s
}

// keyOf returns a key without the quotes and blanks that it may be written with, or "" for no key.
func keyOf(text string) string {
	parts := strings.Split(text, ".")
	for i, part := range parts {
		part = strings.TrimSpace(part)
		n := len(part)
		if n > 1 && strings.ContainsRune(`"'`, rune(part[0])) && part[n-1] == part[0] {
			part = part[1 : n-1]
		}
		parts[i] = part
	}
	key := strings.Join(parts, ".")
	if strings.ContainsAny(key, " \t#\"'") || slices.Contains(parts, "") {
		return ""
	}
	return key
}

// valueLength returns the length of the TOML value at the beginning of text, without the blanks and
// the comment behind it.
func valueLength(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\'':
			i += stringLength(text[i:]) - 1
			if depth == 0 {
				return i + 1
			}
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth <= 0 {
				return i + 1
			}
		case c == '#' && depth > 0: // a comment among the values of an array
			i += max(strings.IndexByte(text[i:], '\n'), 0)
		case depth == 0 && strings.IndexByte(" \t\r\n#", c) >= 0:
			return i
		}
	}
	return len(text)
}

// stringLength returns the length of a string with its quotes, of which there are one or three.
func stringLength(text string) int {
	quote, i := text[:1], 1
	if strings.HasPrefix(text, strings.Repeat(quote, 3)) {
		quote, i = text[:3], 3
	}
	for ; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote[0] == '"':
			i++
		case text[i] == '\n' && len(quote) == 1:
			return i // without an end: Parse refuses the file
		case strings.HasPrefix(text[i:], quote):
			i += len(quote)
			for len(quote) == 3 && i < len(text) && text[i] == quote[0] { // two more are the text's
				i++
			}
			return i
		}
	}
	return len(text)
}
