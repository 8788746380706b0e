// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/sshd"
)

func configCommand(o *options) *cobra.Command {
	return group(&cobra.Command{
		Use:   "config",
		Short: "Check, show, apply and change the configuration",
	}, configCheck(o), configShow(o), configApply(o), configAddService(o))
}

func configCheck(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check the configuration as the modules would read it",
		Long:  "Check the configuration as the modules would read it. Nothing is changed.",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, store, err := o.load()
			if err != nil {
				return err
			}
			if err := o.startsShell(c); err != nil {
				return err
			}
			if err := fits(store, account.RulesFrom(c)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", printable(o.config))
			return warnOfLocals(cmd.OutOrStdout(), store, account.RulesFrom(c))
		},
	}
}

// fits reports an id range that begins at an id that is in use. Other commands report a store that
// cannot be read.
func fits(store account.Store, r account.Rules) error {
	var refused *account.RangeError
	if err := store.Fit(r); errors.As(err, &refused) {
		return err
	}
	return nil
}

// warnOfLocals names the owners of ids and homes that an account may come to.
func warnOfLocals(out io.Writer, store account.Store, r account.Rules) error {
	locals, err := store.Locals()
	if err != nil {
		return err
	}
	if all := locals.Between(r.Low, r.High); len(all) > 0 {
		fmt.Fprintf(out,
			"accounts.id_range is not for accounts alone; first sign-ins that come to the id of "+
				"another are refused: %s\n",
			printable(few(all)))
	}
	var homes []string
	for _, s := range locals.SharedHomes(r) {
		homes = append(homes, s.String())
	}
	if len(homes) > 0 {
		fmt.Fprintf(out,
			"accounts.home is not for accounts alone; first sign-ins into the home of another "+
				"are refused: %s\n", printable(few(homes)))
	}
	return warnOfLeft(out, store, locals)
}

// warnOfLeft names the owners of homes from a lost store that would get other ids today. Other
// commands report a store that cannot be read.
func warnOfLeft(out io.Writer, store account.Store, locals *account.Locals) error {
	snapshot, err := store.Open()
	if err != nil {
		return nil
	}
	defer snapshot.Close()
	left, err := snapshot.Left(locals)
	if err != nil {
		return inStore(err)
	}
	for _, a := range left {
		fmt.Fprintf(out,
			"%s is not in the store, and had id %d by its home: put a backup back, or run: %s\n",
			a.Name, a.UID, printable(account.ImportCommand([]account.Account{a})))
	}
	return nil
}

func configShow(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Show every setting as it is in force, defaults too",
		Long: `Show every setting as it is in force, defaults too, as a file that says the
same.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := o.load()
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), c.Show())
			return err
		},
	}
}

func configApply(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "apply",
		Short: "Tell the name service what the configuration says",
		Long: `Write what the name service needs of the configuration (tenant, domains, id
range, home, shell, services) beside the accounts. Accounts that exist keep
their names, ids, homes and shells. Run it after every change; sign-ins do the
same.

Where the configuration has no sign_in.services, those whose own PAM files name
pam_aad.so are added to it: they were meant to show a code before there was
that list.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.apply(cmd.OutOrStdout()) },
	}
}

func (o *options) apply(out io.Writer) error {
	if _, _, err := o.load(); err != nil {
		return err
	}
	text, err := os.ReadFile(o.config)
	if err != nil {
		return err
	}
	return o.applyInstead(text, text, out)
}

// applyInstead applies the file. It had the text before when this command began (nil: there was no
// file). This command has found or written the text written. If the file cannot be applied, it gets
// the text before again, unless somebody else has changed it meanwhile.
func (o *options) applyInstead(before, written []byte, out io.Writer) error {
	kept, err := o.keepServices(before, out)
	if kept != nil {
		written = kept
	}
	if err == nil {
		err = o.applyRules(out)
	}
	if err != nil {
		return errors.Join(err, restoreConfig(o.config, before, written))
	}
	return nil
}

func (o *options) applyRules(out io.Writer) error {
	c, store, err := o.load()
	if err != nil {
		return err
	}
	if err := o.startsShell(c); err != nil {
		return err
	}
	var before account.Rules
	after := account.RulesFrom(c)
	err = store.Update(func(e *account.Edit) error {
		before = e.Rules()
		return cmp.Or(e.Fit(after), e.SetRules(after))
	})
	if err != nil {
		return inStore(err)
	}
	o.noteRules(out, c)
	if err := warnOfLocals(out, store, after); err != nil {
		return err
	}
	changes := differences(before, after)
	if len(changes) == 0 {
		fmt.Fprintf(out, "%s: nothing to change in %s\n", o.config, store.Dir)
		return leftBehind(out, store, after)
	}
	fmt.Fprintf(out, "%s: applied to %s\n", o.config, store.Dir)
	for _, change := range changes {
		fmt.Fprintln(out, "  "+change)
	}
	return leftBehind(out, store, after)
}

