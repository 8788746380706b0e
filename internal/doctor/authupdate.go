// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"regexp"
	"slices"
	"strings"
)

// edited reports whether a stack that pam-auth-update(8) writes was edited by hand. It then changes
// no stack without --force.
func (h *Host) edited() bool {
	kinds := []string{"auth", "account", "password", "session", "session-noninteractive"}
	return slices.ContainsFunc(kinds, func(kind string) bool {
		stack, unreadable := h.read("/etc/pam.d/common-" + kind)
		written, unknown := h.read("/var/lib/pam/" + kind)
		return unreadable != nil || unknown != nil || !onlyWritten(kind, stack, written)
	})
}

// marks surround what pam-auth-update writes: it is behind the first and behind the third.
var marks = []string{`# here are the per-package modules (the "Primary" block)`,
	"# here's the fallback if no module succeeds",
	`# and here are more per-package modules (the "Additional" block)`,
	"# end of pam-auth-update config"}

// onlyWritten follows pam-auth-update's own rule, diff_profiles: between its marks, each line
// begins with the control and the module of a line that it has written, in the same order. It
// tolerates a line that is gone and other arguments, but no line that was added or changed, not
// even an empty one.
func onlyWritten(kind, stack, written string) bool {
	known := strings.SplitAfter(written, "\n")
	kind, _, _ = strings.Cut(kind, "-")
	mark := 0
	for line := range strings.Lines(stack) {
		if mark < len(marks) && strings.HasPrefix(line, marks[mark]) {
			mark++
			continue
		}
		if mark != 1 && mark != 3 {
			continue
		}
		rest := withoutJump(strings.TrimLeft(strings.TrimPrefix(line, kind), " \t"))
		at := slices.IndexFunc(known, func(line string) bool {
			begin := controlAndModule.FindString(withoutJump(end.ReplaceAllString(line, "$1")))
			return begin != "" && strings.HasPrefix(rest, begin)
		})
		if at < 0 {
			return false
		}
		known = known[at+1:]
	}
	return mark >= 3
}

var (
	controlAndModule = regexp.MustCompile(`^(\[[^]]+\]|\w+)\s+\S+`)
	end              = regexp.MustCompile(`^(\[.*=)end`) // as far as the block goes
	number           = regexp.MustCompile(`^(\[[^0-9]*)[0-9]+`)
)

// withoutJump drops the number of rules to jump over, which pam-auth-update counts anew each time.
func withoutJump(rule string) string { return number.ReplaceAllString(rule, "$1") }
