// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

func TestNamesResolveWithoutEntra(t *testing.T) {
	rig.Stored(t, "admin@contoso.example")
	rig.Entra.Close()
	defer func() {
		if err := rig.StartEntra(); err != nil {
			t.Fatal(err)
		}
	}()
	passwd := strings.Split(
		strings.TrimSpace(rig.Must(t, "getent", "passwd", "admin@contoso.example")), ":")
	uid := passwd[2]
	want := []string{
		"admin@contoso.example", "*", uid, uid, "admin@contoso.example",
		"/home/admin@contoso.example", "/bin/bash",
	}
	if strings.Join(passwd, ":") != strings.Join(want, ":") {
		t.Errorf("entry %q, want %q", passwd, want)
	}
	for _, query := range [][]string{
		{"passwd", uid}, {"group", uid}, {"group", "admin@contoso.example"},
		{"group", "aad_users"}, {"group", "aad_admins"},
		{"group", "1879048192"}, {"group", "1879048193"},
	} {
		rig.Must(t, "getent", query...)
	}
	members := rig.Must(t, "getent", "group", "aad_admins")
	if !strings.Contains(members, "admin@contoso.example") {
		t.Errorf("members of aad_admins: %s", members)
	}
	for _, database := range []string{"passwd", "group"} { // enumeration
		all := rig.Must(t, "getent", database)
		if !strings.Contains(all, "\nadmin@contoso.example:") {
			t.Errorf("getent %s does not list the account", database)
		}
	}
	owner := rig.Must(t, "ls", "-ld", "/home/admin@contoso.example")
	if !strings.Contains(owner, "admin@contoso.example admin@contoso.example") {
		t.Errorf("ls says %s", owner)
	}
	groups := rig.Must(t, "id", "admin@contoso.example")
	if !strings.Contains(groups, "1879048192(aad_users)") ||
		!strings.Contains(groups, "1879048193(aad_admins)") {
		t.Errorf("id says %s", groups)
	}
}

// The machine does not know a new name. sshd does, because it looks the name up before it
// authenticates.
func TestNeverSeenName(t *testing.T) {
	for _, name := range []string{"never@contoso.example", "never@foreign.example"} {
		if out, status := rig.Command(t, "", "getent", "passwd", name); status != 2 {
			t.Errorf("getent knows %s: %s", name, out)
		}
	}
	c := rig.SSH(t, "never@contoso.example")
	c.Prompted()
	before := rig.Requests("devicecode")
	c = rig.SSH(t, "never@foreign.example")
	c.Expect(`[Pp]assword: `)
	if n := rig.Requests("devicecode") - before; n != 0 {
		t.Errorf("%d device codes for a foreign domain", n)
	}
}

// A PAM application may hand over each name of the vectors that C and Go read.
func TestNamesThroughPAM(t *testing.T) {
	text, err := os.ReadFile("../../../testdata/names/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	mark := rig.Syslog.Mark()
	answers := map[string]int{}
	var short string
	for line := range strings.Lines(string(text)) {
		setting, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		quoted, expect, _ := strings.Cut(strings.TrimSpace(line), " expect: ")
		name, err := strconv.Unquote(quoted)
		switch {
		case setting == "short_names":
			short = map[string]string{"on": "true", "off": "false"}[value]
		case setting == "domains":
			reconfigure(t, short, strings.Fields(value))
		case err == nil && name != "": // libpam would ask for it
			what, right, _ := strings.Cut(expect, " ")
			answers[what]++
			namedThroughPAM(t, name, what, right)
		}
	}
	if answers["ours"] < 20 || answers["spelled"] < 10 || answers["foreign"] < 100 {
		t.Errorf("names: %v", answers)
	}
	rig.Eventually(t, "a line for each name in another spelling", rig.Patience, func() bool {
		return len(rig.Syslog.Find(mark, "misspelt-name")) == answers["spelled"]
	})
	rig.Syslog.Exactly(t, mark, 4, `denied reason="no-short-name"`)
	if got := rig.Syslog.Find(mark, "configuration-error|worker-failed"); len(got) != 0 {
		t.Errorf("log %q", got)
	}
}

// reconfigure changes which names are ours for the length of a test, for this process and for the
// name service.
func reconfigure(t *testing.T, short string, domains []string) {
	t.Helper()
	// This runs after the file has been restored.
	t.Cleanup(func() { rig.Must(t, "aadctl", "config", "apply") })
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		lines := fmt.Sprintf("domains = [\"%s\"]\nshort_names = %s",
			strings.Join(domains, `", "`), short)
		old := regexp.MustCompile(`(?m)^domains = .*(\nshort_names = .*)?$`)
		return old.ReplaceAllLiteral([]byte(s), []byte(lines))
	})
	rig.Must(t, "aadctl", "config", "apply")
}

