// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The sentences about the command line.

func usage(what string) *failure {
	return &failure{exitUsage, what, "aadctl --help lists commands and flags"}
}

func noCommand(cmd *cobra.Command, args []string) *failure {
	if len(args) == 0 {
		return usage(below(cmd) + "a command is missing")
	}
	f := usage(fmt.Sprintf("%sthere is no command %q", below(cmd), args[0]))
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		f.hint = "did you mean: " + cmd.CommandPath() + " " + like[0]
	}
	return f
}

func arguments(cmd *cobra.Command, names, args []string) error {
	switch {
	case len(args) < len(names):
		return usage(below(cmd) + names[len(args)] + " is missing")
	case len(args) > len(names):
		return usage(fmt.Sprintf("%s%q is one argument too many", below(cmd), args[len(names)]))
	default:
		return nil
	}
}

// below returns the name of cmd without aadctl, which every error begins with.
func below(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return ""
	}
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ") + ": "
}
