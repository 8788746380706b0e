// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package shell

import (
	"os/exec"
	"testing"
)

// A name is no shell's command, whatever it is made of.
func TestWord(t *testing.T) {
	for _, word := range []string{"o'brien!#^~@contoso.com", "", "a b", "$(reboot)", "a;b", "-x",
		"a*", `a\b`, "a\"b", "a\nb"} {
		out, err := exec.Command("sh", "-c", "printf %s "+Word(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q: %q, %v", word, out, err)
		}
	}
	if got := Word("alice.b-c_d@contoso.com"); got != "alice.b-c_d@contoso.com" {
		t.Error(got)
	}
}
