// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/account"
)

// At an upgrade from a version that showed a code everywhere, services that name the module
// themselves keep showing one.
func TestApplyKeepsServices(t *testing.T) {
	const ours = "auth required pam_aad.so\n"
	for _, test := range []struct {
		name, lines string
		files       map[string]string
		said        string // printed about the list
		want        string // the end of the store's list
	}{
		{"named themselves", "", map[string]string{"vpn": ours, "kiosk": ours,
			"sudo": ours, "old.vpn": ours},
			`sign_in.services now lists kiosk, vpn, too, whose own PAM files name pam_aad.so`,
			"cockpit kiosk vpn"},
		{"by the shared stack", "", map[string]string{"common-auth": ours,
			"imap": "@include common-auth\n"}, "", "cockpit"},
		{"a list is there", "services = [\"sshd\"]\n", map[string]string{"vpn": ours}, "", "sshd"},
		{"a list in several lines", "services = [\n  \"sshd\",\n]\n",
			map[string]string{"vpn": ours}, "", "sshd"},
		{"a list behind a #", "#services = [\"sshd\"]\n", map[string]string{"vpn": ours},
			"vpn, too", "cockpit vpn"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			pam := filepath.Join(dir, "etc/pam.d")
			if err := os.MkdirAll(pam, 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range test.files {
				if err := os.WriteFile(filepath.Join(pam, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			o := &options{config: filepath.Join(dir, "config.toml"), root: dir}
			text := "tenant_id = \"8a09f2d7-8415-4296-92b2-80bb4666c5fc\"\nclient_id = " +
				"\"0b3f4a5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b\"\n" +
				"domains = [\"contoso.com\"]\naccounts.directory = \"" + dir +
				"/store\"\n\n[sign_in]\n# a comment\n" + test.lines
			if err := os.WriteFile(o.config, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			// The second time, nothing is left to keep.
			for _, said := range []string{test.said, ""} {
				var out bytes.Buffer
				if err := o.apply(&out); err != nil {
					t.Fatal(err)
				}
				got := strings.Contains(out.String(), "whose own PAM files")
				if got != (said != "") || !strings.Contains(out.String(), said) {
					t.Errorf("said %s", out.String())
				}
			}
			snapshot, err := account.Store{Dir: dir + "/store"}.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer snapshot.Close()
			if got := strings.Join(snapshot.Rules().SignInServices, " "); !strings.HasSuffix(got,
				test.want) || (test.want == "sshd") != (got == "sshd") {
				t.Errorf("the store has %s", got)
			}
			if after, _ := os.ReadFile(o.config); !strings.Contains(string(after),
				"# a comment\n") || test.said == "" && string(after) != text {
				t.Errorf("%s", after)
			}
		})
	}
}

// withVPN returns options for a machine with a service of its own, whose configuration has these
// lines and no list of services, and the configuration's text.
func withVPN(t *testing.T, lines string) (o *options, text string) {
	t.Helper()
	dir := t.TempDir()
	pam := filepath.Join(dir, "etc/pam.d")
	if err := os.MkdirAll(pam, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pam, "vpn"), []byte("auth required pam_aad.so\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	text = "tenant_id = \"8a09f2d7-8415-4296-92b2-80bb4666c5fc\"\n" +
		"client_id = \"0b3f4a5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b\"\ndomains = [\"contoso.com\"]\n" +
		"accounts.directory = \"" + dir + "/store\"\n" + lines
	o = &options{config: filepath.Join(dir, "config.toml"), root: dir}
	if err := os.WriteFile(o.config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return o, text
}

// unappliable makes a configuration that cannot be applied.
const unappliable = "accounts.shell = \"/usr/bin/nosuchshell\"\n"

// A setup that also keeps services writes the file twice. Beside it is the file of before, and an
// error brings that back.
func TestSetupKeepsServices(t *testing.T) {
	for name, test := range map[string]struct {
		lines string
		fails bool
	}{"applied": {"", false}, "refused": {unappliable, true}} {
		t.Run(name, func(t *testing.T) {
			o, text := withVPN(t, test.lines+"endpoints.authority = \"https://127.0.0.1:1\"\n"+
				"endpoints.metadata = \"http://127.0.0.1:1\"\n")
			w := &wanted{client: "99991111-aaaa-2222-bbbb-3333cccc4444", force: true}
			var out bytes.Buffer
			if err := o.setup(t.Context(), w, nil, &out); (err != nil) != test.fails {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if before, _ := os.ReadFile(o.config + ".previous"); string(before) != text {
				t.Errorf("the file of before is\n%s", before)
			}
			after, _ := os.ReadFile(o.config)
			if changed := strings.Contains(string(after), w.client) &&
				strings.Contains(string(after), `"vpn"`); changed == test.fails ||
				test.fails && string(after) != text {
				t.Errorf("the file is\n%s", after)
			}
		})
	}
}

// meanwhile does something at the first line that a command prints.
type meanwhile struct{ do func() }

func (m *meanwhile) Write(p []byte) (int, error) {
	if m.do != nil {
		m.do()
		m.do = nil
	}
	return len(p), nil
}

// A command that fails brings back the file of before. What somebody else has written since is not
// its own to undo.
func TestApplyLeavesOthersEdits(t *testing.T) {
	o, text := withVPN(t, unappliable)
	edited := text + "# an administrator's\n"
	err := o.apply(&meanwhile{func() {
		if err := os.WriteFile(o.config, []byte(edited), 0o644); err != nil {
			t.Fatal(err)
		}
	}})
	if err == nil {
		t.Fatal("applied")
	}
	if after, _ := os.ReadFile(o.config); string(after) != edited {
		t.Errorf("the file is\n%s", after)
	}
}
