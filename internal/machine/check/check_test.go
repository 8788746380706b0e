// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/account"
	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

const (
	sshdConfig = "/etc/ssh/sshd_config"
	nsswitch   = "/etc/nsswitch.conf"
)

// find returns the finding about a broken precondition.
func find(t *testing.T, wrong []rig.Examined, check, found string) rig.Examined {
	t.Helper()
	for _, r := range wrong {
		if r.Check == check && regexp.MustCompile(found).MatchString(r.Found) {
			return r
		}
	}
	t.Fatalf("%s, %q is not among %+v", check, found, wrong)
	return rig.Examined{}
}

func nothing(string) []byte { return nil }

// The test breaks each precondition, finds it, runs the very command that is printed, and finds it
// mended.
func TestCheckFindsAndMends(t *testing.T) {
	rig.Must(t, "aadctl", "config", "apply")
	if wrong, status := rig.Diagnose(t, "--offline"); status != 0 || len(wrong) > 0 {
		t.Fatalf("exit status %d of a machine that works: %+v", status, wrong)
	}
	// --force overwrites what an administrator has edited.
	commands := map[string]string{"no auth line": "pam-auth-update --enable aad-login",
		"switched off": "pam-auth-update --enable aad-login",
		"no guard":     "pam-auth-update --force --enable aad-login"}
	for _, test := range []struct {
		name   string
		file   string
		change func(string) []byte
		check  string
		found  string
		status int
	}{
		{"the store is older", rig.ConfigFile, rig.BeginWith("accounts.shell = \"/bin/sh\"\n"),
			"store", "older configuration", 5},
		{"no aad", nsswitch, rig.Replace(" aad", ""), "nsswitch", "passwd: .*aad is missing", 1},
		{"aad first", nsswitch, func(text string) []byte {
			line := regexp.MustCompile(`(?m)^group:(.*) aad`)
			return line.ReplaceAll([]byte(text), []byte("group: aad $1"))
		}, "nsswitch", "group: aad .*must come after files", 1},
		{"no auth line", "/etc/pam.d/common-auth", func(text string) []byte {
			// The line break, too: an empty line is an edit, which --force would have to undo.
			return regexp.MustCompile(`(?m)^auth.*pam_aad.so.*\n`).ReplaceAll([]byte(text), nil)
		}, "pam", "sshd, auth: pam_aad.so is not asked", 1},
		{"switched off", "/etc/pam.d/common-auth", func(string) []byte { // as in docs/emergency.md
			rig.Must(t, "pam-auth-update", "--package", "--remove", "aad-login")
			return []byte(rig.FileText(t, "/etc/pam.d/common-auth"))
		}, "pam", "sshd, auth: pam_aad.so is not asked", 1},
		{"a refusal ignored", "/etc/pam.d/common-account", func(text string) []byte {
			line := regexp.MustCompile(`(?m)^account\s.*pam_aad.so`)
			return line.ReplaceAll([]byte(text), []byte("account optional pam_aad.so"))
		}, "pam", "sshd, account: .*a public key lets in who has no role", 1},
		{"no guard", "/etc/pam.d/common-account", func(text string) []byte {
			line := regexp.MustCompile(`(?m)^account.*pam_succeed_if.so.*$`)
			return line.ReplaceAll([]byte(text), nil)
		}, "pam", "module_unknown=ignore, and nothing behind it", 0},
		{"no PAM", sshdConfig, rig.BeginWith("UsePAM no\n"), "sshd", "UsePAM is no", 1},
		{"no prompts", "/etc/ssh/sshd_config.d/40-aad-login.conf",
			func(string) []byte { return []byte("LoginGraceTime 300\n") },
			"sshd", "KbdInteractiveAuthentication is no", 1},
		{"no sentence on names", rig.DropInFile, rig.Replace("*%40*,", "nobody,"), "sshd",
			"asks someone%40contoso.example, who is nobody, for a password", 0},
		{"no time", sshdConfig, rig.BeginWith("LoginGraceTime 120\n"), "sshd",
			"LoginGraceTime is 120 s", 1},
		{"no includes", "/etc/sudoers", rig.Replace("@includedir /etc/sudoers.d", ""),
			"sudo", "does not include", 1},
		{"no sudoers", "/etc/sudoers.d/aad_admins", nothing, "sudo",
			"may sign in, but not use sudo", 0},
		{"no group", rig.ConfigFile, func(text string) []byte {
			return []byte(text + "\n[accounts.groups]\n\"" + groupOID + "\" = \"nightshift\"\n")
		}, "groups", "nightshift, which is no group", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Cleanup(func() { rig.Command(t, "", "aadctl", "config", "apply") })
			for _, kept := range []string{
				"/etc/pam.d/common-account", "/etc/pam.d/common-auth", "/etc/pam.d/common-session",
				"/etc/group", sshdConfig,
			} {
				if kept != test.file { // what a printed command may change
					rig.Edit(t, kept, func(text string) []byte { return []byte(text) })
				}
			}
			rig.Edit(t, test.file, test.change)
			wrong, status := rig.Diagnose(t, "--offline")
			r := find(t, wrong, test.check, test.found)
			if status != test.status || r.Command == "" {
				t.Fatalf("exit status %d, want %d; %+v", status, test.status, r)
			}
			if want := commands[test.name]; want != "" && r.Command != want {
				t.Errorf("proposes %s, want %s", r.Command, want)
			}
			for _, r := range wrong {
				if r.Command != "" {
					rig.Must(t, "sh", "-ec", r.Command)
				}
			}
			if wrong, status := rig.Diagnose(t, "--offline"); status != 0 || len(wrong) > 0 {
				t.Errorf("exit status %d after %q: %+v", status, r.Command, wrong)
			}
		})
	}
}

