// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// shipped returns packaging/config.toml with every key switched on.
func shipped(t *testing.T) (text string, keys map[string]int) {
	t.Helper()
	file, err := os.ReadFile("../../packaging/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	commented := regexp.MustCompile(`^#([a-z_]+) = `)
	keys = make(map[string]int)
	var section string
	lines := strings.Split(string(file), "\n")
	for i, line := range lines {
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]") + "."
		}
		if m := commented.FindStringSubmatch(line); m != nil {
			keys[section+m[1]]++
			lines[i] = line[1:]
		}
	}
	return strings.Join(lines, "\n"), keys
}

// People look keys up in the shipped file. It must name each of them once, with the true default.
func TestShippedFile(t *testing.T) {
	text, keys := shipped(t)
	for _, s := range defaults().settings() {
		if keys[s.key] != 1 {
			t.Errorf("%s is there %d times", s.key, keys[s.key])
		}
		delete(keys, s.key)
	}
	for key := range keys {
		t.Errorf("%s is no key", key)
	}
	text = strings.Replace(text, "00000000-0000-0000-0000-000000000000",
		"8a09f2d7-8415-4296-92b2-80bb4666c5fc", 1)
	text = strings.Replace(text, "00000000-0000-0000-0000-000000000000",
		"0b3f4a5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b", 1)
	c, err := Parse("config.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := required(defaults()); !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

// As installed, the file says what is missing.
func TestShippedFileUnedited(t *testing.T) {
	file, err := os.ReadFile("../../packaging/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	const want = "config.toml: tenant_id: is missing; set it to the directory (tenant) ID, a " +
		"GUID, or run: aadctl setup"
	if _, err := Parse("config.toml", file); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
