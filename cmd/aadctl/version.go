// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version string

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and how it was built",
		Args:  exactly(),
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintln(cmd.OutOrStdout(), built())
		},
	}
}

func built() string {
	info, _ := debug.ReadBuildInfo()
	return describe(version, info)
}

// describe returns one line: name, version, commit if known, compiler, platform.
func describe(version string, info *debug.BuildInfo) string {
	var revision, modified string
	if info != nil {
		if version == "" && info.Main.Version != "(devel)" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				revision = ", commit " + s.Value
			case "vcs.modified":
				if s.Value == "true" {
					modified = " with changes"
				}
			}
		}
	}
	if version == "" {
		version = "unreleased"
	}
	return fmt.Sprintf("aadctl %s%s%s (%s, %s/%s)", version, revision, modified, runtime.Version(),
		runtime.GOOS, runtime.GOARCH)
}
