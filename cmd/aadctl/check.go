// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aadlogin/internal/config"
	"aadlogin/internal/doctor"
	"aadlogin/internal/signin"
)

func checkCommand(o *options) *cobra.Command {
	var offline, asJSON, schema, tenant bool
	cmd := &cobra.Command{
		Use:   "check [ACCOUNT]",
		Short: "Find out what keeps people from signing in, and what to do about it",
		Long: `Look at everything a sign-in needs: configuration, store, modules, name
service, PAM, sshd, sudo; then the network: Entra ID, metadata, Azure. With an
ACCOUNT, also whose it is and whether and why it would be let in. Nothing is
changed. What is wrong comes with the command, or the words, that mend it.

With --tenant, only what a sign-in needs in the tenant: with each form of
sign_in.scope it asks for a code and waits for somebody to sign in with it, and
then says which forms Entra ID takes, why it refuses the others, and what to
write into the configuration. Where sign_in.page is set, it goes that way once: it
shows an address, takes what the page gives, and says whether that is good and how
long; with sign_in.flow "browser" there are no codes to try. No account is made,
and nobody is let in.

With --json there is one object: "ok", and "results", a list of objects with
"check" (a word that stays), "status" (ok, warning, failed, skipped), "found",
and where they apply "kind" of a failure (configuration, unreachable, store),
"fix" in words, and "command" to run as root, or with az. --schema prints the
JSON Schema of that, and checks nothing.

The exit status is 0 if nothing failed; otherwise that of the first failure.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return arguments(cmd, []string{"ACCOUNT"}, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if schema {
				_, err := io.WriteString(cmd.OutOrStdout(), doctor.Schema)
				return err
			}
			if tenant && (offline || len(args) > 0) {
				return usage("check: --tenant goes with neither --offline nor an ACCOUNT")
			}
			if os.Geteuid() != 0 {
				return &failure{exitNo, "check: only root may read all that is looked at",
					"run this as root"}
			}
			out := newPaper(cmd.OutOrStdout(), os.Getenv)
			var findings []doctor.Finding
			tell := func(more []doctor.Finding) {
				findings = append(findings, more...)
				if !asJSON {
					out.findings(more)
				}
			}
			if tenant {
				o.examineTenant(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), tell)
			} else {
				o.examine(cmd.Context(), args, offline, tell)
			}
			if asJSON {
				if err := printJSON(cmd.OutOrStdout(), findings); err != nil {
					return err
				}
			} else {
				out.sum(findings)
			}
			return checkError(findings)
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "ask nobody over the network")
	cmd.Flags().BoolVar(&tenant, "tenant", false,
		"try with a few sign-ins what Entra ID takes: which sign_in.scope, and the sign-in page")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of the findings")
	return cmd
}

func (o *options) examine(ctx context.Context, args []string, offline bool,
	tell func([]doctor.Finding)) {
	c, err := config.Load(o.config)
	if err != nil {
		tell([]doctor.Finding{brokenConfiguration(err)})
		return
	}
	tell([]doctor.Finding{{Check: "configuration", Status: doctor.OK,
		Found: o.config + " can be used"}})
	h := &doctor.Host{
		System: doctor.System{Files: os.DirFS("/"), Run: runProgram},
		Config: c, ConfigPath: o.config,
	}
	if len(args) > 0 {
		h.Account = args[0]
	}
	h.Local(ctx, tell)
	var probe *signin.Probe
	if !offline {
		probe = h.Remote(ctx, tell)
	}
	if h.Account != "" {
		h.Person(ctx, probe, tell)
		if last := o.lastRefusal(ctx, h.Account, time.Now()); last != nil {
			tell(last)
		}
	}
}

// brokenConfiguration returns the only finding for a broken configuration. Every other check would
// need it.
func brokenConfiguration(err error) doctor.Finding {
	finding := doctor.Finding{Check: "configuration", Status: doctor.Failed,
		Kind: doctor.Configuration, Found: err.Error()}
	var own *config.Error
	if errors.As(err, &own) {
		words, command, _ := strings.Cut(own.Fix, "run: ")
		finding.Found, finding.Fix, finding.Command = own.What(),
			strings.TrimSuffix(words, ", or "), command
	}
	return finding
}

func runProgram(ctx context.Context, program string, args ...string) (string, error) {
	out, err := command(ctx, program, args...).CombinedOutput()
	return string(out), err
}

// command returns a program of the system with a fixed environment, whatever ours is.
func command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.WaitDelay = time.Second
	return cmd
}

func printJSON(w io.Writer, findings []doctor.Finding) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(doctor.Findings{OK: checkError(findings) == nil, Results: findings})
}

// checkError returns the error that gives aadctl check its exit status.
func checkError(findings []doctor.Finding) error {
	n := 0
	for _, r := range findings {
		if r.Status == doctor.Failed {
			n++
		}
	}
	first := slices.IndexFunc(findings,
		func(r doctor.Finding) bool { return r.Status == doctor.Failed })
	if first < 0 {
		return nil
	}
	return &failure{exitFor(findings[first].Kind), fmt.Sprintf("check: failed: %d, first: %s", n,
		findings[first].Check), ""}
}

func exitFor(kind doctor.Kind) int {
	switch kind {
	case doctor.Configuration:
		return exitConfiguration
	case doctor.Unreachable:
		return exitUnreachable
	case doctor.Store:
		return exitStore
	default:
		return exitNo
	}
}
