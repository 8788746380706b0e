// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
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
	}
	if at := slices.IndexFunc(asked[:ours], endsSearch); at >= 0 {
		return failed(Machine, wrong+"; an [action] before aad ends the search").
			fix(fmt.Sprintf("take %s out of /etc/nsswitch.conf", asked[at])).
			run(dropAction(database, asked[at]))
	}
	return ok("/etc/nsswitch.conf asks aad for %s, after files", database)
}

// actionFor matches one STATUS=ACTION of an [action], which may hold several.
var actionFor = regexp.MustCompile(`(!?)\s*(\w+)\s*=\s*(\w+)`)

// endsSearch reports whether the search for an unknown name ends at an action (nsswitch.conf(5)).
// Of several that are for this status, the last one counts. With a "!" it is for all others.
func endsSearch(action string) (ends bool) {
	if !strings.HasPrefix(action, "[") {
		return false
	}
	for _, pair := range actionFor.FindAllStringSubmatch(strings.ToLower(action), -1) {
		if (pair[2] == "notfound") == (pair[1] == "") {
			ends = pair[3] == "return"
		}
	}
	return ends
}

// dropAction returns the command that takes an action out of the line of a database.
func dropAction(database, action string) string {
	if !plainWord(action) {
		return ""
	}
	words := strings.Fields(action)
	for i, word := range words {
		words[i] = regexp.QuoteMeta(word)
	}
	return fmt.Sprintf(`sed -Ei '/^[[:blank:]]*%s[[:blank:]]*:/s/%s/ /' /etc/nsswitch.conf`,
		database, strings.Join(words, "[[:blank:]]+"))
}

// nsswitchLines returns the services of each database. An [action] is one word, also without blanks
// around it.
func nsswitchLines(text string) map[string][]string {
	lines := map[string][]string{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		database, services, found := strings.Cut(line, ":")
		if found {
			services = strings.NewReplacer("[", " [", "]", "] ").Replace(services)
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