// noteRules says what happens to rules of sshd for groups that sign-ins change.
func (o *options) noteRules(out io.Writer, c *config.Config) {
	lines, _ := sshd.Read(os.DirFS(cmp.Or(o.root, "/"))) // aadctl check reports a file that cannot be read
	switch off := c.SignIn.ReconnectOnGroupChange == "false"; {
	case !lines.NamesGroup(c.ChangingGroups()...):
	case off:
		fmt.Fprintln(out,
			"sshd has rules by groups that sign-ins change, and "+
				"sign_in.reconnect_on_group_change is false: they are one sign-in late")
	default:
		fmt.Fprintln(out,
			"sshd has rules by groups that sign-ins change: a sign-in over ssh that changes "+
				"somebody's groups asks to connect again")
	}
}

// startsShell refuses a login shell for new accounts with which sshd would let nobody in. If sshd
// locks people into a directory, it does not look at their shell there, so only aadctl check can
// tell: it asks sshd about each account.
func (o *options) startsShell(c *config.Config) error {
	root := os.DirFS("/")
	problem := account.ShellProblem(root, c.Accounts.Shell)
	if lines, err := sshd.Read(root); problem == "" || err == nil && lines.Chroots() {
		return nil
	}
	return noShell(o.config, c.Accounts.Shell, problem)
}

// differences returns one line for each rule that changed.
func differences(before, after account.Rules) []string {
	first := before.TenantID == ""
	old, now := spell(before), spell(after)
	var lines []string
	for i := range now {
		switch {
		case first:
			lines = append(lines, now[i][0]+" = "+now[i][1])
		case old[i] != now[i]:
			lines = append(lines, fmt.Sprintf("%s = %s (was %s)", now[i][0], now[i][1], old[i][1]))
		}
	}
	return lines
}

// spell returns each rule as key and value of config.toml.
func spell(r account.Rules) [][2]string {
	return [][2]string{
		{"tenant_id", config.Spell(r.TenantID)},
		{"domains", config.Spell(r.Domains)},
		{"short_names", config.Spell(r.ShortNames)},
		{"sign_in.services", spellServices(r.SignInServices)},
		{"accounts.id_range", fmt.Sprintf("[%d, %d]", r.Low, r.High)},
		{"accounts.home", config.Spell(r.Home)},
		{"accounts.shell", config.Spell(r.Shell)},
		{"accounts.pre_auth_services", config.Spell(r.PreAuthServices)},
	}
}

func spellServices(list []string) string {
	if list == nil { // the store is of a version without this list
		return "built in"
	}
	return config.Spell(list)
}

// leftBehind names the accounts that these rules shut out, up to a limit. The rules still apply:
// the administrator has written them, and the next sign-in would apply them as well.
func leftBehind(out io.Writer, store account.Store, r account.Rules) error {
	const most = 20
	snapshot, err := store.Open()
	if err != nil {
		return inStore(err)
	}
	defer snapshot.Close()
	locals, err := store.Locals()
	if err != nil {
		return err
	}
	n := 0
	var lines []string
	for a := range snapshot.All() {
		if why := shutOut(a, r, locals); why != "" {
			if n++; n <= most {
				lines = append(lines, "  "+a.Name+": "+why)
			}
		}
	}
	if n > most {
		lines = append(lines, fmt.Sprintf("  and %d more", n-most))
	}
	if n > 0 {
		fmt.Fprintf(out, "accounts that can no longer sign in: %d\n%s\n", n,
			strings.Join(lines, "\n"))
	}
	return nil
}

// shutOut returns why these rules no longer let an account in, or "".
func shutOut(a account.Account, r account.Rules, locals *account.Locals) string {
	if !a.Removed.IsZero() {
		return ""
	}
	name, err := r.FromUPN(a.UPN)
	var short *account.ShortNameError
	switch {
	case a.TenantID != "" && a.TenantID != r.TenantID:
		return "its tenant, " + a.TenantID + ", is not tenant_id"
	case errors.As(err, &short):
		return fmt.Sprintf("its short name, %s, %s", short.Short, short.Problem)
	case err != nil:
		return "its domain is not in domains"
	}
	a.Name = name.Account // its name from the next sign-in on
	if err := locals.NameConflict(a); err != nil {
		return "its name, " + a.Name + ", is that of a local account or group"
	}
	return ""
}
