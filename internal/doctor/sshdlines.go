// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"aadlogin/internal/shell"
	"aadlogin/internal/sshd"
)

// These functions return commands that change one word in one line of sshd's configuration, where
// that line is. A list at the top of the file would not reach a Match block that has its own.

// asHere adapts commands to this machine. Debian has another name for the service. SUSE's own
// sshd_config is below /usr and must not be edited; it is not read if there is one in /etc. It
// includes the administrator's files before everything else.
func (h *Host) asHere(findings []Finding, lines *sshd.Config) []Finding {
	vendors := len(lines.Files) > 0 && strings.HasPrefix(lines.Files[0], "/usr/")
	for i := range findings {
		r := &findings[i]
		if !h.exists("etc/debian_version") {
			r.Fix = strings.ReplaceAll(r.Fix, "reload ssh", "reload sshd")
			r.Command = strings.ReplaceAll(r.Command, "reload ssh", "reload sshd")
		}
		text, first := strings.CutPrefix(r.Command, "sed -i '1i ")
		if text, ends := strings.CutSuffix(text, "' "+sshdConfig); vendors && first && ends {
			r.Command = fmt.Sprintf(`printf '%%b\n' '%s' >>/etc/ssh/sshd_config.d/00-local.conf`,
				text)
		}
	}
	return findings
}

// addWord returns the command that adds a pattern to the list in force. If no file has the list, it
// adds the keyword at the top.
func addWord(lines *sshd.Config, keyword string, inForce []string, word string) string {
	for _, line := range lines.With(keyword) {
		if slices.ContainsFunc(line.Args, func(arg string) bool {
			return slices.Contains(inForce, arg)
		}) {
			return fmt.Sprintf(`sed -Ei '%ds/^([[:blank:]]*%s[[:blank:]=]+)/\1%s /I' %s`,
				line.Number, keyword, word, shell.Word(line.File))
		}
	}
	return before(keywords[keyword] + " " + word)
}

// dropWord returns the command that takes a pattern out of its list. It deletes the line if nothing
// else is left. It returns "" if the line spells the pattern in another way.
func dropWord(lines *sshd.Config, keyword, word string) string {
	for _, line := range lines.With(keyword) {
		switch {
		case !slices.Contains(line.Args, word):
		case len(line.Args) == 1:
			return fmt.Sprintf("sed -i '%dd' %s", line.Number, shell.Word(line.File))
		case strings.Contains(line.Text, word) && plainWord(word):
			return fmt.Sprintf(`sed -Ei '%ds/([[:blank:]=])%s([[:blank:]]|$)/\1/' %s`, line.Number,
				regexp.QuoteMeta(word), shell.Word(line.File))
		}
	}
	return ""
}

// replaceWord returns the command that replaces a pattern.
func replaceWord(line sshd.Line, old, new string) string {
	if !plainWord(old) {
		return ""
	}
	return fmt.Sprintf(`sed -Ei '%ds/([[:blank:]=]"?)%s("?([[:blank:]]|$))/\1%s\2/' %s`,
		line.Number, regexp.QuoteMeta(old), new, shell.Word(line.File))
}

// takeOut says in which line to take a pattern out.
func takeOut(lines *sshd.Config, keyword, word string) string {
	for _, line := range lines.With(keyword) {
		if slices.Contains(line.Args, word) {
			return fmt.Sprintf("take %s out of %s:%d", word, line.File, line.Number)
		}
	}
	return "take " + word + " out of " + keywords[keyword]
}

// placesOf lists the lines with a keyword, for a sentence.
func placesOf(lines *sshd.Config, keyword string) string {
	var places []string
	for _, line := range lines.With(keyword) {
		places = append(places, fmt.Sprintf("%s:%d", line.File, line.Number))
	}
	if places == nil {
		return ""
	}
	return " (" + strings.Join(places, ", ") + ")"
}

var keywords = map[string]string{
	"allowusers": "AllowUsers", "denyusers": "DenyUsers", "allowgroups": "AllowGroups",
	"denygroups": "DenyGroups",
}

// userPattern returns a pattern of AllowUsers for this name. An @ in it would begin a host, and '
// would end the shell's quotes.
func userPattern(name string) string { return pattern(name, "-._") }

// groupPattern is the same for groups, whose names sshd does not split.
func groupPattern(name string) string { return pattern(name, "-._@") }

func pattern(name, plain string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune(plain, c) {
			return c
		}
		return '?'
	}, name)
}

// plainWord reports whether a word cannot end sed's expression or the shell's quotes.
func plainWord(word string) bool { return !strings.ContainsAny(word, "'/\n\\&") }
