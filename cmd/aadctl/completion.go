// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// completionCommand is for the build: the package brings what it prints. Cobra's own answers a shell it does not know with help
// and success.
func completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "completion SHELL",
		Short:  "Print the completions for bash, zsh or fish",
		Hidden: true,
		Args:   exactly("SHELL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(cmd.OutOrStdout(), true)
			case "zsh":
				return cmd.Root().GenZshCompletion(cmd.OutOrStdout())
			case "fish":
				return cmd.Root().GenFishCompletion(cmd.OutOrStdout(), true)
			default:
				return usage(fmt.Sprintf("completion: %q is none of bash, zsh and fish", args[0]))
			}
		},
	}
}
