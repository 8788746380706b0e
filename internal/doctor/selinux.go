// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

const (
	selinuxModule = "aad_login"
	selinuxAdd    = "/usr/share/aad-login/selinux-module add"
	auditLog      = "var/log/audit/audit.log"
)

// selinux wants the policy to have our module where it is enforced, and looks for what it has denied lately. Distributions'
// policies differ, so whether a sign-in works, only a sign-in tells.
func (p *Patient) selinux(ctx context.Context) (results []Result) {
	switch text, err := p.read("sys/fs/selinux/enforce"); {
	case err != nil:
		return []Result{ok("SELinux is not enabled")}
	case strings.TrimSpace(text) != "1":
		return []Result{ok("SELinux only watches")}
	}
	said, err := p.Run(ctx, "semodule", "-l")
	switch {
	case err != nil:
		results = append(results, warning("SELinux is enforcing, and semodule does not tell its modules: "+lastLine(said)).
			fix("see whether it has the module "+selinuxModule))
	case !hasModule(said):
		found := "SELinux is enforcing without the module " + selinuxModule + ", so sshd may not ask Entra ID, nor store accounts"
		results = append(results, failed(Machine, found).run(selinuxAdd))
	}
	if denied := denials(p.tail(auditLog)); len(denied) > 0 {
		found := fmt.Sprintf("SELinux has denied what a sign-in may need, last: %s", denied[len(denied)-1])
		results = append(results, warning(found).fix("this shows all of it, and why").run("ausearch -m avc -c sshd | audit2why"))
	}
	if results == nil {
		results = []Result{ok("SELinux is enforcing, with the module %s", selinuxModule)}
	}
	return results
}

// hasModule reads semodule -l: a name on each line, in older versions with a number behind it.
func hasModule(said string) bool {
	for line := range strings.Lines(said) {
		if words := strings.Fields(line); len(words) > 0 && words[0] == selinuxModule {
			return true
		}
	}
	return false
}

// tail is the end of a file that may be large; "" if it cannot be read.
func (p *Patient) tail(file string) string {
	const enough = 1 << 20
	f, err := p.Files.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > enough {
		if seeker, ok := f.(io.Seeker); ok {
			_, _ = seeker.Seek(-enough, io.SeekEnd)
		}
	}
	text, _ := io.ReadAll(io.LimitReader(f, enough))
	return string(text)
}

var denied = regexp.MustCompile(`avc: +denied +(\{[^}]*\}) .*comm="([^"]*)"`)

// denials are those of programs that load pam_aad.so, about what it does: ask web servers, and keep files of its own.
func denials(audit string) (all []string) {
	programs := []string{"sshd", "sshd-session", "sshd-auth", "login", "su", "sudo"}
	for line := range strings.Lines(audit) {
		m := denied.FindStringSubmatch(line)
		if m == nil || !slices.Contains(programs, m[2]) {
			continue
		}
		if strings.Contains(line, "http_port_t") || strings.Contains(line, "dest=443 ") || strings.Contains(line, "aad") ||
			strings.Contains(line, "accounts.") {
			all = append(all, m[2]+" "+m[1])
		}
	}
	return all
}
