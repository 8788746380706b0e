// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// byBrowser lets people sign in with a browser of their own, at the sign-in page, whose answer is a token or a code. It returns the browser.
func byBrowser(t *testing.T, answer string) *chromium {
	t.Helper()
	page := webHost(t, contosoPage(t)) + map[string]string{"token": "", "code": "index.html"}[answer]
	configured(t, "sign_in", fmt.Sprintf("flow = \"browser\"\npage = %q\nanswer = %q", page, answer))
	b := newChromium(t)
	b.mayPaste()
	return b
}

// inTheBrowser is how long a person is away at least: what is typed sooner than AAD_AT_ONCE (pam/door.h), a program has typed.
const inTheBrowser = 350 * time.Millisecond

// An address stands alone in its line.
var shownAddress = `(?m)^http://127\.0\.0\.1:\d+/\S*#c=\S+&z=[0-9a-f]{8}$`

// answer is what a person has to paste who signs in with the account at the address in a prompt: all there is by the page's own button,
// and part by part.
func (b *chromium) answer(c *terminal, account string) (everything string, parts []string) {
	b.t.Helper()
	asked := time.Now()
	everything, parts = b.answerTo(c.expect(shownAddress)[0], account)
	time.Sleep(time.Until(asked.Add(inTheBrowser)))
	return everything, parts
}

func (b *chromium) answerTo(address, account string) (everything string, parts []string) {
	b.t.Helper()
	_, fragment, _ := strings.Cut(address, "#")
	asked, err := url.ParseQuery(strings.NewReplacer("\n", "", "> ", "").Replace(fragment)) // the page gets it as it stands
	if err != nil {
		b.t.Fatal(err)
	}
	b.goOnFrom(address, asked.Get("m"))
	b.js(fmt.Sprintf(`document.querySelector("[name=account]").value = %q`, account), nil)
	b.signIn()
	b.expect(toPaste)
	if parts = b.parts(); len(parts) == 1 {
		b.click("#copy1")
	} else {
		b.click("#all")
	}
	b.expect("Copied ")
	return b.clipboard(), parts
}

// question waits for one, and returns what stands above it.
func (c *terminal) question(part string) string {
	c.t.Helper()
	return c.expect(`(?s)^(.*?)` + part + `: `)[1]
}

// One paste for ssh, hidden; then one for sudo, echoed, whose lines answer all of its questions, after one that is too long for it.
func TestPasteToken(t *testing.T) {
	const admin = "admin@contoso.example"
	b := byBrowser(t, "token")
	mark := syslog.mark()
	c := ssh(t, admin, "sudo -k; sudo id -u")
	hidden, parts := b.answer(c, admin)
	if len(parts) != 1 || len(hidden) > 1000 {
		t.Fatalf("%d parts for ssh, %d characters", len(parts), len(hidden))
	}
	c.question("Part 1")
	c.typeLine(hidden)

	echoed, parts := b.answer(c, admin)
	c.question("Part 1")
	c.typeLine(strings.Join(parts, ""))
	if said := c.question("Part 1"); !strings.Contains(said, "That was too long for this program. Paste one part, and press ENTER.") {
		t.Errorf("too long for sudo: %q", said)
	}
	c.typeLine(echoed)
	c.expect(`Part 2 of 2: 0\n`)
	if status, _ := c.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if strings.Contains(c.all(), hidden[20:40]) || !strings.Contains(c.all(), echoed[20:40]) {
		t.Error("ssh has shown what was pasted, or sudo has not")
	}
	syslog.exactly(t, mark, 2, `signed-in account="`+admin+`"`)
	for _, line := range syslog.find(mark, "") {
		for _, secret := range append(entra.Secrets(), hidden[18:], parts[0][18:], parts[1][18:]) {
			if strings.Contains(line, secret) {
				t.Errorf("logged: %s", line)
			}
		}
	}
}

// A code in two parts for ssh, however they come; and in one for su.
func TestPasteCode(t *testing.T) {
	const user = "user@contoso.example"
	stored(t, user)
	localUser(t)
	b := byBrowser(t, "code")
	c := ssh(t, user, "id -un")
	everything, parts := b.answer(c, user)
	c.question("Part 1")
	c.typeLine("") // as a line break behind an earlier paste would
	c.question("Part 1")
	c.typeLine(everything) // of which ssh reads 1,023 bytes
	if said := c.question("Part 2 of 2"); !strings.Contains(said, "The end is missing (1023 characters came).") {
		t.Errorf("both at once: %q", said)
	}
	c.typeLine("\x1b[200~" + parts[1][:80] + " " + parts[1][80:] + "\x1b[201~")
	c.expect(`\n` + user + `\n`)

	c = open(t, "runuser", "-u", "local", "--", "su", "-", user, "-c", "id -un")
	everything, parts = b.answer(c, user)
	if len(parts) != 1 {
		t.Fatalf("%d parts for su", len(parts))
	}
	c.question("Part 1")
	c.typeLine(everything)
	c.expect(`\n` + user + `\n`)
}

// A refusal is read also where the client shows nothing but prompts, and is in the log before anybody presses ENTER there. sudo hears
// of Ctrl-C whatever it has been asked.
func TestPasteRefused(t *testing.T) {
	const admin, user = "admin@contoso.example", "user@contoso.example"
	b := byBrowser(t, "token")
	mark := syslog.mark()
	c := open(t, "ssh", sshArgs("-q", "-tt", admin+"@127.0.0.1", "sudo -k; sudo id -u; echo ended")...)
	strangers, _ := b.answer(c, user)
	c.question("Part 1")
	c.typeLine(strangers)
	c.expect(`(?s)This sign-in is for ` + admin + `, but ` + user + ` signed in with the browser\..*Press ENTER\. `)
	syslog.exactly(t, mark, 1, `denied reason="other-account" account="`+admin+`"`)
	c.typeLine("")
	owners, _ := b.answer(c, admin) // to another question, to which the first answer does not belong
	c.question("Part 1")
	c.typeLine(strangers)
	if said := c.question("Part 1"); !strings.Contains(said, "That part is of another attempt.") {
		t.Errorf("the answer before: %q", said)
	}
	c.typeLine(owners)

	mark = syslog.mark()
	c.expect(shownAddress)
	c.question("Part 1")
	time.Sleep(inTheBrowser)
	c.pty.WriteString("\x03") // without ENTER, which would be an answer
	if said := c.expect(`(?s)^(.*)\nended\n`)[1]; strings.Contains(said, "too long") {
		t.Errorf("after Ctrl-C: %q", said)
	}
	syslog.exactly(t, mark, 1, `failed reason="conversation-failed" account="`+admin+`"`)
}