// The module in C answers at once for a name that is not ours. A worker would fail, because the
// configuration does not exist.
func namedThroughPAM(t *testing.T, name, what, right string) {
	t.Helper()
	before, err := os.ReadFile(rig.StoreFile)
	if err != nil {
		t.Fatal(err)
	}
	asked := len(rig.Entra.Requests())
	h := rig.NewHost(t, name, "")
	h.Prompt = func(string) error { return errors.New("hung up") }
	err = h.Tx.Authenticate(0)
	told, silent := strings.Join(h.Told, "\n"), len(rig.Entra.Requests()) == asked
	switch what {
	case "ours":
		if !errors.Is(err, pam.ErrConv) || silent {
			t.Errorf("%q: %v, told %q", name, err, told)
		}
	case "spelled":
		if !errors.Is(err, pam.ErrPermDenied) || !silent ||
			!strings.Contains(told, "This account is spelled "+right+" on") {
			t.Errorf("%q: %v, told %q", name, err, told)
		}
	default:
		noShortName := name + " cannot sign in to this machine: its name here would be "
		if errors.Is(err, pam.ErrPermDenied) && silent && strings.Contains(told, noShortName) {
			break // its short name is a number, or a group of rights: nobody's, and told so
		}
		if !errors.Is(err, pam.ErrUserUnknown) || !silent || told != "" {
			t.Errorf("%q: %v, told %q", name, err, told)
		}
		h = rig.NewHost(t, name, "config=/nonexistent")
		err, again := h.Tx.Authenticate(0), h.Tx.AcctMgmt(0)
		if !errors.Is(err, pam.ErrUserUnknown) || errors.Is(again, pam.ErrService) ||
			h.Told != nil {
			t.Errorf("%q reached a worker: %v, %v, told %q", name, err, again, h.Told)
		}
	}
	if after, err := os.ReadFile(rig.StoreFile); err != nil || !bytes.Equal(before, after) {
		t.Errorf("%q: the store changed, %v", name, err)
	}
}

// A person who types such a name sees ssh's own refusal, a stranger's password prompt, or the right
// spelling.
func TestStrangeNamesThroughSSH(t *testing.T) {
	before := rig.Requests("devicecode")
	for _, name := range []string{
		"-user@contoso.example", "a b@contoso.example", "a`id`@contoso.example",
		"user@contoso.example\n", "user\x1b[2J@contoso.example",
		"uſer@contoso.example", "user$@contoso.example", "a,b@contoso.example",
		"~root@contoso.example", "user@@contoso.example", "user@contoso.example.",
		"../etc/passwd@contoso.example", "user@contoso.example@contoso.example",
		strings.Repeat("a", 300) + "@contoso.example",
	} {
		c := rig.Open(t, "ssh", rig.SSHArgs("-tt", "-l", name, "127.0.0.1")...)
		c.Expect(`remote username contains invalid characters|[Pp]assword: |A name of this machine is written with one @`)
		if strings.Contains(c.All(), "Signing in to") {
			t.Errorf("%q is somebody", name)
		}
	}
	if n := rig.Requests("devicecode") - before; n != 0 {
		t.Errorf("%d device codes", n)
	}
	// sshd takes the text behind a colon for the style of authentication, not for a part of the
	// name.
	c := rig.Open(t, "ssh",
		rig.SSHArgs("-tt", "-l", "user@contoso.example:style", "127.0.0.1", "id -un")...)
	c.Expect(`Signing in to \S+ as user@contoso\.example \(sshd, `)
	c.SignIn("user@contoso.example")
	c.Expect(`\nuser@contoso\.example\n`)
}

