// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aadlogin/internal/config"
)

const goodSSHD = "usepam yes\nkbdinteractiveauthentication yes\npasswordauthentication " +
	"no\nlogingracetime 300\nusedns no\n"

// misspelt is the output for a name that belongs to nobody.
const misspelt = "usepam yes\nkbdinteractiveauthentication no\npasswordauthentication no\nbanner " +
	"/usr/share/aad-login/name-spelling\n"

// sshdOf returns a machine with these files, whose sshd -T prints said.
func sshdOf(said, version string, files map[string]string) *Host {
	root := fstest.MapFS{"usr/sbin/sshd": {Mode: 0o755}, "etc/debian_version": {}}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	c := &config.Config{Domains: []string{"contoso.com"}}
	c.SignIn.Timeout, c.SignIn.ReuseWindow = 280*time.Second, time.Hour
	return &Host{Config: c,
		System: System{Files: root, Run: func(_ context.Context, program string,
			args ...string) (string, error) {
			switch {
			case program == sshdProgram && args[0] == "-V":
				return version, nil
			case program == sshdProgram &&
				(strings.Contains(args[2], "%40") || strings.Contains(args[2], "@contoso.com@")):
				return misspelt, nil
			case program == sshdProgram:
				return said, nil
			case program == "id":
				return "alice@contoso.com aad_users wheel\n", nil
			}
			return "", errors.New("exit status 1")
		}}}
}

func TestSSHD(t *testing.T) {
	for _, test := range []struct {
		said   string
		status Status
		found  string
	}{
		{goodSSHD, OK, "asks someone@contoso.com to sign in"},
		{strings.Replace(goodSSHD, "usepam yes", "usepam no", 1), Failed, "UsePAM is no"},
		{goodSSHD + "challengeresponseauthentication yes\n", OK, "to sign in"},
		{goodSSHD + "challengeresponseauthentication no\n", Failed,
			"ChallengeResponseAuthentication is no"},
		{strings.Replace(goodSSHD, "ation yes", "ation no", 1), Failed,
			"KbdInteractiveAuthentication is no"},
		{strings.Replace(goodSSHD, "wordauthentication no", "wordauthentication yes", 1), Failed,
			"PasswordAuthentication is yes for someone@contoso.com"},
		{strings.Replace(goodSSHD, "300", "280", 1), Failed, "LoginGraceTime is 280 s"},
		{strings.Replace(goodSSHD, "300", "281", 1), OK, "to sign in"},
		{strings.Replace(goodSSHD, "300", "0", 1), OK, "to sign in"},
		{strings.Replace(goodSSHD, "usedns no", "usedns yes", 1), Warning, "UseDNS is yes"},
		{strings.NewReplacer("usepam", "UsePAM", "kbdi", "KbdI", "loging", "LoginG").
			Replace(goodSSHD), OK, "to sign in"},
		{goodSSHD + "allowgroups sudo\nallowgroups aad_*\n", OK, "to sign in"},
		{goodSSHD + "allowgroups sudo adm\n", Failed, "AllowGroups is sudo adm, which keeps"},
		{goodSSHD + "allowgroups sudo aad_admins\n", Warning,
			"once a sign-in has brought one of these groups"},
		// Exceptions only count in a list of patterns, and these are two lists.
		{goodSSHD + "allowgroups *\nallowgroups !aad_users\n", OK, "to sign in"},
		{goodSSHD + "denygroups aad_users\n", Failed, "DenyGroups"},
		{goodSSHD + "denyusers some*\n", Failed, "DenyUsers is some*, which keeps"},
		{goodSSHD + "denyusers some*@192.0.2.0/24\n", Warning,
			"out where it comes from 192.0.2.0/24"},
		{goodSSHD + "allowusers root\n", Failed, "AllowUsers is root, which keeps"},
		{goodSSHD + "allowusers someone@contoso.com\n", Failed, "AllowUsers"},
		{goodSSHD + "allowusers root alice?contoso.com\n", Warning, "lets nobody else in"},
		{goodSSHD + "allowusers [a-z]*\n", Failed, "AllowUsers"}, // no ranges in sshd's patterns
		{goodSSHD + "refuseconnection yes\n", Failed, "RefuseConnection is yes"},
		{goodSSHD + "chrootdirectory none\n", OK, "to sign in"},
		{goodSSHD + "chrootdirectory /srv/%u\n", OK, "to sign in"},
		{goodSSHD + "chrootdirectory /srv/none\n", Failed, "/srv/none is no directory"},
		{goodSSHD + "authenticationmethods publickey\n", Warning, "nobody is asked to sign in"},
		{goodSSHD + "authenticationmethods publickey,keyboard-interactive\n", OK, "to sign in"},
		{goodSSHD + "authenticationmethods any\n", OK, "to sign in"},
	} {
		expect(t, sshdOf(test.said, "OpenSSH_9.2p1", nil).sshd(t.Context()), test.status,
			test.found)
	}
}

