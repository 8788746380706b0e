// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A script runs every aadctl command that docs/troubleshooting.md prints, as far as it is spelled
// out there. A remedy that nobody has tried may not work.
func TestRemedies(t *testing.T) {
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var run strings.Builder
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "status ") {
				run.WriteString(line)
			}
		}
	}
	printed := regexp.MustCompile("`(aadctl [^`]+)`|(?m)^(?: {4})?(?:sudo )?(aadctl .+)$").
		FindAllStringSubmatch(string(page), -1)
	if len(printed) < 10 {
		t.Fatalf("%d commands", len(printed))
	}
	for _, found := range printed {
		command := strings.TrimSpace(found[1] + found[2])
		if strings.HasPrefix(command, "aadctl check ") {
			continue // it mends nothing, and internal/machine runs it
		}
		pattern := regexp.QuoteMeta(command)
		for _, placeholder := range []string{"ID", "FILE", "ACCOUNT", "NAME"} {
			pattern = regexp.MustCompile(`\b`+placeholder+`\b`).ReplaceAllString(pattern, `\S+`)
		}
		if !regexp.MustCompile(`(?m)^status \d ` + pattern + `( |$)`).MatchString(run.String()) {
			t.Errorf("no script runs %s", command)
		}
	}
}
