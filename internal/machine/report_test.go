// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const devLog = "/run/systemd/journal/dev-log"

// startJournald is systemd's own, which takes who wrote a line from the kernel.
func startJournald(t *testing.T) {
	t.Helper()
	must(t, "systemd-machine-id-setup")
	cmd := exec.Command("/lib/systemd/systemd-journald")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		for _, of := range []string{"/run/systemd/journal", "/run/log/journal"} {
			os.RemoveAll(of)
		}
	})
	eventually(t, "journald listens", patience, func() bool {
		c, err := net.Dial("unixgram", devLog)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// Two people sign in, and a stranger leaves in the log what would do harm in a page. The report has all of it, where it can be
// looked at by anybody with a browser, with a phone, or by the keyboard alone.
func TestReport(t *testing.T) {
	edit(t, configFile, begin("sign_in.scope = \""+ownScope+"\"\n")) // without one, a check warns
	mark := syslog.mark()
	c := ssh(t, "admin@contoso.example", "true")
	c.signIn("admin@contoso.example")
	c.end()
	c = ssh(t, "norole@contoso.example", "true")
	c.signIn("norole@contoso.example")
	c.end()
	syslog.settle(t)
	startJournald(t)
	log, err := net.Dial("unixgram", devLog)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	lines := syslog.find(mark, `: (signed-in|denied) `)
	if len(lines) != 2 {
		t.Fatalf("%q", lines)
	}
	for _, line := range lines {
		fmt.Fprint(log, line)
	}
	must(t, "setpriv", "--reuid=65534", "--clear-groups", "logger", "--socket", devLog, "--tag", "sshd", "--priority", "authpriv.info",
		`pam_aad(sshd:auth): signed-in account="forged@contoso.example"`)
	rotated := "/var/log/auth.log.1"
	old := time.Now().Add(-24 * time.Hour).Format(time.RFC3339)
	hostile := `</td><script>document.title=1</script><img src=http://192.0.2.1/>\x1b[2J`
	line := old + ` vm sshd[7]: pam_aad(sshd:auth): failed reason="expired" account="` + hostile + "\"\n"
	if err := os.WriteFile(rotated, []byte(line), 0o640); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(rotated) })

	file := filepath.Join(t.TempDir(), "report.html")
	var said string
	eventually(t, "the journal has three lines", patience, func() bool { // journald takes its time
		said = must(t, "aadctl", "report", "--force", file)
		return strings.Contains(said, "sign-ins: 4,")
	})
	if !strings.Contains(said, "checks failed: 0,") {
		t.Error(said)
	}
	browser := newChromium(t)
	browser.open("file://" + file)
	for _, sentence := range []string{"holds personal data", "Every check passed.", "admin@contoso.example", "✗ denied: no-role",
		"as administrator", "forged@contoso.example", "written by uid 65534", "<script>document.title=1</script>",
		"from the journal, " + rotated, "for sshd"} {
		browser.expect(sentence)
	}
	browser.usable()
	stranger := func(url string) bool { return url != "file://"+file && url != "about:blank" }
	if asked := browser.requests(); slices.ContainsFunc(asked, stranger) {
		t.Errorf("the report asks for %q", asked)
	}
	var scripts int
	if browser.js("return document.scripts.length + document.images.length", &scripts); scripts != 0 {
		t.Errorf("%d scripts and pictures", scripts)
	}

	browser.width(375)
	must(t, "aadctl", "report", "--force", "--redact", file)
	browser.open("file://" + file)
	browser.expect("Names and addresses have been replaced")
	browser.expect("host-") // 127.0.0.1 is where Entra ID is, too
	if text := browser.text(); strings.Contains(text, "admin@") || strings.Contains(text, "forged@") {
		t.Errorf("names in\n%s", text)
	}
}

// What journalctl calls a file is not one that somebody else can read, or has put there.
func TestReportIsForItsOwnerOnly(t *testing.T) {
	t.Chdir(t.TempDir())
	must(t, "sh", "-c", "umask 0; exec aadctl report --offline")
	found, err := filepath.Glob("aad-login-report-*.html")
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if info, err := os.Stat(found[0]); err != nil || info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := os.Symlink("/etc/motd", "link"); err != nil {
		t.Fatal(err)
	}
	out, status := command(t, "", "aadctl", "report", "--offline", "link")
	if status != 1 || !strings.Contains(out, "link: is there already") {
		t.Errorf("exit status %d, %s", status, out)
	}
}
