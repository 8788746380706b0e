// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"aadlogin/internal/config"
)

// These are the questions of setup. Each question proposes the stored value or what the machine
// knows about itself. It checks the answer at once, and asks again if something is wrong. Entra
// ID's objections are not final, because it knows nothing about guests: the same answer given twice
// is accepted.

// complete fills in the values without a flag. It asks for them on a terminal. Without a terminal
// it takes the stored values and what the machine knows.
func (w *wanted) complete(ctx context.Context, found discovered, draft *config.Config, text []byte,
	in io.Reader, out io.Writer) error {
	if found.onArc() && w.source != config.AppRoles {
		w.resource = cmp.Or(w.resource, found.resource)
	}
	tenant := cmp.Or(stored(text, "tenant_id"), found.tenant)
	client := stored(text, "client_id")
	domains := storedDomains(text)
	if !isTerminal(in) {
		w.tenant, w.client = cmp.Or(w.tenant, tenant), cmp.Or(w.client, client)
		if len(w.domains) == 0 {
			w.domains = domains
		}
		return w.missing()
	}
	w.answered = map[string]bool{}
	entra := &objector{ctx: ctx, c: *draft}
	q := questions{bufio.NewReader(in), out}
	var err error
	if w.tenant == "" {
		w.answered["tenant_id"] = true
		w.tenant, err = q.ask("Directory (tenant) ID", tenant, func(answer string) (string, error) {
			entra.c.TenantID, entra.c.Domains = strings.ToLower(answer), nil
			return entra.object("tenant_id", answer)
		})
		w.insisted = entra.objected
	}
	if err == nil && w.client == "" {
		if client == "" {
			fmt.Fprintf(out, "An app registration is made once for all machines:\n%s\n", appCreate)
		}
		w.answered["client_id"] = true
		w.client, err = q.ask("Application (client) ID", client,
			func(answer string) (string, error) {
				return "", config.CheckValue("client_id", answer)
			})
	}
	if err == nil && len(w.domains) == 0 {
		w.answered["domains"] = true
		_, err = q.ask("Domains, the part of user names after the @", strings.Join(domains, ", "),
			func(answer string) (string, error) {
				w.domains = fields(answer)
				entra.c.TenantID, entra.c.Domains = strings.ToLower(w.tenant), w.domains
				return entra.object("domains", w.domains)
			})
		w.insisted = w.insisted || entra.objected
	}
	return err
}

// missing returns an error for the first value that is still missing.
func (w *wanted) missing() error {
	switch {
	case w.tenant == "":
		return &failure{exitUsage,
			"setup: --tenant is missing, and the machine's metadata does not know it",
			"this tells it: az account show --query tenantId --output tsv"}
	case w.client == "":
		return &failure{exitUsage, "setup: --client is missing",
			"if there is no app registration yet, make it: " + appCreate}
	case len(w.domains) == 0:
		return &failure{exitUsage, "setup: --domain is missing",
			"it is the part of user names after the @"}
	default:
		return nil
	}
}

// stored returns the value of a key in the file if it is valid.
func stored(text []byte, key string) string {
	if words := config.Words(text, key); len(words) == 1 &&
		config.CheckValue(key, words[0]) == nil {
		return words[0]
	}
	return ""
}

func storedDomains(text []byte) []string {
	words := config.Words(text, "domains")
	if config.CheckValue("domains", words) != nil {
		return nil
	}
	return words
}

// fields splits an answer at commas and blanks.
func fields(answer string) []string {
	return strings.FieldsFunc(answer, func(r rune) bool {
		return r == ' ' || r == '\t' || r == ','
	})
}

// An objector asks Entra ID whether an answer is wrong.
type objector struct {
	ctx      context.Context
	c        config.Config
	silent   bool // Entra ID could not be asked, which setup says at its end
	objected bool // to the last answer
}

// object first checks the value by itself. It then returns Entra ID's objection to the
// configuration with this value.
func (o *objector) object(key string, value any) (objection string, err error) {
	o.objected = false
	if err := config.CheckValue(key, value); err != nil || o.silent {
		return "", err
	}
	ctx, cancel := context.WithTimeout(o.ctx, patience)
	defer cancel()
	wrong, _, err := contradicted(ctx, &o.c)
	o.silent, o.objected = err != nil, wrong != ""
	return wrong, nil
}

// questions asks a person on a terminal.
type questions struct {
	in  *bufio.Reader
	out io.Writer
}

// ask repeats a question until check returns no error, and no objection except one to the same
// answer as before. An empty answer stands for the proposal.
func (q questions) ask(what, proposal string, check func(string) (objection string,
	err error)) (string, error) {
	before := ""
	for {
		answer, err := q.once(what, proposal)
		if err != nil {
			return "", &failure{exitUsage, "setup: no answer: " + what, "nothing was changed"}
		}
		if answer == "" {
			fmt.Fprintln(q.out, "  This has to be known, and there is nothing to propose.")
			continue
		}
		objection, wrong := check(answer)
		switch {
		case wrong != nil:
			fmt.Fprintln(q.out, "  "+printable(problemOf(wrong)))
		case objection != "" && answer != before:
			before, proposal = answer, answer
			fmt.Fprintf(q.out, "  %s. ENTER keeps it all the same.\n", printable(objection))
		default:
			return answer, nil
		}
	}
}

func (q questions) once(what, proposal string) (string, error) {
	if proposal != "" {
		what += " [" + printable(proposal) + "]"
	}
	fmt.Fprint(q.out, what+": ")
	answer, err := q.in.ReadString('\n')
	if err != nil {
		fmt.Fprintln(q.out)
	}
	return cmp.Or(strings.TrimSpace(answer), proposal), err
}

// problemOf returns the problem with a value and its remedy, without the key, which the question
// names.
func problemOf(err error) string {
	if wrong := (*config.Error)(nil); errors.As(err, &wrong) {
		return wrong.Problem + "; " + wrong.Fix
	}
	return plain(err)
}

func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
