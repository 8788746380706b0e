// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package logs proves the log: each attempt ends with exactly one line, which leads from what the
// person was told to what happened; no text of a stranger's forges a line or a value; and no
// token, code or key is in any file, process or line after a sign-in.
package logs
