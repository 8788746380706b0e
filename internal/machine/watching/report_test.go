// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package watching

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

	"aadlogin/internal/machine/rig"
)

const devLog = "/run/systemd/journal/dev-log"

// startJournald starts systemd's journald, which gets the writer of a line from the kernel.
func startJournald(t *testing.T) {
	t.Helper()
	rig.Must(t, "systemd-machine-id-setup")
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
	rig.Eventually(t, "journald listens", rig.Patience, func() bool {
		c, err := net.Dial("unixgram", devLog)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// Two people sign in, and a stranger writes lines into the log that would do harm in a page. The
// report shows all of them, and can be read with a browser, with a phone, or by keyboard alone.
func TestReport(t *testing.T) {
	// Without one, the check warns.
	rig.Edit(t, rig.ConfigFile, rig.BeginWith("sign_in.scope = \""+rig.OwnScope+"\"\n"))
	mark := rig.Syslog.Mark()
	c := rig.SSH(t, "admin@contoso.example", "true")
	c.SignIn("admin@contoso.example")
	c.End()
	c = rig.SSH(t, "norole@contoso.example", "true")
	c.SignIn("norole@contoso.example")
	c.End()
	rig.Syslog.Settle(t)
	startJournald(t)
	log, err := net.Dial("unixgram", devLog)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	lines := rig.Syslog.Find(mark, `: (signed-in|denied) `)
	if len(lines) != 2 {
		t.Fatalf("%q", lines)
	}
	for _, line := range lines {
		fmt.Fprint(log, line)
	}
	rig.Must(t, "setpriv", "--reuid=65534", "--clear-groups", "logger", "--socket", devLog, "--tag",
		"sshd", "--priority", "authpriv.info",
		`pam_aad(sshd:auth): signed-in account="forged@contoso.example"`)
	rotated := "/var/log/auth.log.1"
	old := time.Now().Add(-24 * time.Hour).Format(time.RFC3339)
	hostile := `</td><script>document.title=1</script><img src=http://192.0.2.1/>\x1b[2J`
	line := old + ` vm sshd[7]: pam_aad(sshd:auth): failed reason="expired" account="` + hostile +
		"\"\n"
	if err := os.WriteFile(rotated, []byte(line), 0o640); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(rotated) })

	file := filepath.Join(t.TempDir(), "report.html")
	var said string
	// journald needs a moment.
	rig.Eventually(t, "the journal has three lines", rig.Patience, func() bool {
		said = rig.Must(t, "aadctl", "report", "--force", file)
		return strings.Contains(said, "sign-ins: 4,")
	})
	if !strings.Contains(said, "checks failed: 0,") {
		t.Error(said)
	}
	browser := rig.NewChromium(t)
	browser.Open("file://" + file)
	for _, sentence := range []string{
		"holds personal data", "Every check passed.", "admin@contoso.example", "✗ denied: no-role",
		"as administrator", "forged@contoso.example", "written by uid 65534",
		"<script>document.title=1</script>", "from the journal, " + rotated, "for sshd",
	} {
		browser.Expect(sentence)
	}
	browser.Usable()
	stranger := func(url string) bool { return url != "file://"+file && url != "about:blank" }
	if asked := browser.Requests(); slices.ContainsFunc(asked, stranger) {
		t.Errorf("the report asks for %q", asked)
	}
	var scripts int
	browser.JS("return document.scripts.length + document.images.length", &scripts)
	if scripts != 0 {
		t.Errorf("%d scripts and pictures", scripts)
	}

	browser.Width(375)
	rig.Must(t, "aadctl", "report", "--force", "--redact", file)
	browser.Open("file://" + file)
	browser.Expect("Names and addresses have been replaced")
	browser.Expect("host-") // 127.0.0.1 is where Entra ID is, too
	text := browser.Text()
	if strings.Contains(text, "admin@") || strings.Contains(text, "forged@") {
		t.Errorf("names in\n%s", text)
	}
}

// A file that journalctl names is refused if others could have put it there or could read it.
func TestReportIsForItsOwnerOnly(t *testing.T) {
	t.Chdir(t.TempDir())
	rig.Must(t, "sh", "-c", "umask 0; exec aadctl report --offline")
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
	out, status := rig.Command(t, "", "aadctl", "report", "--offline", "link")
	if status != 1 || !strings.Contains(out, "link: is there already") {
		t.Errorf("exit status %d, %s", status, out)
	}
}
