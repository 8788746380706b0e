// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/doctor"
	"aadlogin/internal/emulator"
)

// A browser talks to check --tenant. This person signs in with every code, and types the number
// that the page shows.
type browser struct {
	bytes.Buffer
	entra *emulator.Server
	lines chan string // nil: there is no terminal
	left  bool        // presses ENTER without opening the page
	waits bool        // waits until the code has expired, if the page needs nothing typed
}

var codeShown = regexp.MustCompile(`open (\S+) and enter the code (\S+)\n$`)

func (b *browser) Write(p []byte) (int, error) {
	if m := codeShown.FindSubmatch(p); m != nil {
		b.use(string(m[2]))
	}
	return b.Buffer.Write(p)
}

func (b *browser) use(code string) {
	if b.left {
		b.lines <- ""
		return
	}
	var no *emulator.Refused
	switch err := b.entra.SignIn(code, "user@contoso.example"); {
	case !errors.As(err, &no):
	case b.lines != nil:
		b.lines <- fmt.Sprint(no.AADSTS)
	case b.waits:
		b.entra.Expire(code)
	}
}

// tenantMachine returns the path of a configuration, and its tenant.
func tenantMachine(t *testing.T, lines string, change func(*emulator.Directory)) (path string,
	entra *emulator.Server) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("config.toml must belong to root")
	}
	entra = &emulator.Server{}
	d := emulator.Contoso()
	change(d)
	entra.SetDirectory(d)
	if err := entra.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { entra.Close() })
	dir := t.TempDir()
	path = filepath.Join(dir, "config.toml")
	ca := filepath.Join(dir, "ca.pem")
	text := fmt.Sprintf("tenant_id = %q\nclient_id = %q\ndomains = "+
		"[\"contoso.example\"]\nendpoints.authority = %q\nendpoints.ca_file = %q\n"+
		"endpoints.metadata = %q\nendpoints.resource_manager = %[3]q\n%[6]s", d.TenantID,
		d.ClientID, entra.EntraURL(), ca, entra.MetadataURL(), lines)
	for file, text := range map[string]string{path: text, ca: string(entra.CA())} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path, entra
}

// Each form is tried with a code of its own. The findings say what was accepted, what was refused
// and why, and what to write.
func TestCheckTenant(t *testing.T) {
	own := emulator.Contoso().ClientID + "/sign-in"
	open := func(*emulator.Directory) {}
	blocked := func(exclude ...string) func(*emulator.Directory) {
		return func(d *emulator.Directory) {
			d.Policies = []emulator.Policy{{Name: "block", Grant: "block",
				AuthenticationFlows: []string{emulator.DeviceCode}, ExcludeResources: exclude}}
		}
	}
	without := func(d *emulator.Directory) {
		d.Registration.Scopes, d.Registration.IdentifierURIs = nil, nil
	}
	for _, test := range []struct {
		name   string
		lines  string
		tenant func(*emulator.Directory)
		exit   int
		want   string // the first words of each finding
	}{
		{"all is well", "sign_in.scope = \"" + own + "\"\n", open, 0,
			`ok without sign_in.scope: accepted
ok sign_in.scope = "OWN": accepted
ok sign_in.scope = "api://OWN": accepted
ok the configuration is right as it is`},
		{"no scope yet", "", open, 0, `ok without sign_in.scope: accepted
ok sign_in.scope = "OWN": accepted
ok sign_in.scope = "api://OWN": accepted
warning Entra ID takes sign_in.scope = "OWN" | aadctl setup --tenant TENANT --client CLIENT --domain contoso.example --scope OWN`},
		{"a policy that leaves the application out", "", blocked(emulator.Contoso().ClientID),
			exitNo, `failed without sign_in.scope: refused, the page said AADSTS53003
ok sign_in.scope = "OWN": accepted
ok sign_in.scope = "api://OWN": accepted
warning Entra ID takes sign_in.scope = "OWN"; without it nobody gets in`},
		{"a policy that leaves nothing out", "sign_in.scope = \"" + own + "\"\n", blocked(), exitNo,
			`warning without sign_in.scope: refused, the page said AADSTS53003
failed sign_in.scope = "OWN": refused, the page said AADSTS53003
warning sign_in.scope = "api://OWN": refused, the page said AADSTS53003
failed no form was accepted`},
		{"a policy that Entra ID tells the machine of", "",
			func(d *emulator.Directory) { blocked()(d); d.Polling = "access_denied" }, exitNo,
			`failed without sign_in.scope: refused, the machine was told AADSTS53003
warning sign_in.scope = "OWN": refused, the machine was told AADSTS53003
warning sign_in.scope = "api://OWN": refused, the machine was told AADSTS53003
failed no form was accepted`},
		{"GUID only", "sign_in.scope = \"api://" + own + "\"\n",
			func(d *emulator.Directory) { d.Registration.ForItself = "guid" }, exitConfiguration,
			`ok without sign_in.scope: accepted
ok sign_in.scope = "OWN": accepted
failed sign_in.scope = "api://OWN": refused, the machine was told AADSTS90009
warning Entra ID takes sign_in.scope = "OWN" | aadctl setup --tenant TENANT --client CLIENT --domain contoso.example --scope OWN --force`},
		{"nothing exposed", "sign_in.scope = \"" + own + "\"\n", without, exitConfiguration,
			`ok without sign_in.scope: accepted
failed sign_in.scope = "OWN": refused, the page said AADSTS650053
warning sign_in.scope = "api://OWN": refused, the page said AADSTS500011
failed only a sign-in without a scope was accepted | aadctl setup --tenant TENANT --client CLIENT --domain contoso.example --scope none --force`},
		{"nothing exposed, and none asked for", "", without, 0, `ok without sign_in.scope: accepted
warning sign_in.scope = "OWN": refused, the page said AADSTS650053
warning sign_in.scope = "api://OWN": refused, the page said AADSTS500011
warning no scope of the application's own was accepted`},
		{"the source that asks for Azure's", "authorization.source = \"permissions\"\n", open, 0,
			`ok authorization.source = "permissions": accepted
ok the configuration is right as it is`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path, entra := tenantMachine(t, test.lines, test.tenant)
			person := &browser{entra: entra, lines: make(chan string, 8)}
			if strings.Contains(test.want, "the machine was told AADSTS53003") {
				person.lines = nil // nothing has to be typed
			}
			findings := walkThrough(t, path, person)
			var lines []string
			for _, r := range findings[2:] {
				line := string(r.Status) + " " + r.Found
				if r.Command != "" {
					line += " | " + r.Command
				}
				lines = append(lines, line)
				if r.Check != "scope" || r.Status == doctor.Failed && r.Fix == "" {
					t.Errorf("%+v", r)
				}
			}
			d := emulator.Contoso()
			want := strings.Split(strings.NewReplacer("OWN", own, "TENANT", d.TenantID, "CLIENT",
				d.ClientID).Replace(test.want), "\n")
			for i := range max(len(want), len(lines)) {
				if i >= len(want) || i >= len(lines) || !strings.HasPrefix(lines[i], want[i]) {
					t.Fatalf("got\n%s\nwant\n%s", strings.Join(lines, "\n"),
						strings.Join(want, "\n"))
				}
			}
			if got := complain(io.Discard, checkError(findings)); got != test.exit {
				t.Errorf("exit status %d, want %d", got, test.exit)
			}
		})
	}
}

