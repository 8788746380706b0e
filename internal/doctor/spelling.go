// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"slices"
)

// spelling: a name with %40 for the @, or with a second @, is nobody's. Unless sshd is told so, it
// asks for a password that nobody has, or refuses without a word. Where the package's lines are not
// there any more, or those of an older one, these are to be written.
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
