// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The manual page names every key in the file's order, and no other, each with the default of the
// shipped file.
func TestManualPageKnowsTheKeys(t *testing.T) {
	text, err := os.ReadFile("../../packaging/man/aad-login.toml.5")
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := os.ReadFile("../../packaging/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	section := ""
	item := regexp.MustCompile(`(?m)^\.(Ss|It Va) (\S+)(?: Li (.*))?$`)
	for _, m := range item.FindAllStringSubmatch(string(text), -1) {
		if m[1] == "Ss" {
			section = m[2] + "."
			continue
		}
		keys = append(keys, strings.TrimPrefix(section+m[2], "Top."))
		line := "\n#" + m[2] + " = " + strings.ReplaceAll(m[3], `\(dq`, `"`) + "\n"
		if !strings.Contains(string(shipped), line) {
			t.Errorf("the shipped file has no line %q", strings.TrimSpace(line))
		}
	}
	var want []string
	for _, s := range new(Config).settings() {
		want = append(want, s.key)
	}
	if len(want) < 20 || !slices.Equal(keys, want) {
		t.Errorf("the page has %q, the code %q", keys, want)
	}
}
