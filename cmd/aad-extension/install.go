// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import "context"

// install looks at everything before it changes anything: the machine, and settings that enable could not use either.
func install(ctx context.Context, h *handler) (string, error) {
	if err := h.precheck(); err != nil {
		return "", err
	}
	err := h.step("package", func() (string, error) { return h.ensurePackage(ctx) })
	return "Installed, and not enabled yet.", err
}

func (h *handler) precheck() error {
	if err := h.step("machine", h.suitable); err != nil {
		return err
	}
	return h.step("settings", func() (string, error) {
		s, err := h.settings()
		if err == nil {
			_, err = h.plan(s)
		}
		return "They can be used.", err
	})
}
