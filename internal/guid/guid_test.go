// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package guid

import (
	"regexp"
	"strings"
	"testing"
)

// shape says by a regular expression what Is says by bytes.
var shape = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

func compare(t *testing.T, s string) {
	if got, want := Is(s), shape.MatchString(s); got != want {
		t.Errorf("%q: %v, want %v", s, got, want)
	}
}

func TestIs(t *testing.T) {
	const id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	if !Is(id) || !Is(strings.ToUpper(id)) || !Is(Consumers) {
		t.Error("a GUID is none")
	}
	for _, s := range []string{"", id[1:], id + "0", "{" + id[1:35] + "}",
		strings.ReplaceAll(id, "-", "0"), strings.Repeat("-", 36),
		strings.ReplaceAll(id, "-", "_"), "g" + id[1:], id[:35] + "-", id[:8] + id[9:] + "0",
		id[:10] + "/" + id[11:], id[:34] + "é"} {
		if Is(s) {
			t.Errorf("%q is a GUID", s)
		}
		compare(t, s)
	}
}

func FuzzIs(f *testing.F) {
	f.Add("aaaabbbb-0000-cccc-1111-dddd2222eeee")
	f.Add(Consumers + "\n")
	f.Fuzz(compare)
}
