// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"aadlogin/internal/config"
	"aadlogin/internal/doctor"
)

var sampleFindings = []doctor.Finding{
	{Check: "store", Status: doctor.OK, Found: "the store is sound and goes by this configuration"},
	{Check: "sshd", Status: doctor.Failed, Found: "UsePAM is no, so sshd asks no PAM module",
		Fix:     "then reload sshd: systemctl reload ssh",
		Command: "sed -i '1i UsePAM yes' /etc/ssh/sshd_config"},
	{Check: "sudo", Status: doctor.Warning, Found: "x\x1b[2J"},
	{Check: "keys", Status: doctor.Skipped, Found: "not asked"},
}

// Without a terminal there are neither colours nor broken lines. On a terminal, only commands stay
// whole. The text of a server must not drive the terminal.
func TestPaper(t *testing.T) {
	for name, test := range map[string]struct {
		paper paper
		want  string
	}{
		"pipe": {paper{}, `✓ store: the store is sound and goes by this configuration
✗ sshd: UsePAM is no, so sshd asks no PAM module
    run: sed -i '1i UsePAM yes' /etc/ssh/sshd_config
    fix: then reload sshd: systemctl reload ssh
! sudo: "x\x1b[2J"
- keys: not asked
`},
		"terminal": {paper{width: 30}, `✓ store: the store is sound
  and goes by this
  configuration
✗ sshd: UsePAM is no, so sshd
  asks no PAM module
    run: sed -i '1i UsePAM yes' /etc/ssh/sshd_config
    fix: then reload sshd:
    systemctl reload ssh
! sudo: "x\x1b[2J"
- keys: not asked
`},
	} {
		var out bytes.Buffer
		test.paper.w = &out
		test.paper.findings(sampleFindings)
		if out.String() != test.want {
			t.Errorf("%s: got\n%s", name, out.String())
		}
	}
}

func TestPaperIn60Columns(t *testing.T) {
	var out bytes.Buffer
	(&paper{w: &out, width: 60}).findings(sampleFindings)
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > 60 &&
			!strings.Contains(line, "run: ") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestParagraphs(t *testing.T) {
	const text = "One two three\nfour five.\n\nSix."
	if got := (&paper{width: 10}).paragraphs(text); got != "One two\nthree four\nfive.\n\nSix." {
		t.Errorf("%q", got)
	}
	if got := (&paper{}).paragraphs(text); got != text {
		t.Errorf("%q", got)
	}
}

func TestPaperColour(t *testing.T) {
	var out bytes.Buffer
	(&paper{w: &out, width: 60, colour: true}).findings(sampleFindings[:1])
	if !strings.HasPrefix(out.String(), "\x1b[32m✓\x1b[0m store") {
		t.Errorf("%q", out.String())
	}
	for _, name := range []string{"NO_COLOR", "TERM"} {
		env := func(asked string) string {
			if asked == name {
				return map[string]string{"NO_COLOR": "1", "TERM": "dumb"}[name]
			}
			return ""
		}
		if p := newPaper(&out, env); p.colour {
			t.Errorf("colour with %s", name)
		}
	}
}

// Scripts branch on the exit status. It is that of the first failure.
func TestCheckError(t *testing.T) {
	for kind, want := range map[doctor.Kind]int{
		doctor.Machine: exitNo, doctor.Configuration: exitConfiguration,
		doctor.Unreachable: exitUnreachable,
		doctor.Store:       exitStore,
	} {
		findings := []doctor.Finding{{Status: doctor.Warning},
			{Check: "a", Status: doctor.Failed, Kind: kind},
			{Status: doctor.Failed}}
		var own *failure
		if err := checkError(findings); !errors.As(err, &own) || own.code != want ||
			own.what != "check: failed: 2, first: a" {
			t.Errorf("%q: %v", kind, err)
		}
	}
	if err := checkError([]doctor.Finding{{Status: doctor.Warning}, {Status: doctor.Skipped},
		{Status: doctor.OK}}); err != nil {
		t.Error(err)
	}
}

func TestBrokenConfiguration(t *testing.T) {
	missing := brokenConfiguration(&config.Error{File: "c.toml", Key: "tenant_id",
		Problem: "is missing", Fix: "set it to a GUID, or run: aadctl setup"})
	if missing.Fix != "set it to a GUID" || missing.Command != "aadctl setup" {
		t.Errorf("%+v", missing)
	}
	r := brokenConfiguration(&config.Error{File: "c.toml", Line: 3, Key: "cloud",
		Problem: "is odd", Fix: "even it"})
	if r.Found != "c.toml:3: cloud: is odd" || r.Fix != "even it" ||
		r.Kind != doctor.Configuration || r.Status != doctor.Failed {
		t.Errorf("%+v", r)
	}
}
