// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
)

func storeGeneralize(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "generalize",
		Short: "Make the store one that an image of this machine may hold",
		Long: `Make the store one that an image of this machine may hold, for other machines
to be made of: who was administrator here, in which groups, and let in without
Azure or a browser for a while, is decided anew on each of them. Accounts stay,
with their uids, since files of theirs may be in the image too. So do locks and
refusals. Nobody is to sign in between this and the image.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.generalize(cmd.OutOrStdout()) },
	}
}

func (o *options) generalize(out io.Writer) error {
	c, store, err := o.load()
	if err != nil {
		return err
	}
	switch err := store.Generalize(); {
	case errors.Is(err, account.ErrMissing):
		fmt.Fprintf(out, "%s: is not there yet, so an image may hold this machine as it is\n",
			printable(store.Path()))
	case err != nil:
		return inStore(err)
	default:
		err := o.reading("", func(s *account.Snapshot) error {
			fmt.Fprintf(out, "%s: nobody is authorized; %s\n", printable(store.Path()), census(s))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return ofThisMachine(c, o.config)
}

// ofThisMachine refuses a configuration that belongs to one machine. In an image, other machines
// would let in the people who may sign in to this one.
func ofThisMachine(c *config.Config, file string) error {
	if c.Authorization.ResourceID == "" {
		return nil
	}
	return &failure{exitConfiguration,
		fmt.Sprintf("%s: authorization.resource_id names this machine, and would do so on each "+
			"machine of the image",
			file), "take the key out, unless roles on " + c.Authorization.ResourceID +
			" are to decide for all of them; the store is ready"}
}
