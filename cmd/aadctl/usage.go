// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// These are the sentences about the command line.

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
		return usageOf(cmd, names[len(args)]+" is missing")
	case len(args) > len(names):
		return usageOf(cmd, fmt.Sprintf("%q is one argument too many", args[len(names)]))
	default:
		return nil
	}
}

// usageOf returns a usage error of one command. The help of that command tells more than the
// general one.
func usageOf(cmd *cobra.Command, what string) error {
	if !cmd.HasParent() {
		return usage(what)
	}
	return &failure{exitUsage, below(cmd) + what, "aadctl help " + strings.TrimSuffix(below(cmd),
		": ") + " tells how it is used"}
}

// below returns the name of cmd without aadctl, which begins every error anyway.
func below(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return ""
	}
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ") + ": "
}
