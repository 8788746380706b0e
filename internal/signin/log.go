// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strconv"
	"strings"
)

// A LogLevel is a syslog priority.
type LogLevel byte

const (
	LogError   LogLevel = 3
	LogWarning LogLevel = 4
	LogNotice  LogLevel = 5
	LogInfo    LogLevel = 6
	LogDebug   LogLevel = 7
)

// maxLogValue holds the longest value there is: an "az role assignment create" line, ready to be run.
const maxLogValue = 1000

// logLine is one event as the authpriv log gets it: verb key="value" …, pairs being key, value, key, value. Empty values
// are left out. Values are cleaned and quoted, so none of them can end its own quotes or start a line of its own.
func logLine(verb string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(verb)
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := clean(pairs[i+1], maxLogValue); value != "" {
			b.WriteString(" " + pairs[i] + "=" + strconv.Quote(value))
		}
	}
	return b.String()
}
