// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// services lists the PAM services that show a code. It finds services that ask for a code in their
// own file, but are not listed in sign_in.services and so never show one.
func (h *Host) services(context.Context) (findings []Finding) {
	listed := h.Config.SignIn.Services
	var shown, refused []string
	for _, name := range h.pamServices() {
		switch {
		case !asks(stack(h.service, name, "", 0)):
		case slices.Contains(listed, name):
			shown = append(shown, name)
		default:
			refused = append(refused, name)
		}
	}
	if len(shown)+len(refused) > 0 {
		findings = append(findings,
			ok("people are asked to sign in by %s; an account of ours is refused at once in %s",
				words(shown), words(refused)))
	}
	for _, name := range h.OwnServices() {
		if !slices.Contains(listed, name) {
			findings = append(findings,
				warningf("/etc/pam.d/%s names pam_aad.so itself, but sign_in.services does not "+
					"list it, so nobody is asked to sign in there", name).
					fix("take the lines out of it or, if its program shows people a prompt").
					run("aadctl config add-service "+name))
		}
	}
	if !slices.Contains(listed, "sshd") {
		findings = append(findings,
			warning("sign_in.services does not list sshd: over ssh nobody is asked to sign in").
				run("aadctl config add-service sshd"))
	}
	return findings
}

func words(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func asks(rules []rule) bool {
	return slices.ContainsFunc(of(rules, "auth"), rule.ours)
}

// OwnServices returns the PAM services of this machine that ask pam_aad.so for authentication in
// their own file, or in an included file that is no shared stack. An administrator wrote those
// lines, since the package does not.
func (h *Host) OwnServices() []string {
	own := func(name string) (string, string, error) {
		if isShared(name) {
			return "", "", fs.ErrNotExist
		}
		return h.service(name)
	}
	return slices.DeleteFunc(h.pamServices(), func(name string) bool {
		return !asks(stack(own, name, "", 0))
	})
}

// pamServices returns the names of all services, sorted. A name with a dot or a tilde is a copy
// that an editor, a package or an administrator has kept.
func (h *Host) pamServices() (names []string) {
	for _, dir := range pamDirs {
		files, _ := fs.ReadDir(h.Files, dir)
		for _, file := range files {
			if name := file.Name(); !strings.ContainsAny(name, ".~") &&
				!isShared(name) && name != "other" {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// isShared knows the stacks that services include: those of Debian, SUSE, the RHEL family, Azure
// Linux, Arch and Alpine.
func isShared(service string) bool {
	switch name := path.Base(service); name {
	case "system-auth", "password-auth", "fingerprint-auth", "smartcard-auth", "postlogin",
		"system-account", "system-session",
		"system-password", "system-login", "system-local-login", "system-remote-login",
		"system-services", "base-auth":
		return true
	default:
		return strings.HasPrefix(name, "common-") || strings.HasPrefix(name, "system-auth-") ||
			strings.HasPrefix(name, "password-auth-")
	}
}
