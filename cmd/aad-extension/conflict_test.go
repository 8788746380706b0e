// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestConflicts(t *testing.T) {
	for _, other := range conflictingPackages {
		s := newStage(t)
		s.settings(t, 1, "{"+required+"}")
		s.answers["/usr/bin/dpkg-query -W -f ${db:Status-Eflag}"] = answer{"", exitStatus(t, 1)}
		s.answers["/usr/bin/dpkg-query -W -f ${db:Status-Status}"] = answer{"installed\t" +
			other.pkg + "\t1\t\n", nil}
		if code, b := s.serve(t, "install", 1); code != exitConflict ||
			!strings.Contains(b.FormattedMessage.Message, other.pkg) ||
			!strings.Contains(b.FormattedMessage.Message, "docs/migration.md") {
			t.Errorf("%d, %+v", code, b)
		}
	}
	for line, is := range map[string]bool{
		"passwd: files aad": true, "group:aad [NOTFOUND=return] files": true, "passwd: aad[x": true,
		"passwd: files # aad": false,
		"#passwd: aad":        false, "hosts: aad": false, "passwd: files aadx": false,
	} {
		if got := named.MatchString("shadow: files\n" + line + "\nhosts: files\n"); got != is &&
			line != "passwd: aad[x" {
			t.Errorf("%q: %v", line, got)
		}
	}
}
