// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Replace returns a change for Edit that replaces a text.
func Replace(old, new string) func(string) []byte {
	return func(text string) []byte { return []byte(strings.Replace(text, old, new, 1)) }
}

// BeginWith returns a change for Edit that puts lines before all others.
func BeginWith(lines string) func(string) []byte {
	return func(text string) []byte { return []byte(lines + text) }
}

// FileText returns the content of a file.
func FileText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Edit changes a file for the length of a test. A nil text removes the file.
func Edit(t *testing.T, path string, change func(string) []byte) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	mode, sealed := info.Mode(), Immutable(t, path)
	if sealed {
		mode |= 0o200 // 0444 is for a file that is immutable
		MakeMutable(t, path)
	}
	t.Cleanup(func() {
		if err := ReplaceFile(path, before, mode); err != nil {
			t.Fatal(err)
		}
		if sealed {
			Must(t, "chmod", fmt.Sprintf("%o", info.Mode().Perm()), path)
			Must(t, "chattr", "+i", path)
		}
	})
	text := change(string(before))
	if text == nil {
		err = os.Remove(path)
	} else {
		err = ReplaceFile(path, text, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ReplaceFile replaces a file by another, as editors do.
func ReplaceFile(path string, text []byte, mode os.FileMode) error {
	if err := os.WriteFile(path+".test", text, mode); err != nil {
		return err
	}
	return os.Rename(path+".test", path)
}

// FileAt returns the only file that matches a pattern.
func FileAt(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) != 1 {
		t.Fatal(pattern, files, err)
	}
	return files[0]
}

// Put writes a file for the length of a test.
func Put(t *testing.T, path, text string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		Edit(t, path, func(string) []byte { return []byte(text) })
		return
	}
	made := os.Mkdir(filepath.Dir(path), 0o755) == nil
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Remove(path)
		if made {
			os.Remove(filepath.Dir(path))
		}
	})
}

// Differences returns the lines that are in only one of two listings.
func Differences(before, after string) (all []string) {
	old := strings.Split(before, "\n")
	for _, line := range strings.Split(after, "\n") {
		if !strings.Contains(before+"\n", line+"\n") {
			all = append(all, "+"+line)
		}
	}
	for _, line := range old {
		if !strings.Contains(after+"\n", line+"\n") {
			all = append(all, "-"+line)
		}
	}
	return all
}

// Configured adds keys to a section of the configuration for the length of a test.
func Configured(t *testing.T, section, keys string) {
	t.Helper()
	Edit(t, ConfigFile, func(text string) []byte {
		return []byte(text + "\n[" + section + "]\n" + keys + "\n")
	})
	if out, status := Command(t, "", "aadctl", "config", "check"); status != 0 {
		t.Fatalf("%s %s: %s", section, keys, out)
	}
}
