// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"io/fs"
	"slices"
	"strings"
)

const (
	polkitUnit   = "polkit-agent-helper@.service"
	polkitDropIn = "/usr/lib/systemd/system/" + polkitUnit + ".d/aad-login.conf"
)

// polkit looks at the sandbox in which polkit 127 and later run the PAM stack. Older versions have
// a setuid program and no such unit.
func (h *Host) polkit(context.Context) []Finding {
	unit, err := h.read("usr/lib/systemd/system/" + polkitUnit)
	if own, missing := h.read("etc/systemd/system/" + polkitUnit); missing == nil { // systemctl edit --full
		unit, err = own, nil
	}
	if err != nil {
		return []Finding{ok("polkit asks PAM without a sandbox, or is not installed")}
	}
	text := unit + h.dropIns(polkitUnit)
	switch {
	case isTrue(last(text, "PrivateNetwork")):
		return []Finding{caged("has no network")}
	case last(text, "ProtectSystem") == "strict" && !strings.Contains(text, "/var/cache/aad-login"):
		return []Finding{caged("may not write below /var/cache/aad-login")}
	}
	return []Finding{ok("polkit's sandbox lets a sign-in through")}
}

func caged(how string) Finding {
	return failed(Machine, "polkit asks PAM in a sandbox that "+how+
		": pkexec and run0 refuse our accounts").
		fix("install the package again, which brings " + polkitDropIn +
			"; see what overrides it: systemctl cat " + polkitUnit).
		run("systemctl daemon-reload")
}

// dropIns returns the drop-in files of a unit as one text, in systemd's order: by name, whatever
// their directory is.
func (h *Host) dropIns(unit string) (all string) {
	found := map[string]string{}
	var names []string
	for _, dir := range []string{"usr/lib/systemd/system/",
		"run/systemd/system/", "etc/systemd/system/"} {
		entries, _ := fs.ReadDir(h.Files, dir+unit+".d")
		for _, e := range entries {
			if _, known := found[e.Name()]; !known {
				names = append(names, e.Name())
			}
			// A file of a later directory replaces it.
			found[e.Name()] = dir + unit + ".d/" + e.Name()
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if strings.HasSuffix(name, ".conf") {
			text, _ := h.read(found[name])
			all += "\n" + text
		}
	}
	return all
}

// last returns the value of a single-valued setting of systemd. The last assignment counts.
func last(text, key string) (value string) {
	for line := range strings.Lines(text) {
		if k, v, set := strings.Cut(line, "="); set && strings.TrimSpace(k) == key {
			value = strings.TrimSpace(v)
		}
	}
	return value
}

// isTrue reads a boolean as systemd does (systemd.syntax(7)).
func isTrue(value string) bool {
	return slices.Contains([]string{"1", "yes", "y", "true", "t", "on"}, strings.ToLower(value))
}
