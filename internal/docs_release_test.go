// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The table of docs/support.md is what make matrix has written: a line for each suite that it has
// walked through, and none that failed.
func TestSupportIsWhatTheMatrixMet(t *testing.T) {
	script, err := os.ReadFile("machine/make/matrix")
	if err != nil {
		t.Fatal(err)
	}
	suites := regexp.MustCompile(`(?m)^suites=\((.*)\)$`).FindSubmatch(script)
	_, table, _ := strings.Cut(pages(t)["docs/support.md"], "<!-- what make matrix has met -->\n")
	lines := strings.Split(strings.TrimSpace(strings.Split(table,
		"<!-- end of what make matrix has met -->")[0]), "\n")
	if suites == nil || len(lines) < 3 ||
		lines[0] != "| release | glibc | OpenSSH | libpam | sudo | steps |" {
		t.Fatalf("suites %q, and a table that begins with %q", suites, lines[0])
	}
	row := regexp.MustCompile(`^\| (` + strings.ReplaceAll(string(suites[1]), " ", "|") +
		`)( \| ([0-9][0-9.p]*|-)){4} \| [1-9][0-9]* \|$`)
	for _, line := range lines[2:] {
		if !row.MatchString(line) {
			t.Errorf("docs/support.md: %s: run make matrix", line)
		}
	}
}

// The portal's page names all that the commands make.
func TestPortalSaysWhatTheCommandsDo(t *testing.T) {
	page := pages(t)["docs/portal.md"]
	commands := pages(t)["docs/getting-started/azure-vm.md"] +
		pages(t)["docs/getting-started/any-linux.md"]
	for _, name := range []string{"aad-login", "openid", "profile", "sign-in",
		"Sign in to Linux machines", "Connected Cluster Managed Identity CheckAccess Reader",
		"Microsoft.Authorization/*/read",
		"Virtual Machine Administrator Login", "Virtual Machine User Login", "Log in",
		"Log in as administrator", "login", "loginAsAdmin"} {
		spoken := strings.Join(strings.Fields(page), " ")
		if !strings.Contains(commands, name) ||
			!regexp.MustCompile("[`*]"+regexp.QuoteMeta(name)+"[`*]").MatchString(spoken) {
			t.Errorf("docs/portal.md and the commands do not both name %s", name)
		}
	}
}

// Each question is answered by a command, a setting or a page.
func TestQuestionsAreAnswered(t *testing.T) {
	parts := strings.Split(pages(t)["docs/faq.md"], "\n### ")
	if len(parts) < 20 {
		t.Fatalf("%d questions", len(parts)-1)
	}
	for _, part := range parts[1:] {
		question, answer, _ := strings.Cut(part, "\n")
		answer, _, _ = strings.Cut(answer, "\n## ")
		if !link.MatchString(answer) && !strings.Contains(answer, "`") {
			t.Errorf("docs/faq.md: %s: no command and no link", question)
		}
	}
}