// If sshd does not read the package's lines, one line mends everything that is missing. If nothing
// is missing, it is reported all the same.
func TestDropInIsNotRead(t *testing.T) {
	files := map[string]string{"etc/ssh/sshd_config": "Port 22\n",
		"etc/ssh/sshd_config.d/40-aad-login.conf": "LoginGraceTime 300\n"}
	const include = `sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config`
	bad := strings.NewReplacer("ation yes", "ation no", "300", "120", "wordauthentication no",
		"wordauthentication yes").Replace(goodSSHD)
	for said, status := range map[string]Status{goodSSHD: Warning, bad: Failed} {
		findings := sshdOf(said, "", files).sshd(t.Context())
		expect(t, findings, status, "sshd does not read /etc/ssh/sshd_config.d/40-aad-login.conf")
		if len(findings) != 1 || findings[0].Command != include {
			t.Errorf("%+v", findings)
		}
	}
	// Before 8.2, Include is an error, so no line would mend it.
	old := sshdOf(bad, "", files)
	run := old.Run
	old.Run = func(ctx context.Context, program string, args ...string) (string, error) {
		if slices.Contains(args, "Include=/dev/null") {
			return "command-line: line 0: Bad configuration option: Include\n",
				errors.New("exit status 255")
		}
		return run(ctx, program, args...)
	}
	findings := old.sshd(t.Context())
	expect(t, findings, Failed, "LoginGraceTime is 120 s")
	for _, r := range findings {
		if strings.Contains(r.Found, sshdDropIn) || strings.Contains(r.Command, "Include") {
			t.Errorf("%+v", r)
		}
	}
	files["etc/ssh/sshd_config"] = "Include /etc/ssh/sshd_config.d/*.conf\n"
	expect(t, sshdOf(goodSSHD, "", files).sshd(t.Context()), OK, "to sign in")
}

// The output of sshd -T differs from the running sshd if a file is newer than the PidFile.
func TestNotReloaded(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	stat := "42 (sshd) " + strings.Repeat("0 ", 19) + "6000 0\n" // a minute after the boot
	for name, test := range map[string]struct {
		pid     time.Duration // when the PidFile was written, after began
		file    time.Duration // when the other file was written
		comm    string
		changed bool
	}{
		"as it was":                     {0, -time.Hour, "sshd\n", false},
		"edited":                        {0, time.Second, "sshd\n", true},
		"edited and reloaded":           {2 * time.Second, time.Second, "sshd\n", false},
		"another program":               {0, time.Second, "cron\n", false},
		"the clock was behind at first": {-1000 * time.Hour, -time.Minute, "sshd\n", false},
		"behind, and edited since":      {-1000 * time.Hour, time.Minute, "sshd\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			h := sshdOf(goodSSHD+"pidfile /run/sshd.pid\n", "",
				map[string]string{"run/sshd.pid": "42\n", "proc/42/comm": test.comm,
					"proc/42/stat": stat, "proc/stat": fmt.Sprintf("cpu 1\nbtime %d\nx 1\n",
						began.Add(-time.Minute).Unix()),
					"etc/ssh/sshd_config":          "Include sshd_config.d/*.conf\n",
					"etc/ssh/sshd_config.d/a.conf": ""})
			root := h.Files.(fstest.MapFS)
			root["run/sshd.pid"].ModTime = began.Add(test.pid)
			root["etc/ssh/sshd_config.d/a.conf"].ModTime = began.Add(test.file)
			findings := h.sshd(t.Context())
			if !test.changed {
				expect(t, findings, OK, "to sign in")
				if len(findings) != 1 {
					t.Errorf("%s", told(findings...))
				}
				return
			}
			expect(t, findings, Failed,
				"/etc/ssh/sshd_config.d/a.conf has changed since sshd read it")
		})
	}
}

// sshd -T fails where a Match line needs what -C leaves out.
func TestMatchOfThisEnd(t *testing.T) {
	for text, want := range map[string]string{
		"": "22", "Port 2200\nPort 22\nMatch LocalPort 2222\n": "2200"} {
		h := sshdOf(goodSSHD, "", map[string]string{"etc/ssh/sshd_config": text})
		run := h.Run
		h.Run = func(ctx context.Context, program string, args ...string) (string, error) {
			if slices.Contains(args, "-C") && !strings.HasSuffix(strings.Join(args, " "),
				",laddr=127.0.0.1,lport="+want) {
				return "'Match LocalPort' in configuration but 'lport' not in connection test " +
					"specification.\n", errors.New("exit status 255")
			}
			return run(ctx, program, args...)
		}
		expect(t, h.sshd(t.Context()), OK, "to sign in")
	}
}

func TestNologin(t *testing.T) {
	files := map[string]string{"etc/pam.d/sshd": "account required pam_nologin.so\n",
		"etc/nologin": ""}
	expect(t, sshdOf(goodSSHD, "", files).sshd(t.Context()), Failed, "/etc/nologin is there")
	files["etc/pam.d/sshd"] = ""
	expect(t, sshdOf(goodSSHD, "", files).sshd(t.Context()), OK, "to sign in")
}

// SUSE has its own file below /usr, which one in /etc would replace. So the command writes to the
// directory that it includes.
func TestSSHDConfigOfTheVendor(t *testing.T) {
	said := strings.NewReplacer("ation yes", "ation no", "300", "120").Replace(goodSSHD)
	h := sshdOf(said, "",
		map[string]string{"usr/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\n"})
	file := filepath.Join(t.TempDir(), "file")
	for _, r := range h.sshd(t.Context()) {
		command := strings.ReplaceAll(r.Command, "/etc/ssh/sshd_config.d/00-local.conf", file)
		if command == r.Command {
			t.Fatalf("%+v", r)
		}
		if out, err := exec.Command("sh", "-ec", command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v, %s", command, err, out)
		}
	}
	const want = "Match Group aad_users\n\tKbdInteractiveAuthentication yes\nMatch " +
		"all\nLoginGraceTime 300\n"
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%v, %q", err, got)
	}
}
