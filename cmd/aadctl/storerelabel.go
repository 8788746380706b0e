// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
)

func storeRelabel(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "relabel",
		Short: "Give the store the labels of this machine's SELinux policy",
		Long: `Give the store, and whatever else is aad-login's, the labels of this machine's
SELinux policy, as restorecon(8) does. That one alone cannot: the store is
immutable, so nobody may label it. This makes it mutable, calls restorecon, and
makes it immutable again. Where every label is right, and where SELinux is not
enabled, nothing is changed.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.relabel(cmd.Context(), cmd.OutOrStdout(), runProgram)
		},
	}
}

// labelled returns the directories that the policy module names, if they exist.
func (o *options) labelled() (there []string) {
	for _, dir := range []string{"/etc/aad-login", cmp.Or(o.storeDir, account.DefaultDir),
		"/var/cache/aad-login", cmp.Or(o.runtimeDir, account.DefaultRuntimeDir)} {
		if _, err := os.Stat(dir); err == nil {
			there = append(there, dir)
		}
	}
	return there
}

// relabel labels the directory that is compiled in, wherever the configuration has the store. No
// policy knows another directory.
func (o *options) relabel(ctx context.Context, out io.Writer, run func(context.Context, string,
	...string) (string, error)) error {
	if _, err := os.Stat(filepath.Join("/", o.root, "sys/fs/selinux/enforce")); err != nil {
		fmt.Fprintln(out, "SELinux is not enabled, so there is nothing to label")
		return nil
	}
	restorecon := func(options ...string) (string, error) {
		said, err := run(ctx, "restorecon", append(options, o.labelled()...)...)
		if err != nil {
			what := strings.Join(strings.Fields(said), " ")
			return "", &failure{exitNo, fmt.Sprintf("store relabel: %s", cmp.Or(what, err.Error())),
				"restorecon comes with policycoreutils; what it is refused is in the audit log: " +
					"ausearch -m avc -c restorecon"}
		}
		return said, nil
	}
	wrong, err := restorecon("-R", "-n", "-v")
	if err == nil && wrong == "" {
		fmt.Fprintln(out, "every label is as the policy has it")
		return nil
	}
	if err != nil {
		return err
	}
	store := o.storeIn(o.storeDir)
	return inStore(store.Relabel(func() error {
		said, err := restorecon("-R", "-v")
		fmt.Fprint(out, said)
		return err
	}))
}
