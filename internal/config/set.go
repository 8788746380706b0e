// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"slices"
	"strings"
)

// Set gives a key, such as authorization.resource_id, a value in the text of a
// file, and leaves everything else as it is: comments are the administrator's.
// A key that is there, or waits behind a #, keeps its place. value is TOML. It
// also returns the value that the key had, "" if none. Values over several
// lines are not understood: Parse the result before use.
func Set(text []byte, key, value string) (edited []byte, had string) {
	table, name := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		table, name = key[:i], key[i+1:]
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		text = append(slices.Clone(text), '\n')
	}
	lines := slices.Collect(strings.Lines(string(text)))
	at, place := findKey(lines, table, name)
	line := name + " = " + value + "\n"
	switch place {
	case live:
		_, had, _ = strings.Cut(lines[at], "=")
		if before, _, _ := strings.Cut(lines[at], "="); strings.TrimSpace(before) == key {
			line = key + " = " + value + "\n"
		}
		lines[at] = line
	case asleep:
		lines[at] = line
	case header:
		lines = slices.Insert(lines, at+1, line)
	default:
		lines = slices.Insert(lines, at, key+" = "+value+"\n")
	}
	return []byte(strings.Join(lines, "")), strings.TrimSpace(had)
}

// A place is what Set found of a key, the best last.
type place int

const (
	nowhere place = iota // in front of the first table there is room for it
	header               // only its table
	asleep               // behind a #
	live
)

func findKey(lines []string, table, name string) (at int, found place) {
	here := ""
	first := -1
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			here, _, _ = strings.Cut(strings.Trim(line, "["), "]")
			here = strings.TrimSpace(here)
			if first < 0 {
				first = i
			}
		}
		if is := placeOf(line, here, table, name); is > found {
			at, found = i, is
		}
	}
	if found == nowhere {
		at = first
		if first < 0 {
			at = len(lines)
		}
	}
	return at, found
}

// placeOf judges one line below the header of table here.
func placeOf(line, here, table, name string) place {
	key, _, assigns := strings.Cut(line, "=")
	key = strings.TrimSpace(key)
	switch {
	case assigns && here == "" && table != "" && key == table+"."+name:
		return live
	case here != table:
		return nowhere
	case assigns && key == name:
		return live
	case assigns && strings.HasPrefix(key, "#") && strings.TrimSpace(key[1:]) == name:
		return asleep
	case table != "" && strings.HasPrefix(line, "["):
		return header
	}
	return nowhere
}
