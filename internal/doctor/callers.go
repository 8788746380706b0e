// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"aadlogin/internal/signin"
)

// A sign-in asks the metadata service in a fork of the program that called PAM. A rule that decides
// by the executable (Azure's guest proxy agent, SELinux, a firewall) may therefore let aadctl
// through and forbid sign-ins, or the other way round.

// callers holds the executables that call PAM, by PAM service. Distributions install them in
// different directories.
var callers = map[string][]string{
	"sshd": {"usr/lib/openssh/sshd-session", "usr/libexec/openssh/sshd-session",
		"usr/lib/ssh/sshd-session", "usr/libexec/ssh/sshd-session",
		"usr/libexec/sshd-session", "usr/lib/sshd-session", "usr/sbin/sshd"},
	"sudo":   {"usr/bin/sudo"},
	"sudo-i": {"usr/bin/sudo"},
	"su":     {"usr/bin/su"},
	"su-l":   {"usr/bin/su"},
	"login":  {"usr/bin/login"},
	"remote": {"usr/bin/login"},
	"doas":   {"usr/bin/doas"},
	"vlock":  {"usr/sbin/vlock-main"},
	"polkit-1": {"usr/lib/polkit-1/polkit-agent-helper-1", "usr/libexec/polkit-agent-helper-1",
		"usr/libexec/polkit-1/polkit-agent-helper-1"},
	"cockpit": {"usr/lib/cockpit/cockpit-session", "usr/libexec/cockpit-session"},
}

// promptless holds executables that call only the account phase, which is independent of
// sign_in.services.
var promptless = []string{"usr/sbin/cron", "usr/sbin/crond", "usr/sbin/atd",
	"usr/lib/systemd/systemd-executor", "usr/lib/systemd/systemd"}

// metadataCallers returns the executables of this machine that ask the metadata service in
// sign-ins, and the listed services whose executable is unknown.
func (h *Host) metadataCallers() (executables, unknown []string) {
	found := func(candidates []string) bool {
		here := h.present(candidates)
		executables = append(executables, here...)
		return len(here) > 0
	}
	for _, service := range h.Config.SignIn.Services {
		if candidates, known := callers[service]; !found(candidates) && !known {
			unknown = append(unknown, service)
		}
	}
	found(promptless)
	slices.Sort(executables)
	return slices.Compact(executables), unknown
}

// present returns the candidates that exist, named as /proc/PID/exe names them. Of several sshd
// executables only the first counts, since that one calls PAM: from 9.8 on it is sshd-session.
func (h *Host) present(candidates []string) (found []string) {
	for _, name := range candidates {
		name, ends := h.follow(name)
		if !ends || !h.exists(name) {
			continue
		}
		found = append(found, "/"+name)
		if strings.HasPrefix(path.Base(name), "sshd") {
			break
		}
	}
	return found
}

// follow returns the file at the end of a chain of symbolic links, and whether there is an end.
func (h *Host) follow(name string) (string, bool) {
	for range 8 {
		to, err := fs.ReadLink(h.Files, name)
		switch {
		case err != nil:
			return name, true
		case path.IsAbs(to):
			name = path.Clean(to)[1:]
		default:
			name = path.Join(path.Dir(name), to)
		}
	}
	return "", false
}

// mustAsk returns what the author of a rule must know.
func (h *Host) mustAsk() string {
	executables, unknown := h.metadataCallers()
	text := "sign-ins ask as root with the executables " + words(executables)
	if len(unknown) > 0 {
		text += ", and those of the services " + words(unknown)
	}
	return text
}

// byRule extends the findings of a request to the metadata service where a rule decides by program.
// A request of aadctl that succeeds proves nothing about the programs that people sign in with, and
// only those programs can send requests under their own names.
func (r remote) byRule(findings []Finding, err error) []Finding {
	if asked, forbidden := signin.Forbidden(err); forbidden {
		findings[0].Kind = Machine
		findings[0].Found = "a rule forbids aadctl (" + asked + ") to ask the metadata service: " +
			plain(err)
		return []Finding{findings[0].fix("whether sign-ins may ask cannot be told from here: " +
			r.mustAsk() + "; let those, and " + strings.TrimPrefix(asked, "root, ") +
			", ask for /metadata/instance and /metadata/identity in the machine's " +
			"inVMAccessControlProfile")}
	}
	if at, interposed := r.probe.Interposed(); interposed && err == nil {
		findings = append(findings,
			warning("the metadata service is asked through a proxy of this machine, "+at+
				", which lets aadctl through; whether it lets sign-ins through cannot be told "+
				"from here: it may go by the executable").
				fix(r.mustAsk()+
					"; compare them with the rules in force (Metadata Security Protocol)").
				run("ls -t /var/log/azure-proxy-agent/AuthorizationRules_*.json | head -n 1 | "+
					"xargs cat"))
	}
	return findings
}
