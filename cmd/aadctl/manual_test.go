// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// The manual page has every command and flag, and none besides, and each exit status. Completions
// are generated from the command tree. The manual page is written by hand, because cobra would
// generate a page for each command, without markup. A person can read a single page through, and
// this test keeps it true.
func TestManualPage(t *testing.T) {
	text, err := os.ReadFile("../../packaging/man/aadctl.8")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), "\\\n", "")
	said := make(map[string]string) // command: its flags and arguments
	for line := range strings.Lines(page) {
		if item, ok := strings.CutPrefix(line, ".It Cm "); ok {
			command, arguments, _ := strings.Cut(strings.TrimSpace(item)+" ", " O")
			command, _, _ = strings.Cut(command, " Ar ")
			said[strings.TrimSpace(command)] = arguments
		}
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, below := range c.Commands() {
			walk(below)
		}
		if c.HasSubCommands() || c.Name() == "help" {
			return
		}
		path := strings.TrimPrefix(c.CommandPath(), "aadctl ")
		arguments, ok := said[path]
		if !ok {
			t.Errorf("%s is not in the manual page", path)
		}
		delete(said, path)
		for _, word := range strings.Fields(c.LocalNonPersistentFlags().FlagUsages()) {
			flag, ok := strings.CutPrefix(word, "--")
			if ok && flag != "help" && !strings.Contains(arguments, "Fl -"+flag+" ") {
				t.Errorf("%s --%s is not in the manual page", path, flag)
			}
			arguments = strings.Replace(arguments, "Fl -"+flag+" ", "", 1)
		}
		if strings.Contains(arguments, "Fl ") {
			t.Errorf("%s: the manual page has flags that are none: %s", path, arguments)
		}
	}
	walk(root(new(options)))
	for path := range said {
		t.Errorf("%s is in the manual page, and is no command", path)
	}
	for code := range exitStore + 1 {
		if n := strings.Count(page, fmt.Sprintf("\n.It %d\n", code)); n != 1 {
			t.Errorf("exit status %d is %d times in the manual page", code, n)
		}
	}
	_, keys, _ := strings.Cut(page, "An account as JSON has the keys")
	for of, i := reflect.TypeFor[record](), 0; i < of.NumField(); i++ {
		key, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if !slices.Contains(strings.Fields(keys), key) {
			t.Errorf("key %s is not in the manual page", key)
		}
	}
}
