// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

// supported refuses what the file format knows and this version does not do
// yet. Silence would be worse: an administrator who sets a key and sees no
// error believes that it works. Whoever builds the feature deletes its line.
func (c *Config) supported() *Error {
	for _, u := range []struct {
		key     string
		used    bool
		instead string
	}{
		{"sign_in.qr", c.SignIn.QR, "false"},
	} {
		if u.used {
			return wrong("is not in this version of aad-login", "leave it "+u.instead).at(u.key, 0)
		}
	}
	return nil
}
