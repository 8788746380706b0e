// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"aadlogin/internal/config"
)

// A wanted holds the values for setup, from flags or from answers.
type wanted struct {
	tenant, client, source, resource, scope string
	domains                                 []string
	flow, page, pageFile                    string
	force                                   bool

	answered map[string]bool // keys that were answered at a question, which showed the stored value
	insisted bool            // on domains to which Entra ID objects
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
	flags.StringSliceVar(&w.domains, "domain", nil,
		"`SUFFIX` of user names after the @; may be repeated")
	flags.StringVar(&w.source, "source", "",
		"authorization.source, a `SOURCE`: check-access, role-assignments, permissions or app-roles")
	flags.StringVar(&w.resource, "resource-id", "",
		"authorization.resource_id: an `ID`, for machines that metadata does not name")
	flags.StringVar(&w.scope, "scope", "",
		"sign_in.scope: a `SCOPE` that the application exposes, or none")
	flags.StringVar(&w.flow, "flow", "", "sign_in.flow, a `FLOW`: device-code or browser")
	flags.StringVar(&w.page, "page", "",
		"sign_in.page: the `URL` of the sign-in page, as it is registered")
	flags.StringVar(&w.pageFile, "page-file", "", "write the sign-in page to `FILE`")
	flags.BoolVar(&w.force, "force", false,
		"replace values that are there, and write domains of other tenants")
	return cmd
}

func (o *options) setup(ctx context.Context, w *wanted, in io.Reader, out io.Writer) error {
	if os.Geteuid() != 0 {
		return &failure{exitNo, "setup: only root may set this machine up", "run this as root"}
	}
	if err := w.valid(); err != nil {
		return err
	}
	text, err := os.ReadFile(o.config)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	draft, err := w.draft(o.config, text)
	if err != nil {
		return err
	}
	if isTerminal(in) {
		fmt.Fprintf(out, "Looking for this machine in Azure, for %v at most …\n", patience)
	}
	found := discover(ctx, draft.Endpoints)
	found.tell(out)
	if err := w.complete(ctx, found, draft, text, in, out); err != nil {
		return err
	}
	edited, err := w.edit(o.config, text)
	if err != nil {
		return err
	}
	c, err := config.Parse(o.config, edited)
	if err != nil {
		return w.typed(err)
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
	if err := o.applyInstead(text, edited, out); err != nil {
		return errors.Join(err, page.undo())
	}
	printLeft(out, c, found)
	printPage(out, c, page)
	fmt.Fprintln(out, "\nThen see whether all is well: aadctl check")
	return nil
}

// A setting is a key of the configuration with the value that setup writes, and the flag for it.
type setting struct {
	flag, key string
	value     any
}

// settings returns the settings that have a value. The scope is not among them, because it depends
// on the file.
func (w *wanted) settings() []setting {
	var all []setting
	for _, s := range []setting{
		{"--tenant", "tenant_id", w.tenant}, {"--client", "client_id", w.client},
		{"--domain", "domains", w.domains},
		{"--source", "authorization.source", w.source}, {"--flow", "sign_in.flow", w.flow},
		{"--page", "sign_in.page", w.page},
		{"--resource-id", "authorization.resource_id", w.resource},
	} {
		if text, _ := s.value.(string); text != "" || s.flag == "--domain" && len(w.domains) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// valid checks the values of the flags one by one.
func (w *wanted) valid() error {
	all := w.settings()
	if w.scope != "" && w.scope != noScope {
		all = append(all, setting{"--scope", "sign_in.scope", w.scope})
	}
	for _, s := range all {
		if err := config.CheckValue(s.key, s.value); err != nil {
			return w.typed(err)
		}
	}
	return nil
}

// typed turns an error about a value into an error about its flag. A person who typed a flag has
// not seen the file.
func (w *wanted) typed(err error) error {
	wrong := (*config.Error)(nil)
	if !errors.As(err, &wrong) {
		return err
	}
	for _, s := range append(w.settings(), setting{"--scope", "sign_in.scope", w.scope}) {
		if s.key == wrong.Key && !w.answered[s.key] && (s.flag != "--scope" || w.scope != "") {
			return &failure{exitUsage, "setup: " + s.flag + ": " + wrong.Problem,
				"nothing was changed; " + wrong.Fix}
		}
	}
	return err
}

// draft returns the configuration with the values of the flags, and with placeholders for those
// that are still to be asked for. So mistakes in the file, or in the combination of flags, are
// found before anybody answers a question.
func (w *wanted) draft(path string, text []byte) (*config.Config, error) {
	if w.flow == config.Browser && w.page == "" && config.Words(text, "sign_in.page") == nil {
		return nil, &failure{exitUsage,
			"setup: --flow browser needs the address of the sign-in page: --page is missing",
			"nothing was changed; with --page URL --page-file FILE setup writes that page"}
	}
	d := *w
	const somebody = "ffffffff-ffff-ffff-ffff-ffffffffffff"
	d.tenant = cmp.Or(d.tenant, stored(text, "tenant_id"), somebody)
	d.client = cmp.Or(d.client, stored(text, "client_id"), somebody)
	if len(d.domains) == 0 {
		d.domains = []string{"domain.example"}
	}
	d.force = true
	edited, err := d.edit(path, text)
	if err != nil {
		return nil, err
	}
	if w.client == "" { // the scope may contain the client id
		edited, _ = config.Set(edited, "sign_in.scope", config.Spell(""))
	}
	c, err := config.Parse(path, edited)
	if err != nil {
		return nil, w.typed(err)
	}
	return c, nil
}

// edit returns the text of the file with the values.
func (w *wanted) edit(path string, text []byte) ([]byte, error) {
	before := text
	another := false // the client differs from the stored one, whose scope then goes, too
	for _, s := range w.settings() {
		var had string
		value := config.Spell(s.value)
		text, had = config.Set(text, s.key, value)
		another = another || s.key == "client_id" && w.answered[s.key] && had != value
		if had != "" && had != `""` && had != value && !w.force && !w.answered[s.key] {
			return nil, &failure{exitNo, fmt.Sprintf("setup: %s: %s is %s already, not %s", path,
				s.key, had, value),
				"nothing was changed; --force replaces it"}
		}
	}
	if scope := w.scopeFor(before); scope != "" {
		var had string
		text, had = config.Set(text, "sign_in.scope", scope)
		if had != "" && had != `""` && had != scope && !w.force && !another {
			return nil, &failure{exitNo,
				fmt.Sprintf("setup: %s: sign_in.scope is %s already, not %s", path, had, scope),
				"nothing was changed; --force replaces it"}
		}
	}
	// Only in Azure would the metadata service tell the cloud.
	if w.source == config.AppRoles {
		if edited, had := config.Set(text, "cloud", config.Spell("public")); had == "" {
			text = edited
		}
	}
	return text, nil
}

// replaceConfig replaces the file completely or not at all, and keeps the old text.
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

// restoreConfig undoes replaceConfig, which has written the text written: a command that fails
// changes nothing. A file that somebody else has changed since then stays as it is.
func restoreConfig(path string, before, written []byte) error {
	text, err := os.ReadFile(path)
	switch {
	case err != nil || !bytes.Equal(text, written) || before != nil && bytes.Equal(text, before):
		return err
	case before == nil:
		return os.Remove(path)
	}
	return config.WriteFile(path, before)
}
