// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"

	"aadlogin/internal/sshd"
)

// rulesByGroup finds rules of sshd for groups that sign-ins change. Unless sign-ins ask to connect
// again, these rules take effect one sign-in late.
func (h *Host) rulesByGroup(c *sshd.Config) []Finding {
	line, found := byGroup(c, h.Config.ChangingGroups())
	if !found || h.Config.SignIn.ReconnectOnGroupChange != "false" {
		return nil
	}
	rule := fmt.Sprintf("%s:%d has a rule by a group that sign-ins change (%s)",
		line.File, line.Number, line.Text)
	late := failed(Configuration,
		rule+", and whoever comes to it or leaves it is judged by the groups of before, once")
	return []Finding{late.fix("have such sign-ins ask to connect again, by which the rule is in " +
		"force at once").
		run("sed -i 's/^\\( *reconnect_on_group_change *= *\\)false/\\1true/' " + h.configPath())}
}

// byGroup returns the first line that names one of these groups.
func byGroup(c *sshd.Config, groups []string) (sshd.Line, bool) {
	for _, line := range c.Lines {
		if one := (&sshd.Config{Lines: []sshd.Line{line}}); one.NamesGroup(groups...) {
			return line, true
		}
	}
	return sshd.Line{}, false
}
