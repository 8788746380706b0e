// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"encoding/json"
	"strings"
	"testing"
)

// Examined is one result of aadctl check --json.
type Examined struct {
	Check, Status, Kind, Found, Fix, Command string
}

// Diagnose runs aadctl check, and returns the findings that failed or need attention.
func Diagnose(t *testing.T, args ...string) (wrong []Examined, status int) {
	t.Helper()
	out, status := Command(t, "", "aadctl", append([]string{"check", "--json"}, args...)...)
	return WrongOf(t, out), status
}

// WrongOf returns the findings in the output of aadctl check --json that are not in order.
func WrongOf(t *testing.T, out string) (wrong []Examined) {
	t.Helper()
	var said struct {
		OK      bool
		Results []Examined
	}
	// The line for the person, on standard error, follows the JSON.
	err := json.NewDecoder(strings.NewReader(out)).Decode(&said)
	if err != nil || len(said.Results) == 0 {
		t.Fatalf("%v:\n%s", err, out)
	}
	failed := false
	for _, r := range said.Results {
		// These machines are like one before an upgrade: without sign_in.scope. TestScope covers
		// that.
		if r.Status != "ok" && r.Status != "skipped" && r.Check != "scope" {
			wrong = append(wrong, r)
		}
		failed = failed || r.Status == "failed"
	}
	if failed == said.OK {
		t.Errorf("ok is %v:\n%s", said.OK, out)
	}
	return wrong
}
