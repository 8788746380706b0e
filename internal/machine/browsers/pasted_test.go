// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"strings"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

// An address has a line of its own.
var addressLine = `(?m)^http://127\.0\.0\.1:\d+/\S*#c=\S+&z=[0-9a-f]{8}$`

// answer signs in with the account at the address of a prompt, and returns what the person has to
// paste: everything at once from the page's button, and part by part.
func answer(b *rig.Chromium, c *rig.Terminal, account string) (everything string, parts []string) {
	b.T.Helper()
	asked := time.Now()
	everything, parts = b.AnswerTo(c.Expect(addressLine)[0], account)
	time.Sleep(time.Until(asked.Add(rig.InTheBrowser)))
	return everything, parts
}

// question waits for a question, and returns the text above it.
func question(c *rig.Terminal, part string) string {
	c.T.Helper()
	return c.Expect(`(?s)^(.*?)` + part + `: `)[1]
}

// ssh takes one paste without echo. sudo takes one with echo, whose lines answer all of its
// questions, after a paste that is too long for it.
func TestPasteToken(t *testing.T) {
	const admin = "admin@contoso.example"
	b := rig.ByBrowser(t, "token")
	mark := rig.Syslog.Mark()
	c := rig.SSH(t, admin, "sudo -k; sudo id -u")
	hidden, parts := answer(b, c, admin)
	if len(parts) != 1 || len(hidden) > 1000 {
		t.Fatalf("%d parts for ssh, %d characters", len(parts), len(hidden))
	}
	question(c, "Part 1")
	c.TypeLine(hidden)

	echoed, parts := answer(b, c, admin)
	question(c, "Part 1")
	c.TypeLine(strings.Join(parts, ""))
	said := question(c, "Part 1")
	const tooLong = "That was too long for this program. Paste one part, and press ENTER."
	if !strings.Contains(said, tooLong) {
		t.Errorf("too long for sudo: %q", said)
	}
	c.TypeLine(echoed)
	c.Expect(`Part 2 of 2: 0\n`)
	if status, _ := c.End(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if strings.Contains(c.All(), hidden[20:40]) || !strings.Contains(c.All(), echoed[20:40]) {
		t.Error("ssh has shown what was pasted, or sudo has not")
	}
	rig.Syslog.Exactly(t, mark, 2, `signed-in account="`+admin+`"`)
	secrets := append(rig.Entra.Secrets(), hidden[18:], parts[0][18:], parts[1][18:])
	for _, line := range rig.Syslog.Find(mark, "") {
		for _, secret := range secrets {
			if strings.Contains(line, secret) {
				t.Errorf("logged: %s", line)
			}
		}
	}
}

// ssh takes a code in two parts, in any order, and su takes it in one.
func TestPasteCode(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	rig.LocalUser(t)
	b := rig.ByBrowser(t, "code")
	c := rig.SSH(t, user, "id -un")
	everything, parts := answer(b, c, user)
	question(c, "Part 1")
	c.TypeLine("") // as a line break behind an earlier paste would
	question(c, "Part 1")
	c.TypeLine(everything) // of which ssh reads 1,023 bytes
	said := question(c, "Part 2 of 2")
	if !strings.Contains(said, "The end is missing (1023 characters came).") {
		t.Errorf("both at once: %q", said)
	}
	c.TypeLine("\x1b[200~" + parts[1][:80] + " " + parts[1][80:] + "\x1b[201~")
	c.Expect(`\n` + user + `\n`)

	c = rig.Open(t, "runuser", "-u", "local", "--", "su", "-", user, "-c", "id -un")
	everything, parts = answer(b, c, user)
	if len(parts) != 1 {
		t.Fatalf("%d parts for su", len(parts))
	}
	question(c, "Part 1")
	c.TypeLine(everything)
	c.Expect(`\n` + user + `\n`)
}

// A refusal can be read in a client that shows only prompts, and is logged before anybody presses
// ENTER there. sudo reacts to Ctrl-C at each question.
func TestPasteRefused(t *testing.T) {
	const admin, user = "admin@contoso.example", "user@contoso.example"
	b := rig.ByBrowser(t, "token")
	mark := rig.Syslog.Mark()
	c := rig.Open(t, "ssh",
		rig.SSHArgs("-q", "-tt", admin+"@127.0.0.1", "sudo -k; sudo id -u; echo ended")...)
	strangers, _ := answer(b, c, user)
	question(c, "Part 1")
	c.TypeLine(strangers)
	c.Expect(`(?s)This sign-in is for ` + admin + `, but ` + user +
		` signed in with the browser\..*Press ENTER\. `)
	rig.Syslog.Exactly(t, mark, 1, `denied reason="other-account" account="`+admin+`"`)
	c.TypeLine("")
	// This is the answer to another question.
	owners, _ := answer(b, c, admin)
	question(c, "Part 1")
	c.TypeLine(strangers)
	if said := question(c, "Part 1"); !strings.Contains(said, "That part is of another attempt.") {
		t.Errorf("the answer before: %q", said)
	}
	c.TypeLine(owners)

	mark = rig.Syslog.Mark()
	c.Expect(addressLine)
	question(c, "Part 1")
	time.Sleep(rig.InTheBrowser)
	c.PTY.WriteString("\x03") // without ENTER, which would be an answer
	if said := c.Expect(`(?s)^(.*)\nended\n`)[1]; strings.Contains(said, "too long") {
		t.Errorf("after Ctrl-C: %q", said)
	}
	rig.Syslog.Exactly(t, mark, 1, `failed reason="conversation-failed" account="`+admin+`"`)
}
