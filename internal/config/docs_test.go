// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each configuration in README.md and docs/ is valid, and each key that they name exists.
func TestPagesKnowTheKeys(t *testing.T) {
	keys := map[string]bool{}
	for _, s := range new(Config).settings() {
		keys[s.key] = true
	}
	block := regexp.MustCompile("(?ms)^```toml\n(.*?)^```$")
	setting := regexp.MustCompile(
		"`((?:endpoints|sign_in|authorization|accounts)\\.[a-z_]+)(?: = ([^`]*))?`")
	blocks, named := 0, 0
	for _, pattern := range []string{"../../README.md", "../../docs/*.md", "../../docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || found == nil {
			t.Fatal(pattern, err)
		}
		for _, page := range found {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range block.FindAllStringSubmatch(string(text), -1) {
				blocks++
				if _, err := Parse(filepath.Base(page), []byte(whole(m[1]))); err != nil {
					t.Error(err)
				}
			}
			for _, m := range setting.FindAllStringSubmatch(string(text), -1) {
				named++
				key := m[1]
				if !keys[key] && key != "accounts.groups" && key != "accounts.cdb" &&
					key != "accounts.lock" {
					t.Errorf("%s: %s is no key", filepath.Base(page), key)
				} else if m[2] != "" {
					_, err := Parse(filepath.Base(page), []byte(whole(m[1]+" = "+m[2]+"\n")))
					if err != nil && !strings.Contains(err.Error(), "cloud") {
						t.Error(err)
					}
				}
			}
		}
	}
	if blocks < 3 || named < 20 {
		t.Errorf("only %d blocks and %d keys were found", blocks, named)
	}
}

// whole adds the lines that every file must have.
func whole(text string) string {
	if strings.Contains(text, "tenant_id") {
		return text
	}
	return `tenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"` + "\n" +
		`client_id = "00001111-aaaa-2222-bbbb-3333cccc4444"` + "\n" +
		`domains = ["contoso.com"]` + "\n" + text
}
