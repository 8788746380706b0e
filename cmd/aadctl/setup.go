// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"aadlogin/internal/config"
)

// wanted is what setup is told, by flags or by answers.
type wanted struct {
	tenant, client, source, resource, scope string
	domains                                 []string
	flow, page, pageFile                    string
	force                                   bool
}

func setupCommand(o *options) *cobra.Command {
	w := new(wanted)
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Write the configuration, and print what is left to do in Azure",
		Long: `Write tenant, application and domains into the configuration and apply it. What
no flag says is asked for on a terminal; the machine's own metadata proposes the
tenant, and on Azure Arc the resource id. Comments and other settings stay. A
value that is there already is replaced with --force only, and the file as it
was is kept beside it, with .previous behind its name.

Entra ID is asked first whose the domains are. One that is of another tenant, or
of none, is written with --force only: people who are guests may come from there.

With a client ID that was not there before, sign_in.scope becomes a scope of the
application's own, so that Conditional Access sees it; a file that has one and no
scope stays so unless --scope asks for it.

With --page the sign-in page at that address is made ready, with --flow browser
people sign in there from now on. --page-file writes the page, with tenant and
application filled in, to be put there; over another file only if that is
confirmed on a terminal, or with --force.

At the end come the az commands that are left, for the application and filled in
for this machine. They are for a shell such as the Cloud Shell's, add to what is
there, and can be run again.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.setup(cmd.Context(), w, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&w.tenant, "tenant", "", "directory (tenant) `ID`")
	flags.StringVar(&w.client, "client", "", "application (client) `ID` of the app registration")
	flags.StringSliceVar(&w.domains, "domain", nil, "`SUFFIX` of user names after the @; may be repeated")
	flags.StringVar(&w.source, "source", "", "authorization.source: check-access, role-assignments, permissions or app-roles")
	flags.StringVar(&w.resource, "resource-id", "", "authorization.resource_id, for machines that metadata does not name")
	flags.StringVar(&w.scope, "scope", "", "sign_in.scope: a `SCOPE` that the application exposes, or none")
	flags.StringVar(&w.flow, "flow", "", "sign_in.flow: device-code or browser")
	flags.StringVar(&w.page, "page", "", "sign_in.page: the `URL` of the sign-in page, as it is registered")
	flags.StringVar(&w.pageFile, "page-file", "", "write the sign-in page to `FILE`")
	flags.BoolVar(&w.force, "force", false, "replace values that are there, and write domains of other tenants")
	return cmd
}

func (o *options) setup(ctx context.Context, w *wanted, in io.Reader, out io.Writer) error {
	text, err := os.ReadFile(o.config)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	found := discover(ctx, endpointsOf(text))
	found.tell(out)
	if err := w.complete(found, in, out); err != nil {
		return err
	}
	edited, err := w.edit(o.config, text)
	if err != nil {
		return err
	}
	c, err := config.Parse(o.config, edited)
	if err != nil {
		return err
	}
	if err := w.ofTheTenant(ctx, c, bytes.Equal(text, edited), out); err != nil {
		return err
	}
	page, err := w.newPageFile(ctx, c, in, out)
	if err != nil {
		return err
	}
	if err := page.write(); err != nil {
		return err
	}
	if err := replaceConfig(o.config, text, edited); err != nil {
		return errors.Join(err, page.undo())
	}
	if err := o.apply(out); err != nil {
		return errors.Join(err, restoreConfig(o.config, text), page.undo())
	}
	printLeft(out, c, found)
	printPage(out, c, page)
	fmt.Fprintln(out, "\nThen see whether all is well: aadctl check")
	return nil
}

// complete asks for what is missing, if somebody is there to answer, and takes from the machine what it knows.
func (w *wanted) complete(found discovered, in io.Reader, out io.Writer) error {
	if found.onArc() && w.source != config.AppRoles {
		w.resource = cmp.Or(w.resource, found.resource)
	}
	if !isTerminal(in) {
		w.tenant = cmp.Or(w.tenant, found.tenant)
		return w.missing()
	}
	q := questions{bufio.NewReader(in), out}
	if w.tenant == "" {
		w.tenant = q.ask("Directory (tenant) ID", found.tenant)
	}
	if w.client == "" {
		fmt.Fprintf(out, "An app registration is made once for all machines:\n%s\n", appCreate)
		w.client = q.ask("Application (client) ID", "")
	}
	if len(w.domains) == 0 {
		answer := q.ask("Domains, the part of user names after the @", "")
		w.domains = strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' || r == ',' })
	}
	return w.missing()
}

func (w *wanted) missing() error {
	switch {
	case w.tenant == "":
		return &failure{exitUsage, "setup: --tenant is missing, and the machine's metadata does not know it",
			"this tells it: az account show --query tenantId --output tsv"}
	case w.client == "":
		return &failure{exitUsage, "setup: --client is missing", "if there is no app registration yet, make it: " + appCreate}
	case len(w.domains) == 0:
		return &failure{exitUsage, "setup: --domain is missing", "it is the part of user names after the @"}
	default:
		return nil
	}
}

// edit puts the values into the text.
func (w *wanted) edit(path string, text []byte) ([]byte, error) {
	pairs := [][2]string{
		{"tenant_id", config.Spell(w.tenant)}, {"client_id", config.Spell(w.client)}, {"domains", config.Spell(w.domains)},
	}
	if w.source != "" {
		pairs = append(pairs, [2]string{"authorization.source", config.Spell(w.source)})
	}
	if w.flow != "" {
		pairs = append(pairs, [2]string{"sign_in.flow", config.Spell(w.flow)})
	}
	if w.page != "" {
		pairs = append(pairs, [2]string{"sign_in.page", config.Spell(w.page)})
	}
	if w.resource != "" {
		pairs = append(pairs, [2]string{"authorization.resource_id", config.Spell(w.resource)})
	}
	if scope := w.scopeFor(text); scope != "" {
		pairs = append(pairs, [2]string{"sign_in.scope", scope})
	}
	for _, pair := range pairs {
		var had string
		text, had = config.Set(text, pair[0], pair[1])
		if had != "" && had != `""` && had != pair[1] && !w.force {
			return nil, &failure{exitNo, fmt.Sprintf("setup: %s: %s is %s already, not %s", path, pair[0], had, pair[1]),
				"nothing was changed; --force replaces it"}
		}
	}
	if _, page := config.Set(text, "sign_in.page", ""); w.flow == config.Browser && (page == "" || page == `""`) {
		return nil, &failure{exitUsage, "setup: --flow browser needs the address of the sign-in page: --page is missing",
			"nothing was changed; with --page URL --page-file FILE setup writes that page"}
	}
	if w.source == config.AppRoles { // metadata, which would tell the cloud, is nowhere but in Azure
		if edited, had := config.Set(text, "cloud", config.Spell("public")); had == "" {
			text = edited
		}
	}
	return text, nil
}

// replaceConfig writes the file whole or not at all, and keeps what it was.
func replaceConfig(path string, before, after []byte) error {
	if bytes.Equal(before, after) {
		return nil
	}
	if before != nil {
		if err := config.WriteFile(path+".previous", before); err != nil {
			return err
		}
	}
	return config.WriteFile(path, after)
}

// restoreConfig undoes replaceConfig: a command that fails has changed nothing.
func restoreConfig(path string, before []byte) error {
	if before == nil {
		return os.Remove(path)
	}
	return config.WriteFile(path, before)
}

// questions are asked on a terminal.
type questions struct {
	in  *bufio.Reader
	out io.Writer
}

func (q questions) ask(what, proposal string) string {
	if proposal != "" {
		what += " [" + printable(proposal) + "]"
	}
	fmt.Fprint(q.out, what+": ")
	answer, _ := q.in.ReadString('\n')
	return cmp.Or(strings.TrimSpace(answer), proposal)
}

func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
