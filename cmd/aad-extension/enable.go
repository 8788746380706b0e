// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
)

// enable brings the machine to what the settings say, from whatever it is.
func enable(ctx context.Context, h *handler) (string, error) {
	var s settings
	err := h.step("settings", func() (said string, err error) {
		if s, said, err = h.current(); err == nil {
			_, err = h.plan(s)
		}
		return said, err
	})
	if err != nil {
		return "", err
	}
	if err := h.step("package", func() (string, error) { return h.ensurePackage(ctx) }); err != nil {
		return "", err
	}
	var p *plan
	err = h.step("configuration", func() (said string, err error) {
		if p, err = h.plan(s); err != nil { // anew: the package may have brought the file
			return "", err
		}
		return h.write(ctx, p)
	})
	if err != nil {
		return "", err
	}
	if h.sequence > h.applied() {
		if err := h.setApplied(h.sequence); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("People of %s sign in to this machine with Entra ID.", strings.Join(p.settings.Domains, ", ")), h.verify(ctx)
}

// current are the settings to be applied. Those with a number below the one in force are from the past, and no reason to leave
// sign-in switched off.
func (h *handler) current() (settings, string, error) {
	if now := h.applied(); h.sequence < now {
		said := fmt.Sprintf("Number %d is older than %d, which is in force: not applied.", h.sequence, now)
		h.report.part("settings", warning, 0, said)
		return settings{}, said, nil
	}
	s, err := h.settings()
	said := "They can be used."
	if s.protected {
		h.report.part("settings", warning, 0, "protectedSettings are not read: nothing here is secret.")
	}
	if len(s.pairs) == 0 {
		said = "There are none; config.toml is taken as it is."
	}
	return s, said, err
}
