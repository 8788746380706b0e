// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"testing"
)

// A name or home in a store must not drive the terminal.
func TestTable(t *testing.T) {
	var out bytes.Buffer
	table := newTable(&out, "NAME", "HOME")
	rows := [][]string{table.head, {"zoë", "/home/zoë"}, {"x\x1b[2J", "/"}, {"\xff", ""}}
	for _, pass := range []func(...string){table.measure, table.print} {
		for _, row := range rows {
			pass(row...)
		}
	}
	table.flush()
	want := "NAME        HOME\n" +
		"zoë         /home/zoë\n" +
		`"x\x1b[2J"  /` + "\n" +
		`"\xff"` + "\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// A name is never cut: where a row is too long for the terminal, the name has a line of its own.
func TestTableInANarrowTerminal(t *testing.T) {
	var out bytes.Buffer
	table := newTable(&out, "NAME", "UID", "STATE")
	rows := [][]string{table.head, {"alice@contoso.com", "2027764255", "admin"},
		{"a@contoso.com", "2027764256", "imported"}}
	for _, pass := range []func(...string){table.measure, table.print} {
		table.fit(36)
		for _, row := range rows {
			pass(row...)
		}
	}
	table.flush()
	want := "NAME            UID         STATE\n" +
		"alice@contoso.com\n" +
		"                2027764255  admin\n" +
		"a@contoso.com   2027764256  imported\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
