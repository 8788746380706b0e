// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package logs proves the log. Each attempt ends with exactly one line, which leads from what the
// person was told to what happened. No stranger's text forges a line or a value. After a sign-in,
// no token, code or key is in any file, process or line.
package logs
