// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// disable takes the configuration out of force. Without one, accounts of ours are refused and local ones are left alone.
func disable(_ context.Context, h *handler) (string, error) {
	err := h.step("configuration", func() (string, error) {
		path := h.configPath()
		_, complete, err := readConfig(path)
		if err != nil {
			return "", err
		}
		if _, err := os.Lstat(path + disabledSuffix); err == nil && !complete {
			return "It is disabled already.", nil
		}
		if err := os.Rename(path, path+disabledSuffix); errors.Is(err, fs.ErrNotExist) {
			return "There is none.", nil
		} else if err != nil {
			return "", err
		}
		return "It is kept as " + path + disabledSuffix, nil
	})
	return "Sign-in with Entra ID is switched off; accounts, uids and configuration are kept.", err
}
