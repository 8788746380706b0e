// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	selinuxModule = "aad_login"
	selinuxHelper = "/usr/share/aad-login/selinux-module"
	selinuxAdd    = selinuxHelper + " add"
	relabel       = "aadctl store relabel"
	auditLog      = "var/log/audit/audit.log"
)

// An enforcement is what SELinux does to a sign-in that its policy does not allow.
type enforcement struct {
	is     string // the beginning of a sentence
	denies bool   // it denies now; otherwise, it will once somebody switches it on
	labels bool   // the kernel knows labels
}

// enforcement returns nil if SELinux is off and stays off.
func (h *Host) enforcement() *enforcement {
	text, err := h.read("sys/fs/selinux/enforce")
	switch {
	case err == nil && strings.TrimSpace(text) == "1":
		return &enforcement{is: "SELinux is enforcing", denies: true, labels: true}
	case err == nil:
		return &enforcement{is: "SELinux only watches", labels: true}
	}
	config, _ := h.read("etc/selinux/config")
	for line := range strings.Lines(config) {
		if mode, set := strings.CutPrefix(strings.TrimSpace(line), "SELINUX="); set &&
			(mode == "enforcing" || mode == "permissive") {
			return &enforcement{is: "SELinux is not enabled, but /etc/selinux/config has it " +
				mode}
		}
	}
	return nil
}

// wrong returns a failure if SELinux refuses sign-ins now, and a warning if it will later.
func (e *enforcement) wrong(found string) Finding {
	if e.denies {
		return failed(Machine, e.is+found)
	}
	return warning(e.is + found + "; once it enforces, nobody can sign in")
}

// selinux checks that the policy has our module, that our files have its labels, and that nothing
// relevant was denied lately. The policies of distributions differ, so only a sign-in can tell
// whether sign-ins work.
func (h *Host) selinux(ctx context.Context) []Finding {
	e := h.enforcement()
	if e == nil {
		return []Finding{ok("SELinux is not enabled")}
	}
	findings, labelled := h.policyModule(ctx, e), false
	if findings == nil && e.labels { // without the module, no label can be right
		findings = h.labels(ctx, e)
		labelled = findings == nil
	}
	if denied := denials(h.tail(auditLog), labelled); e.denies && len(denied) > 0 {
		found := fmt.Sprintf("SELinux has denied what a sign-in or a look-up of names may need, "+
			"last: %s", denied[len(denied)-1])
		findings = append(findings, warning(found).fix("this shows all of it, and why").
			run("ausearch -m avc | audit2why"))
	}
	switch {
	case findings != nil:
		return findings
	case !e.labels:
		return []Finding{ok("%s; what it needs is there", e.is)}
	}
	return []Finding{ok("%s, with the module %s, and our files have its labels", e.is,
		selinuxModule)}
}

// policyModule looks for the module. semodule also lists the modules of a policy that is not in
// force.
func (h *Host) policyModule(ctx context.Context, e *enforcement) []Finding {
	said, err := h.Run(ctx, "semodule", "-l")
	switch {
	case err != nil && !e.labels:
		return nil // there is no policy that could be switched on
	case err != nil:
		return []Finding{warning(e.is + ", and semodule does not tell its modules: " +
			lastLine(said)).
			fix("see whether it has the module " + selinuxModule)}
	case hasModule(said):
		return nil
	}
	found := e.wrong(" without the module " + selinuxModule +
		", so sshd may not ask Entra ID, nor read or store accounts")
	if !h.exists(selinuxHelper) {
		return []Finding{found.fix("install the package again, which brings " +
			selinuxHelper + " and loads the module")}
	}
	return []Finding{found.run(selinuxAdd)}
}

// labels compares the labels of our files with those in the policy. Any label of the module lets a
// sign-in through, even if it is not the one in the policy. The exception is aad_login_lib_t: the
// store must have it, because every program reads the store.
func (h *Host) labels(ctx context.Context, e *enforcement) (findings []Finding) {
	store := h.Config.Accounts.Directory
	files := slices.DeleteFunc([]string{store, path.Join(store, "accounts.cdb"),
		path.Join(store, "grants"), path.Join(store, "backups"),
		"/var/cache/aad-login", "/run/aad-login"},
		func(file string) bool { return !h.exists(file) })
	if len(files) == 0 {
		return nil
	}
	said, err := h.Run(ctx, "matchpathcon", append([]string{"-V"}, files...)...)
	wrong := mislabelled(said)
	if err != nil && len(wrong) == 0 {
		return []Finding{warning(e.is +
			", and matchpathcon does not tell whether our files have its labels: " +
			lastLine(said)).
			fix("the command labels them, and says which it had to").run(relabel)}
	}
	for _, l := range wrong {
		found := fmt.Sprintf(", and %s has the label %s, not %s", l.file, l.is, l.should)
		if strings.Contains(l.is, ":aad_login_") && !strings.HasPrefix(l.should,
			"system_u:object_r:aad_login_lib_t:") {
			findings = append(findings, warning(e.is+found).run(relabel))
			continue
		}
		findings = append(findings, e.wrong(found+": sshd may not use it").run(relabel))
	}
	return findings
}

// A label is the label of a file, as matchpathcon compares it.
type label struct{ file, is, should string }

var mismatch = regexp.MustCompile(`(?m)^(.+) has context (\S+), should be (\S+)$`)

// mislabelled reads the output of matchpathcon -V, which has a line for each file.
func mislabelled(said string) (wrong []label) {
	for _, m := range mismatch.FindAllStringSubmatch(said, -1) {
		wrong = append(wrong, label{m[1], m[2], m[3]})
	}
	return wrong
}

// hasModule reads the output of semodule -l: a name on each line, and in older versions a number
// behind it.
func hasModule(said string) bool {
	for line := range strings.Lines(said) {
		if words := strings.Fields(line); len(words) > 0 && words[0] == selinuxModule {
			return true
		}
	}
	return false
}

// tail returns the end of a file that may be large, or "" if it cannot be read.
func (h *Host) tail(file string) string {
	const enough = 1 << 20
	f, err := h.Files.Open(file)
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

// denials returns the denials that concern us: every access to our files, web requests by programs
// that load pam_aad.so, and what a first session needs. The kernel cuts the name of a program after
// 15 characters. labelled says that our files have their labels now. A denial about a file of ours
// with another label is then over: if SELinux is switched on later, the first boot looks names up
// before it has labelled the store.
func denials(audit string, labelled bool) (all []string) {
	asking := []string{"sshd", "sshd-session", "sshd-auth", "login", "su", "sudo", "cron", "crond"}
	session := []string{"mkhomedir_helpe", "systemd-user-ru"}
	for line := range strings.Lines(audit) {
		m := denied.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		web := strings.Contains(line, "http_port_t") || strings.Contains(line, "dest=443 ")
		ours := strings.Contains(line, ":aad_login_") ||
			!labelled && strings.Contains(line, `name="accounts.`)
		if ours || web && slices.Contains(asking, m[2]) || slices.Contains(session, m[2]) {
			all = append(all, m[2]+" "+m[1])
		}
	}
	return all
}
