// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aadlogin/internal/config"
	"aadlogin/internal/doctor"
)

const servicesKey = "sign_in.services"

func configAddService(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "add-service NAME",
		Short: "Show a code in one more PAM service",
		Long: `Add a PAM service to sign_in.services, where a sign-in shows a code, and apply
that. NAME is what its file in /etc/pam.d is called. Its program must show people
the whole prompt and wait for ENTER; where it does not, its sign-ins are refused
as before, only later. The file as it was is kept beside it, with .previous
behind its name.`,
		Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.addService(cmd.OutOrStdout(), args[0])
		},
	}
}

func (o *options) addService(out io.Writer, name string) error {
	c, _, err := o.load()
	if err != nil {
		return err
	}
	if wrong := (*config.Error)(nil); errors.As(config.CheckValue(servicesKey, []string{name}),
		&wrong) {
		return &failure{exitUsage, "config add-service: " + wrong.Problem, wrong.Fix}
	}
	name = strings.ToLower(name) // as libpam does
	if slices.Contains(c.SignIn.Services, name) {
		fmt.Fprintf(out, "%s: %s lists %s already\n", printable(o.config),
			servicesKey, printable(name))
		return o.apply(out)
	}
	before, err := os.ReadFile(o.config)
	if err != nil {
		return err
	}
	written, err := o.setServices(before, append(slices.Clone(c.SignIn.Services), name))
	if err != nil {
		return err
	}
	if !o.system().HasStack(name) {
		fmt.Fprintf(out, "There is no /etc/pam.d/%s on this machine: see that the name is right.\n",
			printable(name))
	}
	return o.applyInstead(before, written, out)
}

// setServices writes the list, and checks that the file then has exactly this list. It keeps the
// text before, which the file had before this command, and returns what it has written.
func (o *options) setServices(before []byte, list []string) ([]byte, error) {
	text, err := os.ReadFile(o.config)
	if err != nil {
		return nil, err
	}
	edited, _ := config.Set(text, servicesKey, config.Spell(list))
	after, err := config.Parse(o.config, edited)
	var wrong *config.Error
	switch {
	case errors.As(err, &wrong) && wrong.Key == servicesKey:
		return nil, err
	case err != nil || !slices.Equal(after.SignIn.Services, list):
		return nil, &failure{exitConfiguration,
			fmt.Sprintf("%s: %s is in braces, and cannot be set", o.config, servicesKey),
			fmt.Sprintf("nothing was changed; write it yourself: %s = %s",
				servicesKey, config.Spell(list))}
	}
	return edited, replaceConfig(o.config, before, edited)
}

// keepServices adds services to a configuration of the time before sign_in.services. Then a code
// was shown everywhere, and a service whose own PAM file names the module was meant to show one. A
// list that exists is the administrator's decision, and is left alone. It returns what it has
// written, or nil.
func (o *options) keepServices(before []byte, out io.Writer) ([]byte, error) {
	text, err := os.ReadFile(o.config)
	if err != nil {
		return nil, err
	}
	c, err := config.Parse(o.config, text)
	if err != nil {
		return nil, err
	}
	if _, had := config.Set(text, servicesKey, "[]"); had != "" {
		return nil, nil
	}
	here := doctor.Host{System: o.system()}
	kept := slices.DeleteFunc(here.OwnServices(),
		func(name string) bool { return slices.Contains(c.SignIn.Services, name) })
	if len(kept) == 0 {
		return nil, nil
	}
	written, err := o.setServices(before, append(slices.Clone(c.SignIn.Services), kept...))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "%s: %s now lists %s, too, whose own PAM files name pam_aad.so\n",
		printable(o.config), servicesKey, strings.Join(kept, ", "))
	return written, nil
}
