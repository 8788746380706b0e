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

// Every aadctl command that README.md or a page of docs/ names is one, with the flags it is given
// and as many arguments as it takes.
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

// commandLines are what stands behind aadctl, at the beginning of a code span or of a line in a
// block.
func commandLines(text string) (all []string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	const command = `(?:\$ |sudo |# )*aadctl ([^` + "`" + `|;&>\n]*)`
	for _, m := range regexp.MustCompile("(?m)(?:`|^ *)"+command).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(m[1], "--uid UID", "--uid 4359382"))
	}
	return all
}

// understood takes the name of a command alone, too, as pages speak of it.
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