// ssh refuses an apostrophe on the command line, and takes it in its configuration file.
func TestNameWithApostrophe(t *testing.T) {
	const name = "o'neill@contoso.example"
	employ(t, name)
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("User \""+name+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := rig.Open(t, "ssh",
		append(rig.SSHArgs("-tt", "-F", file), "127.0.0.1", "id -un; cd; pwd")...)
	c.SignIn(name)
	c.Expect(`\no'neill@contoso\.example\n/home/o'neill@contoso\.example\n`)
}

// A renamed person keeps uid and home. The old name leads to nobody here, even if the directory has
// given it to somebody else.
func TestRenamedPerson(t *testing.T) {
	before, after := fmt.Sprintf("maiden%d@contoso.example", os.Getpid()),
		fmt.Sprintf("married%d@contoso.example", os.Getpid())
	employ(t, before)
	c := rig.SSH(t, before, "touch mine; echo $(id -u) $HOME")
	c.SignIn(before)
	was := c.Expect(`\n(\d+ /home/maiden\d+@contoso\.example)\n`)[1]
	err := rig.Entra.Update(func(d *emulator.Directory) {
		for i := range d.Users {
			if d.Users[i].Name == before {
				d.Users[i].Name = after
			}
		}
		for i := range d.Assignments {
			if d.Assignments[i].Principal == before {
				d.Assignments[i].Principal = after
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	c = rig.SSH(t, after, "true")
	c.SignIn(after)
	c.Expect(`Your account has been renamed to married\d+@contoso\.example on this machine; its files stay yours\. Connect again with that name\.`)
	if status, rest := c.End(); status != 255 {
		t.Errorf("exit status %d, said %q", status, rest)
	}
	c = rig.SSH(t, after, "ls; echo $(id -u) $HOME")
	c.SignIn(after)
	c.Expect(`\nmine\n` + was + `\n`)

	codes := rig.Requests("devicecode")
	c = rig.SSH(t, before, "true")
	c.Expect(`This name is no longer in use on this machine\.`)
	if status, rest := c.End(); status != 255 || rig.Requests("devicecode") != codes {
		t.Errorf("exit status %d, said %q, %d device codes", status, rest,
			rig.Requests("devicecode")-codes)
	}
	if out, status := rig.Command(t, "", "getent", "passwd", before); status != 2 {
		t.Errorf("getent knows %s", out)
	}
}

// An account with the name of a local group would get the group's permissions, because sudoers,
// sshd and polkit decide by the names of groups.
func TestNameOfLocalGroup(t *testing.T) {
	reconfigure(t, "true", []string{"example.org", "contoso.example"})
	for _, name := range []string{"operators", "operators@contoso.example"} {
		rig.Edit(t, "/etc/group", func(s string) []byte { return []byte(s + name + ":x:4243:\n") })
		asked := len(rig.Entra.Requests())
		h := rig.NewHost(t, name, "")
		err := h.Tx.Authenticate(0)
		if !errors.Is(err, pam.ErrPermDenied) ||
			!strings.Contains(strings.Join(h.Told, ""), "cannot be named like one of its groups") {
			t.Errorf("%s: %v, told %q", name, err, h.Told)
		}
		if len(rig.Entra.Requests()) != asked {
			t.Errorf("%s: Entra ID was asked", name)
		}
	}
}
