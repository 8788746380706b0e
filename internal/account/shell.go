// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// ShellProblem says why sshd would refuse everybody with this login shell, or returns "":
// allowed_user() of OpenSSH wants a regular file that somebody may execute. root is the file system
// to look in.
func ShellProblem(root fs.FS, shell string) string {
	info, err := fs.Stat(root, strings.TrimPrefix(path.Clean(shell), "/"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case err != nil:
		return "cannot be read: " + err.Error()
	case !info.Mode().IsRegular():
		return "is not a regular file"
	case info.Mode().Perm()&0o111 == 0:
		return "is not executable"
	}
	return ""
}
