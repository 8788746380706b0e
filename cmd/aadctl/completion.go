// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
)

// completionCommand prints what the package installs for the shells. Cobra's own command answers an
// unknown shell with help and success.
func completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "completion SHELL",
		Short:  "Print the completions for bash, zsh or fish",
		Hidden: true,
		Args:   exactly("SHELL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return bashCompletion(cmd.Root(), cmd.OutOrStdout())
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

// bashCompletion is cobra's script, changed for words with an @. Bash begins another word at an @,
// as at a colon (COMP_WORDBREAKS). Cobra's script can handle a colon: the completion sees the whole
// word, and bash gets the part behind it. The same is done for the @.
func bashCompletion(root *cobra.Command, out io.Writer) error {
	script := new(bytes.Buffer)
	if err := root.GenBashCompletionV2(script, true); err != nil {
		return err
	}
	const breaks, end = "_init_completion -n =: ", "\n    __aadctl_process_completion_results\n"
	text := script.String()
	if strings.Count(text, breaks) != 2 || strings.Count(text, end) != 1 {
		return fmt.Errorf("cobra's script for bash is not the one that is known here")
	}
	text = strings.ReplaceAll(text, breaks, "_init_completion -n =:@ ")
	text = strings.Replace(text, end, end+`
    # Bash replaces what is behind the last @ only.
    if [[ $cur == *@* && $COMP_WORDBREAKS == *@* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${cur%@*}@"}")
    fi
`, 1)
	_, err := io.WriteString(out, text)
	return err
}

// completeWith sets what TAB proposes for arguments and flags. Without a proposal, the shells would
// propose files.
func completeWith(o *options, root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	files := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	for path, propose := range map[string]cobra.CompletionFunc{
		"check": o.accounts(isPresent), "login": o.accounts(isPresent),
		"account show": o.accounts(anyAccount), "account set": o.accounts(isPresent),
		"account rename": o.accounts(isPresent),
		"account rebind": o.accounts(isPresent), "account remove": o.accounts(isPresent),
		"account restore": o.accounts(isRemoved),
		"account lock":    o.accounts(isUnlocked), "account unlock": o.accounts(isLocked),
		"account import": files,
		"store restore":  files, "report": files, "metrics": files,
		"config add-service": o.services, "help": topics,
	} {
		commandAt(root, path).ValidArgsFunction = propose
	}
	for path, propose := range map[string]cobra.CompletionFunc{
		" config": files, "setup page-file": files, "store dump file": files,
		"setup source": words(config.CheckAccess, config.RoleAssignments,
			config.Permissions, config.AppRoles),
		"setup flow": words(config.DeviceCode, config.Browser), "setup scope": words(noScope),
		"report account": o.anyAccount, "login service": o.shownServices,
		"account set shell": o.shells,
	} {
		at := strings.LastIndexByte(path, ' ')
		err := commandAt(root, path[:at]).RegisterFlagCompletionFunc(path[at+1:], propose)
		if err != nil {
			panic(err) // a mistake in this table
		}
	}
}

func commandAt(root *cobra.Command, path string) *cobra.Command {
	cmd, rest, err := root.Find(strings.Fields(path))
	if err != nil || len(rest) > 0 {
		panic("no command " + path) // a mistake in the tables above
	}
	return cmd
}

func words(all ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

func anyAccount(account.Account) bool   { return true }
func isRemoved(a account.Account) bool  { return !a.Removed.IsZero() }
func isPresent(a account.Account) bool  { return a.Removed.IsZero() }
func isLocked(a account.Account) bool   { return isPresent(a) && !a.Locked.IsZero() }
func isUnlocked(a account.Account) bool { return isPresent(a) && a.Locked.IsZero() }

// accounts proposes names of accounts for the first argument. Somebody is typing, so it does not
// report what is wrong with the configuration or the store.
func (o *options) accounts(want func(account.Account) bool) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) (names []string,
		_ cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		o.errout, o.warned = io.Discard, true
		store, err := o.anyStore()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		snapshot, err := store.Open()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer snapshot.Close()
		for a := range snapshot.All() {
			if a.MovedTo == 0 && want(a) && strings.HasPrefix(a.Name, begun) {
				names = append(names, a.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func (o *options) anyAccount(cmd *cobra.Command, _ []string, begun string) ([]string,
	cobra.ShellCompDirective) {
	return o.accounts(anyAccount)(cmd, nil, begun)
}

// services proposes the files of /etc/pam.d. It leaves out the copies that package managers put
// there.
func (o *options) services(_ *cobra.Command, args []string, _ string) (names []string,
	_ cobra.ShellCompDirective) {
	files, _ := os.ReadDir(filepath.Join("/", o.root, "etc/pam.d"))
	for _, f := range files {
		if len(args) == 0 && !strings.Contains(f.Name(), ".") &&
			config.CheckValue("sign_in.services", []string{f.Name()}) == nil {
			names = append(names, f.Name())
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// shownServices proposes the services that show a code.
func (o *options) shownServices(*cobra.Command, []string, string) ([]string,
	cobra.ShellCompDirective) {
	c, err := config.Load(o.config)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.SignIn.Services, cobra.ShellCompDirectiveNoFileComp
}

// shells proposes the shells of shells(5).
func (o *options) shells(*cobra.Command, []string, string) (all []string,
	_ cobra.ShellCompDirective) {
	text, _ := os.ReadFile(filepath.Join("/", o.root, "etc/shells"))
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "/") {
			all = append(all, line)
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

// topics proposes the commands below those that are typed already.
func topics(cmd *cobra.Command, args []string, _ string) (names []string,
	_ cobra.ShellCompDirective) {
	of, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, c := range of.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name()+"\t"+c.Short)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
