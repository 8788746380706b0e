// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

const nsswitchFile = "etc/nsswitch.conf"

func (p *Patient) nsswitch(context.Context) []Result {
	text, err := p.read(nsswitchFile)
	if err != nil {
		return []Result{failed(Machine, err.Error()).run("/usr/share/aad-login/nsswitch add")}
	}
	return judgeNsswitch(text)
}

// judgeNsswitch wants the service aad asked for users and groups, after the local ones: a local name must win.
func judgeNsswitch(text string) (results []Result) {
	lines := nsswitchLines(text)
	for _, database := range []string{"passwd", "group", "initgroups"} {
		asked, set := lines[database]
		if database == "initgroups" && !set {
			continue // glibc then asks the services of group
		}
		results = append(results, judgeServices(database, asked))
	}
	return results
}

func judgeServices(database string, asked []string) Result {
	ours := slices.Index(asked, "aad")
	local := slices.IndexFunc(asked, func(s string) bool { return s == "files" || s == "compat" })
	wrong := fmt.Sprintf("/etc/nsswitch.conf asks for %s: %s", database, strings.Join(asked, " "))
	switch {
	case ours < 0:
		return failed(Machine, wrong+"; aad is missing").run("/usr/share/aad-login/nsswitch add")
	case local < 0 || ours < local:
		return failed(Machine, wrong+"; aad must come after files, or it is not sure that local names win").
			run("/usr/share/aad-login/nsswitch remove && /usr/share/aad-login/nsswitch add")
	case slices.ContainsFunc(asked[:ours], endsSearch):
		return failed(Machine, wrong+"; the [action] before aad ends the search").
			fix("take the [action] in front of aad out of /etc/nsswitch.conf")
	}
	return ok("/etc/nsswitch.conf asks aad for %s, after files", database)
}

// endsSearch: an unknown name does not get past it (nsswitch.conf(5)).
func endsSearch(action string) bool {
	action = strings.ToLower(strings.Join(strings.Fields(action), ""))
	if !strings.HasPrefix(action, "[") || !strings.HasSuffix(action, "=return]") {
		return false
	}
	status := strings.TrimSuffix(strings.TrimPrefix(action, "["), "=return]")
	return status == "notfound" || strings.HasPrefix(status, "!") && status != "!notfound"
}

// nsswitchLines are the services of each database; an [action] is one word.
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

// bracketed splits at blanks, but not within [ and ].
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
