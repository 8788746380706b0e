// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A host that a signal ends in its conversation leaves the line of the attempt. The host still does
// what it wants about a signal, and has its own dispositions back after the conversation.
func TestHostIsEndedAtThePrompt(t *testing.T) {
	host := harness(t, "signals")
	const line = `log pam_aad(sshd:auth): failed reason="interrupted" account="a\"\x0a@contoso.example" service="sshd" rhost="192.0.2.1" attempt="id"`
	for _, s := range []syscall.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGALRM,
	} {
		killed := fmt.Sprintf("host ended %d", -s)
		for steps, want := range map[string][]string{
			"during=%d":                   {killed, line},
			"default during=%d":           {killed, line},
			"converse converse during=%d": {killed, line},
			"account during=%d": {killed,
				strings.Replace(line, "auth", "account", 1)},
			"default after=%d":                   {killed},
			"handled during=%d":                  {"host handler", "host ended 0"},
			"handled after=%d":                   {"host handler", "host ended 0"},
			"handled converse default during=%d": {killed, line},
			"default converse handled during=%d": {"host handler", "host ended 0"},
			"ignored during=%d":                  {"host ended 0"},
			"ignored after=%d":                   {"host ended 0"},
			"nobody-listens default during=%d":   {killed},
			"default converse":                   {"host ended 0"},
			"default threads":                    {"host ended 0"},
		} {
			if strings.Contains(steps, "%") {
				steps = fmt.Sprintf(steps, s)
			}
			t.Run(steps, func(t *testing.T) {
				t.Chdir(t.TempDir())
				if got := play(t, host, strings.Fields(steps)...); !slices.Equal(got, want) {
					t.Errorf("%q, want %q", got, want)
				}
			})
		}
	}
	for _, other := range []syscall.Signal{syscall.SIGKILL, syscall.SIGPIPE, syscall.SIGUSR1} {
		t.Run(other.String(), func(t *testing.T) {
			t.Chdir(t.TempDir())
			got := play(t, host, fmt.Sprintf("during=%d", other))
			if want := []string{fmt.Sprintf("host ended %d", -other)}; !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}
