// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aadlogin/internal/config"
)

// Each limit is read as its program does, and the printed command raises it.
func TestClocks(t *testing.T) {
	const login, cockpit, sudo = "etc/login.defs", "etc/cockpit/cockpit.conf", "etc/sudoers"
	for name, test := range map[string]struct {
		service, file, text string
		found               string // "" for nothing
		after               string // in the file
	}{
		"login, by default": {"login", login, "# LOGIN_TIMEOUT 300\n",
			"login on the console ends a sign-in after 1m0s", "\nLOGIN_TIMEOUT 300\n"},
		"login": {"login", login, "LOGIN_TIMEOUT\t\t45\nUMASK 022\n",
			"after 45s (LOGIN_TIMEOUT", "UMASK 022\nLOGIN_TIMEOUT 300\n"},
		"login, long": {"login", login, "LOGIN_TIMEOUT 281\n", "", ""},
		"login, none": {"login", login, "LOGIN_TIMEOUT 0\n", "", ""},
		"cockpit, by default": {"cockpit", cockpit, "[WebService]\ntimeout = 500\n",
			"Cockpit ends a sign-in after 30s", "[basic]\ntimeout = 280\nresponse-timeout = 280\n"},
		"cockpit, one of the two": {"cockpit", cockpit, "[Basic]\nTimeout = 500\n", "after 1m0s",
			"response-timeout = 280"},
		"cockpit, both": {"cockpit", cockpit, "[basic]\ntimeout=280\nresponse-timeout = 280\n",
			"", ""},
		"sudo, by default": {"sudo", sudo, "Defaults env_reset\n# Defaults passwd_timeout=1\n", "",
			""},
		"sudo": {"sudo", sudo,
			"Defaults:%aad_users env_reset, passwd_timeout = 1.5, insults\n",
			"sudo ends a sign-in after 1m30s (passwd_timeout in /etc/sudoers)",
			"passwd_timeout = 5, insults"},
		"sudo, none": {"sudo", sudo, "Defaults passwd_timeout=0\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{"etc/pam.d/" + test.service: {},
				test.file: {Data: []byte(test.text)}}
			c := &config.Config{}
			c.SignIn.Timeout, c.SignIn.Services = 280*time.Second,
				[]string{"login", "cockpit", "sudo"}
			h := &Host{Config: c, System: System{Files: root}}
			findings := h.clocks(t.Context())
			if test.found == "" {
				expect(t, findings, OK, "no program is known")
				return
			}
			expect(t, findings, Warning, test.found)
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			command, _, _ := strings.Cut(strings.ReplaceAll(findings[0].Command,
				"/"+test.file, file), " && visudo")
			if out, err := exec.Command("sh", "-ec", command).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got, _ := os.ReadFile(file); !strings.Contains(string(got), test.after) {
				t.Errorf("%s: %q", command, got)
			}
			if c.SignIn.Services = nil; len(h.clocks(t.Context())) != 1 ||
				h.clocks(t.Context())[0].Status != OK {
				t.Error("a service that shows no code")
			}
		})
	}
}

// If the vendor's login.defs is below /usr, no file is made in /etc, because it would be the only
// one read.
func TestLoginDefsOfTheVendor(t *testing.T) {
	const vendors, own = "usr/etc/login.defs", "etc/login.defs.d/99-aad-login.defs"
	root := fstest.MapFS{"etc/pam.d/login": {},
		vendors: {Data: []byte("UMASK 022\nLOGIN_TIMEOUT 45\n")}}
	c := &config.Config{}
	c.SignIn.Timeout, c.SignIn.Services = 280*time.Second, []string{"login"}
	h := &Host{Config: c, System: System{Files: root}}
	findings := h.clocks(t.Context())
	expect(t, findings, Warning, "login on the console ends a sign-in after 45s")
	dir := t.TempDir()
	command := strings.ReplaceAll(findings[0].Command, "/etc/", dir+"/etc/")
	if out, err := exec.Command("sh", "-ec", command).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "etc/login.defs")); err == nil {
		t.Error("there is an /etc/login.defs now")
	}
	text, err := os.ReadFile(filepath.Join(dir, own))
	if err != nil {
		t.Fatal(err)
	}
	root[own] = &fstest.MapFile{Data: text}
	expect(t, h.clocks(t.Context()), OK, "no program is known")
}
