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

// A sign-in asks the metadata service in a fork of the program that asked PAM. So whoever decides by the executable (Azure's
// guest proxy agent, SELinux, a firewall) may let aadctl through and nobody else, or the other way round.

// hosts are the executables that call PAM, by the PAM service. Distributions differ in where they keep them.
var hosts = map[string][]string{
	"sshd": {"usr/lib/openssh/sshd-session", "usr/libexec/openssh/sshd-session", "usr/lib/ssh/sshd-session", "usr/libexec/ssh/sshd-session",
		"usr/libexec/sshd-session", "usr/lib/sshd-session", "usr/sbin/sshd"},
	"sudo":     {"usr/bin/sudo"},
	"sudo-i":   {"usr/bin/sudo"},
	"su":       {"usr/bin/su"},
	"su-l":     {"usr/bin/su"},
	"login":    {"usr/bin/login"},
	"remote":   {"usr/bin/login"},
	"doas":     {"usr/bin/doas"},
	"vlock":    {"usr/sbin/vlock-main"},
	"polkit-1": {"usr/lib/polkit-1/polkit-agent-helper-1", "usr/libexec/polkit-agent-helper-1", "usr/libexec/polkit-1/polkit-agent-helper-1"},
	"cockpit":  {"usr/lib/cockpit/cockpit-session", "usr/libexec/cockpit-session"},
}

// promptless call the account phase alone, which goes by no list of services.
var promptless = []string{"usr/sbin/cron", "usr/sbin/crond", "usr/sbin/atd", "usr/lib/systemd/systemd-executor", "usr/lib/systemd/systemd"}

// askers are the executables of this machine under whose names the metadata service is asked, and the listed services whose
// executable is not known here.
func (h *Host) askers() (executables, unknown []string) {
	found := func(candidates []string) bool {
		here := h.present(candidates)
		executables = append(executables, here...)
		return len(here) > 0
	}
	for _, service := range h.Config.SignIn.Services {
		if candidates, known := hosts[service]; !found(candidates) && !known {
			unknown = append(unknown, service)
		}
	}
	found(promptless)
	slices.Sort(executables)
	return slices.Compact(executables), unknown
}

// present are those of the files that there are, as /proc/PID/exe names them. Of several sshd, the one that runs PAM is the
// first: from 9.8 on that is sshd-session.
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

// follow goes where a chain of symbolic links leads, if it ends.
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

// mustAsk is for a rule's author.
func (h *Host) mustAsk() string {
	executables, unknown := h.askers()
	text := "sign-ins ask as root with the executables " + words(executables)
	if len(unknown) > 0 {
		text += ", and those of the services " + words(unknown)
	}
	return text
}

// byRule adds to a question to the metadata service what a rule about programs makes of it: one that aadctl got through says
// nothing about the programs that people sign in with, and no program but they can ask as they do.
func (r remote) byRule(results []Result, err error) []Result {
	if asked, forbidden := signin.Forbidden(err); forbidden {
		results[0].Kind = Machine
		results[0].Found = "a rule forbids aadctl (" + asked + ") to ask the metadata service: " + plain(err)
		return []Result{results[0].fix("whether sign-ins may ask cannot be told from here: " + r.mustAsk() +
			"; let those, and " + strings.TrimPrefix(asked, "root, ") + ", ask for /metadata/instance and /metadata/identity in the machine's inVMAccessControlProfile")}
	}
	if at, interposed := r.probe.Interposed(); interposed && err == nil {
		results = append(results, warning("the metadata service is asked through a proxy of this machine, "+at+
			", which lets aadctl through; whether it lets sign-ins through cannot be told from here: it may go by the executable").
			fix(r.mustAsk()+"; compare them with the rules in force (Metadata Security Protocol)").
			run("ls -t /var/log/azure-proxy-agent/AuthorizationRules_*.json | head -n 1 | xargs cat"))
	}
	return results
}
