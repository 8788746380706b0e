// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aadlogin/internal/shell"
)

// clocks finds programs besides sshd that end a sign-in before sign_in.timeout. The person then
// reads no sentence of ours.
func (h *Host) clocks(context.Context) (findings []Finding) {
	for _, found := range [][]Finding{h.loginClock(), h.cockpitClock(), h.sudoClock()} {
		findings = append(findings, found...)
	}
	if findings == nil {
		findings = []Finding{ok("no program is known to end a sign-in before sign_in.timeout")}
	}
	return findings
}

// shows reports whether a service exists and shows codes.
func (h *Host) shows(service string) bool {
	_, _, err := h.service(service)
	return err == nil && slices.Contains(h.Config.SignIn.Services, service)
}

func (h *Host) tooShort(program string, limit time.Duration, key string) Finding {
	return warningf("%s ends a sign-in after %v (%s), and sign_in.timeout is %v", program, limit,
		key, h.Config.SignIn.Timeout)
}

// loginDefs returns the text of login.defs(5), and the command that sets a line of it. SUSE has its
// own file below /usr, which a file in /etc replaces. It also has a directory for single lines,
// which override both.
func (h *Host) loginDefs(line string) (text, set string) {
	key, _, _ := strings.Cut(line, " ")
	if text, err := h.read("etc/login.defs"); err == nil || !h.exists("usr/etc/login.defs") {
		return text,
			fmt.Sprintf(`sed -i '/^[[:blank:]]*%s[[:blank:]]/d' /etc/login.defs && echo '%s' >>/etc/login.defs`, key, line)
	}
	for _, file := range append([]string{"usr/etc/login.defs"},
		h.glob("etc/login.defs.d/*.defs")...) {
		more, _ := h.read(file)
		text += more + "\n"
	}
	return text,
		fmt.Sprintf(`mkdir -p /etc/login.defs.d && echo '%s' >/etc/login.defs.d/99-aad-login.defs`,
			line)
}

// loginClock reads LOGIN_TIMEOUT of login.defs(5). The default is 60 s, and 0 means no limit.
func (h *Host) loginClock() []Finding {
	limit, timeout := 60, int(h.Config.SignIn.Timeout.Seconds())
	text, set := h.loginDefs(fmt.Sprintf("LOGIN_TIMEOUT %d", timeout+20))
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "LOGIN_TIMEOUT" {
			if seconds, err := strconv.Atoi(words[1]); err == nil {
				limit = seconds
			}
		}
	}
	if !h.shows("login") || limit == 0 || limit > timeout {
		return nil
	}
	return []Finding{h.tooShort("login on the console", time.Duration(limit)*time.Second,
		"LOGIN_TIMEOUT in login.defs").run(set)}
}

// cockpitClock reads cockpit.conf(5). Without a section [basic], the browser gets 30 s after ENTER,
// and a person 60 s to press it.
func (h *Host) cockpitClock() []Finding {
	if !h.shows("cockpit") {
		return nil
	}
	limits := map[string]int{"timeout": 30, "response-timeout": 60}
	text, _ := h.read("etc/cockpit/cockpit.conf")
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.ToLower(strings.Trim(line, "[]"))
		}
		key, value, _ := strings.Cut(line, "=")
		if key = strings.ToLower(strings.TrimSpace(key)); section == "basic" && limits[key] != 0 {
			if seconds, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
				limits[key] = seconds
			}
		}
	}
	seconds := int(h.Config.SignIn.Timeout.Seconds())
	least := min(limits["timeout"], limits["response-timeout"])
	if least >= seconds {
		return nil
	}
	return []Finding{h.tooShort("Cockpit", time.Duration(least)*time.Second,
		"timeout and response-timeout in /etc/cockpit/cockpit.conf").
		fix("where the file has a section [basic], write the two lines into that").
		run(fmt.Sprintf(`printf '[basic]\ntimeout = %d\nresponse-timeout = %[1]d\n' >>/etc/cockpit/cockpit.conf`, seconds))}
}

var passwdTimeout = regexp.MustCompile(`(?m)^\s*Defaults\S*\s.*\bpasswd_timeout\s*=\s*"?([0-9.]+)`)

// sudoClock reads passwd_timeout of sudoers(5), in minutes. The default is 5, and 0 means no limit.
func (h *Host) sudoClock() (findings []Finding) {
	if !h.shows("sudo") {
		return nil
	}
	for _, file := range append([]string{"/etc/sudoers"}, h.glob("etc/sudoers.d/*")...) {
		text, _ := h.read(file)
		for _, found := range passwdTimeout.FindAllStringSubmatch(text, -1) {
			minutes, err := strconv.ParseFloat(found[1], 64)
			limit := time.Duration(minutes * float64(time.Minute))
			if err != nil || minutes <= 0 || limit > h.Config.SignIn.Timeout {
				continue
			}
			findings = append(findings, h.tooShort("sudo", limit, "passwd_timeout in "+file).
				run(fmt.Sprintf(`sed -Ei 's/(passwd_timeout[[:blank:]]*=[[:blank:]]*)"?[0-9.]+"?/\15/' %s && visudo -cf /etc/sudoers`, shell.Word(file))))
		}
	}
	return findings
}
