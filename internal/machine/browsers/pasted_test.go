// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"strings"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

// An address stands alone in its line.
var addressLine = `(?m)^http://127\.0\.0\.1:\d+/\S*#c=\S+&z=[0-9a-f]{8}$`

// answer is what a person has to paste who signs in with the account at the address in a prompt:
// all there is by the page's own button, and part by part.
func answer(b *rig.Chromium, c *rig.Terminal, account string) (everything string, parts []string) {
	b.T.Helper()
	asked := time.Now()
	everything, parts = b.AnswerTo(c.Expect(addressLine)[0], account)
	time.Sleep(time.Until(asked.Add(rig.InTheBrowser)))
	return everything, parts
}

// question waits for one, and returns what stands above it.
func question(c *rig.Terminal, part string) string {
	c.T.Helper()
	return c.Expect(`(?s)^(.*?)` + part + `: `)[1]
}

// One paste for ssh, hidden; then one for sudo, echoed, whose lines answer all of its questions,
// after one that is too long for it.
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
	if said := question(c, "Part 1"); !strings.Contains(said,
		"That was too long for this program. Paste one part, and press ENTER.") {
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
	for _, line := range rig.Syslog.Find(mark, "") {
		for _, secret := range append(rig.Entra.Secrets(), hidden[18:],
			parts[0][18:], parts[1][18:]) {
			if strings.Contains(line, secret) {
				t.Errorf("logged: %s", line)
			}
		}
	}
}

// A code in two parts for ssh, however they come; and in one for su.
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
	if said := question(c, "Part 2 of 2"); !strings.Contains(said,
		"The end is missing (1023 characters came).") {
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

// A refusal is read also where the client shows nothing but prompts, and is in the log before
// anybody presses ENTER there. sudo hears of Ctrl-C whatever it has been asked.
func TestPasteRefused(t *testing.T) {
	const admin, user = "admin@contoso.example", "user@contoso.example"
	b := rig.ByBrowser(t, "token")
	mark := rig.Syslog.Mark()
	c := rig.Open(t, "ssh", rig.SSHArgs("-q", "-tt", admin+"@127.0.0.1",
		"sudo -k; sudo id -u; echo ended")...)
	strangers, _ := answer(b, c, user)
	question(c, "Part 1")
	c.TypeLine(strangers)
	c.Expect(`(?s)This sign-in is for ` + admin + `, but ` + user +
		` signed in with the browser\..*Press ENTER\. `)
	rig.Syslog.Exactly(t, mark, 1, `denied reason="other-account" account="`+admin+`"`)
	c.TypeLine("")
	// to another question, to which the first answer does not belong
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