const groupOID = "ffffffff-5555-6666-7777-aaaaaaaaaaaa"

// If no command can mend a fault, a sentence says what to do.
func TestCheckTells(t *testing.T) {
	for _, test := range []struct {
		name   string
		file   string
		change func(string) []byte
		check  string
		found  string
		fix    string
		status int
	}{
		{"a wrong key", rig.ConfigFile, rig.BeginWith("colour = 1\n"), "configuration",
			":1: colour: is not a key", "check its spelling", 3},
		{"an action", nsswitch, rig.Replace(" aad", " [NOTFOUND=return] aad"),
			"nsswitch", "ends the search",
			"take .NOTFOUND=return. out of", 1},
		{"a wrong sshd_config", sshdConfig, rig.BeginWith("Colour yes\n"), "sshd",
			"does not accept", "sshd -t", 1},
		{"a wrong sudoers", "/etc/sudoers.d/aad_admins", rig.BeginWith("no rule\n"), "sudo",
			"visudo -c: .*aad_admins", "sudo leaves out what is wrong", 1},
		{"one user", sshdConfig, rig.BeginWith("AllowUsers root\n"), "sshd",
			"AllowUsers is root, which keeps someone@",
			`1\*\?contoso.example `, 1},
		{"groups kept out", sshdConfig, rig.BeginWith("AllowGroups sudo\n"), "sshd",
			"AllowGroups is sudo, which keeps someone@", "aad_users ", 1},
		{"keys alone", sshdConfig, rig.BeginWith("AuthenticationMethods publickey\n"), "sshd",
			"nobody is asked to sign in", "keyboard-interactive", 0},
		{"stack ended before", "/etc/pam.d/common-account",
			rig.BeginWith("account sufficient pam_permit.so\n"), "pam",
			"sshd, account: a line before pam_aad.so ends the stack",
			"move this line to the top", 1},
		{"another file", "/etc/pam.d/common-auth",
			rig.Replace("pam_aad.so", "pam_aad.so config=/etc/other.toml"), "pam",
			"reads /etc/other.toml", "check that file", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			rig.Edit(t, test.file, test.change)
			wrong, status := rig.Diagnose(t, "--offline")
			r := find(t, wrong, test.check, test.found)
			if status != test.status || !regexp.MustCompile(test.fix).MatchString(r.Fix) {
				t.Errorf("exit status %d, want %d; %+v", status, test.status, r)
			}
		})
	}
}

// A user who may not read everything gets no incomplete report.
func TestCheckNeedsRoot(t *testing.T) {
	for _, args := range [][]string{{"check"}, {"login", "user@contoso.example"}} {
		out, status := rig.Command(t, "", "setpriv",
			append([]string{"--reuid=65534", "--clear-groups", "aadctl"}, args...)...)
		if status != 1 || !strings.Contains(out, "aadctl: hint: run this as root\n") {
			t.Errorf("%q: exit status %d, %s", args, status, out)
		}
	}
}

