// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every aadctl command in README.md and docs/ exists, with its flags and number of arguments.
func TestPagesNameCommands(t *testing.T) {
	named := 0
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
			for _, command := range commandLines(string(text)) {
				named++
				if err := understood(strings.Fields(command)); err != nil {
					t.Errorf("%s: aadctl %s: %v", filepath.Base(page), command, err)
				}
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d commands were found", named)
	}
}

// commandLines returns the text behind aadctl, at the beginning of a code span or of a line in a
// block.
func commandLines(text string) (all []string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	const command = `(?:\$ |sudo |# )*aadctl ([^` + "`" + `|;&>\n]*)`
	for _, m := range regexp.MustCompile("(?m)(?:`|^ *)"+command).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(m[1], "--uid UID", "--uid 4359382"))
	}
	return all
}

// understood also accepts the name of a command without arguments, as pages use it in text.
func understood(words []string) error {
	cmd, args, err := root(new(options)).Find(words)
	if err != nil {
		return err
	}
	if !cmd.HasParent() || cmd.HasSubCommands() && len(args) > 0 {
		return noCommand(cmd, args)
	}
	cmd.SetOut(io.Discard)
	if err := cmd.ParseFlags(args); err != nil {
		return err
	}
	rest := cmd.Flags().Args()
	if len(rest) == 0 || cmd.Args == nil {
		return nil
	}
	return cobra.PositionalArgs(cmd.Args)(cmd, rest)
}
