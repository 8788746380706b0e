// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"slices"
)

// spelling checks names with %40 for the @, or with a second @, which belong to nobody. Without our
// Match block, sshd asks such a name for a password that nobody has, or refuses it without a word.
// If the package's lines are missing or older, this check proposes to write them.
func (h *Host) spelling(ctx context.Context) []Finding {
	for _, name := range []string{"someone%40" + h.Config.Domains[0],
		"someone@" + h.Config.Domains[0] + "@host"} {
		said, err := h.sshdFor(ctx, name)
		if err != nil {
			return nil
		}
		found := "sshd does not tell " + name + " how a name is written"
		switch set := settings(said); {
		case slices.Contains(set["passwordauthentication"], "yes"),
			slices.Contains(set["kbdinteractiveauthentication"], "yes"):
			found = "sshd asks " + name + ", who is nobody, for a password"
		case !slices.Contains(set["banner"], "none"):
			continue
		}
		return []Finding{warning(found).fix(reload).
			run(before("Match User *%40*,*@*@*", "\tBanner /usr/share/aad-login/name-spelling",
				"\tKbdInteractiveAuthentication no", "\tPasswordAuthentication no", "Match all"))}
	}
	return nil
}
