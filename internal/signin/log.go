// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
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

const (
	maxLogValue = 1000 // bytes between the quotes, for an "az role assignment create" line, ready to be run
	maxLogLine  = 8000 // rsyslog cuts a message at 8 KiB
)

// LogLine returns one event as the authpriv log gets it: verb key="value" …, pairs being key,
// value, key, value. Empty values are left out, and so is a pair for which the line has no room.
func LogLine(verb string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(verb)
	for i := 0; i+1 < len(pairs); i += 2 {
		pair := " " + pairs[i] + "=" + quote(pairs[i+1])
		if pairs[i+1] != "" && b.Len()+len(pair) <= maxLogLine {
			b.WriteString(pair)
		}
	}
	return b.String()
}

// quote makes a value of the log from any bytes. No value can end its quotes, begin a line of its
// own or drive the terminal that shows it. Unlike clean it drops nothing, because two names that
// differ must not look the same to an auditor: what is not printable ASCII becomes \xNN. The door
// has the same rule in C (pam/line.c, quote), and testdata/log holds the two together.
func quote(value string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(value) {
		piece := string(rune(c))
		switch {
		case c == '"' || c == '\\':
			piece = `\` + piece
		case c < ' ' || c > '~':
			piece = fmt.Sprintf(`\x%02x`, c)
		}
		if b.Len()+len(piece) > maxLogValue+1 {
			b.WriteString("...")
			break
		}
		b.WriteString(piece)
	}
	b.WriteByte('"')
	return b.String()
}