// A module is missing, or is no module, or others could write the store.
func TestCheckModulesAndModes(t *testing.T) {
	found, err := filepath.Glob("/lib/*/security/pam_aad.so")
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	module := found[0]
	if err := os.Rename(module, module+".away"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Rename(module+".away", module) })
	wrong, status := rig.Diagnose(t, "--offline")
	if r := find(t, wrong, "modules", "pam_aad.so is not there"); status != 1 || r.Fix == "" {
		t.Errorf("exit status %d, %+v", status, r)
	}
	if err := os.WriteFile(module, []byte("\x7fELF and no more"), 0o644); err != nil {
		t.Fatal(err)
	}
	wrong, _ = rig.Diagnose(t, "--offline")
	find(t, wrong, "modules", "pam_aad.so cannot be loaded")
	os.Rename(module+".away", module)

	grants := filepath.Join(filepath.Dir(rig.StoreFile), "grants")
	if err := os.Chmod(grants, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(grants, 0o700) })
	wrong, _ = rig.Diagnose(t, "--offline")
	rig.Must(t, "sh", "-ec", find(t, wrong, "store", "grants has mode 0755").Command)
	if wrong, status := rig.Diagnose(t, "--offline"); status != 0 || len(wrong) > 0 {
		t.Errorf("exit status %d, %+v", status, wrong)
	}
}

// The check says why an account would be let in or not, with role, scope and command. It changes
// nothing.
func TestCheckAccount(t *testing.T) {
	const oid = "dddddddd-3333-4444-5555-eeeeeeeeeeee"
	t.Cleanup(func() { rig.Entra.SetDirectory(emulator.Contoso()) })
	c := rig.SSH(t, "user@contoso.example", "true")
	c.SignIn("user@contoso.example")
	c.End()
	before, err := os.ReadFile(rig.StoreFile)
	if err != nil {
		t.Fatal(err)
	}

	out, status := rig.Command(t, "", "aadctl", "check", "user@contoso.example")
	for _, want := range []string{
		`(?m)^✓ account: user@contoso.example has uid \d+ and belongs to object ` + oid + `$`,
		`(?m)^✓ entry: getent says: user@contoso.example:`,
		`(?m)^✓ grant: last authorized as a user \S+Z by check-access, for sshd$`,
		`(?m)^✓ access: would be let in: role "[^"]+" at /subscriptions/\S+; not as administrator, for `,
	} {
		if status != 0 || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("exit status %d, no %s in\n%s", status, want, out)
		}
	}

	err = rig.Entra.Update(func(d *emulator.Directory) {
		d.Assignments = d.Assignments[:2]
	})
	if err != nil {
		t.Fatal(err)
	}
	wrong, status := rig.Diagnose(t, "user@contoso.example")
	r := find(t, wrong, "access", "would not be let in: .*login/action")
	assign := "az role assignment create --assignee-object-id " + oid +
		" --role 'Virtual Machine User Login' --scope '/subscr"
	if status != 1 || !strings.HasPrefix(r.Command, assign) {
		t.Errorf("exit status %d, %+v", status, r)
	}
	for name, found := range map[string]string{
		"User@contoso.example":  "is spelled user@contoso.example here",
		"user@fabrikam.example": "is not a name of the configured domains",
	} {
		wrong, status := rig.Diagnose(t, "--offline", name)
		if find(t, wrong, "account", found); status != 1 {
			t.Errorf("%s: exit status %d, %+v", name, status, wrong)
		}
	}
	after, err := os.ReadFile(rig.StoreFile)
	if err != nil || string(after) != string(before) {
		t.Errorf("the store changed, %v", err)
	}
	if got, err := (account.Store{}).ReadGrant(entryOf(t, "user@contoso.example")); err != nil {
		t.Errorf("the grant is gone: %v %v", got, err)
	}
}

func entryOf(t *testing.T, name string) (uid uint32) {
	t.Helper()
	_, err := fmt.Sscan(strings.Split(rig.Must(t, "getent", "passwd", name), ":")[2], &uid)
	if err != nil {
		t.Fatal(err)
	}
	return uid
}