// walkThrough runs check --tenant with a person at a terminal.
func walkThrough(t *testing.T, path string, b *browser) (findings []doctor.Finding) {
	t.Helper()
	o := &options{config: path}
	o.tryTenant(t.Context(), &walk{say: b, lines: b.lines},
		func(more []doctor.Finding) { findings = append(findings, more...) })
	if strings.Contains(b.String(), "eyJ") || len(findings) < 3 {
		t.Fatalf("said %s, found %+v", b, findings)
	}
	return findings
}

// A person who skips every code has learnt nothing, and nothing is wrong.
func TestCheckTenantSkipped(t *testing.T) {
	t.Parallel()
	path, entra := tenantMachine(t, "", func(*emulator.Directory) {})
	findings := walkThrough(t, path,
		&browser{entra: entra, lines: make(chan string, 8), left: true})
	for _, r := range findings[2:] {
		if r.Status != doctor.Skipped {
			t.Errorf("%+v", r)
		}
	}
	if err := checkError(findings); err != nil {
		t.Error(err)
	}
}

// Without a terminal nobody types, and codes expire. With --json, standard output has only the
// object of the schema.
func TestCheckTenantJSON(t *testing.T) {
	t.Parallel()
	path, entra := tenantMachine(t, "", func(d *emulator.Directory) { d.Registration.Scopes = nil })
	var out bytes.Buffer
	person := &browser{entra: entra, waits: true}
	if status := run(&options{config: path}, []string{"check", "--tenant", "--json", "--config",
		path}, strings.NewReader("53003\n"), &out, person); status != 0 {
		t.Errorf("exit status %d: %s%s", status, &out, person)
	}
	var findings doctor.Findings
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&findings); err != nil || !findings.OK || len(findings.Results) != 6 ||
		out.Len() > 0 && strings.TrimSpace(out.String()) != "" {
		t.Errorf("%v: %+v, rest %q", err, findings, out.String())
	}
	for i, want := range []doctor.Status{doctor.OK, doctor.OK, doctor.OK,
		doctor.Skipped, doctor.Skipped} {
		if got := findings.Results[i].Status; got != want {
			t.Errorf("result %d is %s: %+v", i, got, findings.Results[i])
		}
	}
	if !strings.Contains(person.String(), "3 of 3, scope api://") ||
		strings.Contains(person.String(), "eyJ") {
		t.Error(person.String())
	}
}

func TestCheckTenantAlone(t *testing.T) {
	for _, args := range []string{"--offline", "user@contoso.example"} {
		if status := run(new(options), []string{"check", "--tenant", args}, nil, io.Discard,
			io.Discard); status != exitUsage {
			t.Errorf("%s: exit status %d", args, status)
		}
	}
}
