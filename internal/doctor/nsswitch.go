// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

func (h *Host) nsswitch(context.Context) []Finding {
	text, err := h.read("etc/nsswitch.conf")
	if errors.Is(err, fs.ErrNotExist) {
		text, err = h.read("usr/etc/nsswitch.conf") // SUSE's, which counts while there is none in /etc
	}
	findings := []Finding{failed(Machine, fmt.Sprint(err)).run(nsswitchAdd)}
	if err == nil {
		findings = judgeNsswitch(text)
	}
	for i := range findings {
		if findings[i].Command != "" && h.exists(authselectConf) { // authselect owns the file
			findings[i].Command = wiring + " add"
		}
	}
	return findings
}

const (
	nsswitchAdd    = "/usr/share/aad-login/nsswitch add"
	authselectConf = "etc/authselect/authselect.conf" // exists while authselect(8) is in charge
)

// judgeNsswitch checks that users and groups are asked of the service aad, and that it comes after
// the local ones: a local name must win.
func judgeNsswitch(text string) (findings []Finding) {
	lines := nsswitchLines(text)
	for _, database := range []string{"passwd", "group", "initgroups"} {
		asked, set := lines[database]
		if database == "initgroups" && !set {
			continue // glibc then asks the services of group
		}
		findings = append(findings, judgeServices(database, asked))
	}
	return findings
}

func judgeServices(database string, asked []string) Finding {
	ours := slices.Index(asked, "aad")
	local := slices.IndexFunc(asked, func(s string) bool { return s == "files" || s == "compat" })
	wrong := fmt.Sprintf("/etc/nsswitch.conf asks for %s: %s", database, strings.Join(asked, " "))
	switch {
	case ours < 0:
		return failed(Machine, wrong+"; aad is missing").run(nsswitchAdd)
	case local < 0 || ours < local:
		return failed(Machine,
			wrong+"; aad must come after files, or it is not sure that local names win").
			run("/usr/share/aad-login/nsswitch remove && " + nsswitchAdd)
	case slices.ContainsFunc(asked[:ours], endsSearch):
		return failed(Machine, wrong+"; the [action] before aad ends the search").
			fix("take the [action] in front of aad out of /etc/nsswitch.conf").
			run(fmt.Sprintf(`sed -Ei '/^%s:/s/\[[^]]*\]([^[]*aad)/\1/' /etc/nsswitch.conf`,
				database))
	}
	return ok("/etc/nsswitch.conf asks aad for %s, after files", database)
}

// endsSearch reports whether the search for an unknown name ends at an action (nsswitch.conf(5)).
func endsSearch(action string) bool {
	action = strings.ToLower(strings.Join(strings.Fields(action), ""))
	if !strings.HasPrefix(action, "[") || !strings.HasSuffix(action, "=return]") {
		return false
	}
	status := strings.TrimSuffix(strings.TrimPrefix(action, "["), "=return]")
	return status == "notfound" || strings.HasPrefix(status, "!") && status != "!notfound"
}

// nsswitchLines returns the services of each database. An [action] is one word.
func nsswitchLines(text string) map[string][]string {
	lines := map[string][]string{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		database, services, found := strings.Cut(line, ":")
		if found {
			lines[strings.TrimSpace(database)] = bracketed(services)
		}
	}
	return lines
}

// bracketed splits a text at blanks outside of [ and ].
func bracketed(text string) (words []string) {
	inside := false
	for _, word := range strings.Fields(text) {
		if inside {
			words[len(words)-1] += " " + word
		} else {
			words = append(words, word)
		}
		inside = (inside || strings.HasPrefix(word, "[")) && !strings.HasSuffix(word, "]")
	}
	return words
}
