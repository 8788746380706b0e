// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"strings"
	"testing"
)

// What an import brought must not drive the terminal, and is the same text to
// who reads JSON.
func TestJSONLine(t *testing.T) {
	const gecos = "zoë \u202e\u009b2J \U000e0001 \" \x1b"
	var out strings.Builder
	w := bufio.NewWriter(&out)
	jsonLine(w, record{Gecos: gecos})
	w.Flush()
	if want := `"gecos":"zoë \u202e\u009b2J \udb40\udc01 \" \u001b"`; !strings.Contains(out.String(), want) {
		t.Errorf("%s, want %s", out.String(), want)
	}
	var back record
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back.Gecos != gecos {
		t.Errorf("%q, %v", back.Gecos, err)
	}
}
