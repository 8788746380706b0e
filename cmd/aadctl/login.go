// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/msteinert/pam/v2"
	"github.com/spf13/cobra"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/doctor"
	"aadlogin/internal/shell"
)

func loginCommand(o *options) *cobra.Command {
	service, wanted := "sshd", false
	cmd := &cobra.Command{
		Use:   "login ACCOUNT",
		Short: "Sign an account in on this terminal, as sshd would",
		Long: `Sign an account in on this terminal, through the PAM stack of sshd or another
service: code, browser, authorization, account phase. No session is opened. It is
a sign-in like any other: the account and its grant are stored. With a code there
is no need to press ENTER. With sign_in.flow "browser" what the sign-in page shows
is pasted here; ENTER alone opens that page, if whoever called sudo has a desktop
here.`,
		Args: exactly("ACCOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if os.Geteuid() != 0 {
				return &failure{exitNo, "login: only root may sign others in", "run this as root"}
			}
			c, store, err := o.load()
			if err != nil {
				return err
			}
			if err := ours(args[0], account.RulesFrom(c)); err != nil {
				return err
			}
			if err := o.hasStack(service); err != nil {
				return err
			}
			if err := shown(service, c.SignIn.Services); err != nil {
				return err
			}
			said := conversation{cmd: cmd, clock: newCountdown(cmd.OutOrStdout(), c.SignIn.Timeout)}
			if c.SignIn.Flow == config.Browser {
				said.keyboard = &keyboard{page: c.SignIn.Page, in: cmd.InOrStdin(),
					out: cmd.OutOrStdout(), desktop: newDesktop(os.Getenv)}
			}
			if given := cmd.Flags().Changed("qr"); given && wanted || !given && c.SignIn.QR {
				said.picture = newPicture(cmd, os.Getenv, given)
			}
			defer said.clock.stop()
			if err := interruptible(func() error {
				return signIn(service, args[0], said)
			}, said.clock.stop); err != nil {
				return err
			}
			said.clock.stop()
			return welcome(cmd, store, args[0])
		},
	}
	cmd.Flags().StringVar(&service, "service", service,
		"go through the stack of `NAME` in /etc/pam.d")
	cmd.Flags().BoolVar(&wanted, "qr", false,
		"draw the page's address as a QR code, as sign_in.qr does for everybody")
	return cmd
}

// ours refuses names that are not ours. pam_aad.so would leave them to the next module of the
// stack.
func ours(name string, rules account.Rules) error {
	var spelling *account.SpellingError
	switch _, err := rules.Name(name); {
	case errors.As(err, &spelling):
		return &failure{exitNo, fmt.Sprintf("login: %q is spelled %s here", name, spelling.Right),
			"run: aadctl login " + shell.Word(spelling.Right)}
	case err != nil:
		return &failure{exitNo, fmt.Sprintf("login: %q is not a name of the configured domains",
			name),
			"configured: " + strings.Join(rules.Domains, ", ")}
	}
	return nil
}

// hasStack refuses a service without a file. libpam would use the file "other", which is not what a
// misspelled name meant.
func (o *options) hasStack(service string) error {
	if o.system().HasStack(service) {
		return nil
	}
	return &failure{exitNo, "login: there is no /etc/pam.d/" + strings.ToLower(service),
		"ls /etc/pam.d shows the services of this machine"}
}

func (o *options) system() doctor.System {
	return doctor.System{Files: os.DirFS(cmp.Or(o.root,
		"/"))}
}

// shown refuses a service that shows no code: pam_aad.so would refuse the account there without a
// word.
func shown(service string, services []string) error {
	if slices.Contains(services, strings.ToLower(service)) {
		return nil
	}
	return &failure{exitNo,
		fmt.Sprintf("login: sign_in.services does not list %s, so no code is shown there", service),
		"run: aadctl config add-service " + service}
}

// signIn runs the phases of PAM that decide whether somebody may come in.
func signIn(service, name string, c conversation) error {
	tx, err := pam.StartFunc(service, name, c.answer)
	if err != nil {
		return notSignedIn(err)
	}
	defer tx.End()
	if err := tx.Authenticate(0); err != nil {
		return notSignedIn(err)
	}
	if err := tx.AcctMgmt(0); err != nil {
		return notSignedIn(err)
	}
	return nil
}

// notSignedIn returns the failure for a return value of PAM. The module has told the rest.
func notSignedIn(err error) *failure {
	f := &failure{exitNo, "login: " + plain(err),
		"the log has a line about it: journalctl -g pam_aad, or /var/log/auth.log"}
	switch {
	case errors.Is(err, pam.ErrAuthinfoUnavail):
		f.code = exitUnreachable
	case errors.Is(err, pam.ErrService):
		f.code, f.hint = exitConfiguration, "aadctl check finds what is wrong"
	}
	return f
}

// A conversation shows what modules say. Where a code is shown, it answers a prompt with ENTER
// alone, and fails at a prompt for a password: the module that asks for one is not ours.
type conversation struct {
	cmd      *cobra.Command
	clock    *countdown
	picture  *picture  // nil if none is wanted
	keyboard *keyboard // nil if a code is shown
}

func (c conversation) answer(style pam.Style, text string) (string, error) {
	c.clock.stop()
	switch {
	case c.keyboard != nil && (style == pam.PromptEchoOn || style == pam.PromptEchoOff):
		c.picture.above(text)
		return c.keyboard.to(text, style == pam.PromptEchoOn)
	case style == pam.PromptEchoOn:
		c.picture.above(text)
		fmt.Fprintln(c.cmd.OutOrStdout(), text)
		c.clock.start()
		return "", nil
	case style == pam.TextInfo:
		fmt.Fprintln(c.cmd.OutOrStdout(), text)
		return "", nil
	case style == pam.ErrorMsg:
		fmt.Fprintln(c.cmd.ErrOrStderr(), text)
		return "", nil
	default:
		return "", errNotOurs
	}
}

func welcome(cmd *cobra.Command, store account.Store, name string) error {
	snapshot, err := store.Open()
	if err != nil {
		return inStore(err)
	}
	defer snapshot.Close()
	a, err := snapshot.ByName(name)
	if err != nil {
		return inStore(err)
	}
	as := ""
	if a.Admin {
		as = " as administrator"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s may sign in here%s: uid %d, home %s\n", a.Name,
		as, a.UID, printable(a.Home))
	return nil
}
