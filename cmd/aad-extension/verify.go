// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// partOf maps a check of aadctl to its part of the report. The checks that are missing are about
// the network.
var partOf = map[string]string{
	"configuration": "configuration", "store": "accounts", "ids": "accounts", "modules": "package",
	"nsswitch": "names", "names": "names",
	"nscd": "names", "groups": "names", "pam": "pam", "services": "pam", "polkit": "pam",
	"clocks": "pam", "sshd": "sshd", "shell": "accounts",
	"sudo": "sudo", "selinux": "selinux",
}

const service = "sign-in service"

// A finding is one finding of "aadctl check --json".
type finding struct {
	Check   string `json:"check"`
	Status  string `json:"status"`
	Found   string `json:"found"`
	Fix     string `json:"fix"`
	Command string `json:"command"`
}

func (f finding) sentence() string {
	s := f.Found
	if f.Fix != "" {
		s += "; " + f.Fix
	}
	if f.Command != "" {
		s += ": " + f.Command
	}
	return s
}

// checking is the limit for aadctl. A check that gets no answer takes up to 15 seconds.
const checking = 150 * time.Second

// verify runs the check of the installed aadctl. A failure of the machine makes enable fail.
func (h *handler) verify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checking)
	defer cancel()
	said, err := h.run(ctx, nil, aadctl, "check", "--json")
	findings, ok := parseFindings(said)
	if !ok {
		h.report.part(service, warning, 0, commandError("aadctl check", said, err).Error())
		return nil
	}
	return h.judge(findings)
}

func parseFindings(said string) ([]finding, bool) {
	var results struct {
		Results []finding `json:"results"`
	}
	// What aadctl writes behind the JSON is ignored.
	err := json.NewDecoder(strings.NewReader(said)).Decode(&results)
	return results.Results, err == nil && len(results.Results) > 0
}

func (h *handler) judge(findings []finding) error {
	var first error
	for _, f := range findings {
		part, local := partOf[f.Check]
		if !local {
			part = service
		}
		state, code := success, 0
		switch {
		case f.Status == "failed" && local:
			state, code = failed, exitFailed
			if first == nil {
				first = &failure{exitFailed, fmt.Sprintf("People cannot sign in (%s): %s.",
					f.Check, f.sentence()), ""}
			}
		case f.Status == "failed" || f.Status == "warning":
			state = warning
		}
		h.report.part(part, state, code, f.Check+": "+f.sentence())
	}
	return first
}
