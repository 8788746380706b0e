// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programs are those of the script "hosts", each as its package sets it up but for the port and what it takes to let a local user in.
func programs() []program {
	return []program{
		{name: "saslauthd", pkg: "sasl2-bin", service: "imap", try: sasl, start: func(t *testing.T) {
			os.MkdirAll("/run/saslauthd", 0o755)
			daemon(t, "/run/saslauthd/mux", "saslauthd", "-d", "-a", "pam", "-n", "5", "-m", "/run/saslauthd")
		}},
		{name: "vsftpd", pkg: "vsftpd", service: "vsftpd", try: ftp("127.0.0.1:2121"), start: func(t *testing.T) {
			os.MkdirAll("/var/run/vsftpd/empty", 0o755)
			daemon(t, "127.0.0.1:2121", "vsftpd", settingsFile(t, "vsftpd.conf", "/etc/vsftpd.conf",
				"listen=YES\nlisten_ipv6=NO\nlisten_address=127.0.0.1\nlisten_port=2121\nbackground=NO\n"))
		}},
		{name: "proftpd", pkg: "proftpd-core", service: "proftpd", try: ftp("127.0.0.1:2122"), start: func(t *testing.T) {
			must(t, "cp", "/opt/proftpd/etc/pam.d/proftpd", "/etc/pam.d/proftpd")
			daemon(t, "127.0.0.1:2122", "/opt/proftpd/usr/sbin/proftpd", "--nodaemon", "-c", settingsFile(t, "proftpd.conf", "",
				"ServerName test\nDefaultServer on\nSocketBindTight on\nDefaultAddress 127.0.0.1\nPort 2122\nUser root\nGroup root\n"+
					"PidFile /run/proftpd.pid\nScoreboardFile /run/proftpd.score\nAuthPAMConfig proftpd\n"+
					"AuthOrder mod_auth_pam.c* mod_auth_unix.c\nUseReverseDNS off\nWtmpLog off\n"))
		}},
		{name: "dovecot", pkg: "dovecot-core", service: "dovecot", try: imap, start: func(t *testing.T) {
			daemon(t, "127.0.0.1:143", "dovecot", "-F", "-c", settingsFile(t, "dovecot.conf", "",
				"!include /etc/dovecot/dovecot.conf\nlisten = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nlog_path = /tmp/dovecot.log\n"))
		}},
		{name: "apache2", pkg: "libapache2-mod-authnz-pam", service: "httpd", try: basic, start: startApache},
		{name: "xrdp-sesman", pkg: "xrdp", service: "xrdp-sesman", try: sesman, start: func(t *testing.T) {
			newNeighbour(t) // its client looks localhost up, which only a machine with a network answers
			daemon(t, "[::1]:3350", "xrdp-sesman", "-n")
		}},
		{name: "cockpit", pkg: "cockpit-ws", service: "cockpit", try: cockpit, shows: cockpitShows, start: func(t *testing.T) {
			// Of its own it takes ten who have not signed in.
			os.WriteFile("/etc/cockpit/cockpit.conf", []byte("[WebService]\nMaxStartups = 100\n"), 0o644)
			daemon(t, "127.0.0.1:9091", "/usr/lib/cockpit/cockpit-ws", "--no-tls", "-p", "9091", "-a", "127.0.0.1")
		}},
		{name: "doas", inside: true, pkg: "opendoas", service: "doas", start: permitDoas,
			try:   typesPassword(commandOf("runuser", "-u", "USER", "--", "doas", "id", "-u")),
			shows: showsCode("doas", commandOf("runuser", "-u", "USER", "--", "doas", "id", "-u"))},
		{name: "su", pkg: "util-linux", service: "su", start: noServer,
			try:   typesPassword(commandOf("runuser", "-u", "nobody", "--", "su", "USER", "-c", "true")),
			shows: showsCode("su", commandOf("runuser", "-u", "nobody", "--", "su", "USER", "-c", "true"))},
		{name: "vlock", inside: true, pkg: "vlock", service: "vlock", start: noServer, try: typesPassword(asVlock), shows: showsCode("vlock", asVlock)},
		{name: "chsh", inside: true, pkg: "passwd", service: "chsh", start: noServer,
			try: typesPassword(commandOf("runuser", "-u", "USER", "--", "chsh", "-s", "/bin/bash"))},
		{name: "chfn", inside: true, pkg: "passwd", service: "chfn", start: noServer,
			try: typesPassword(commandOf("runuser", "-u", "USER", "--", "chfn", "-h", "1"))},
	}
}

func noServer(*testing.T) {}

// asVlock is vlock, which asks for ENTER before it asks PAM.
func asVlock(t *testing.T, user string) *terminal {
	c := open(t, "runuser", "-u", user, "--", "vlock")
	c.expect(`\[ENTER\] to unlock`)
	c.typeLine("")
	return c
}

// daemon runs a server in the foreground until the test ends, and waits until it answers at an address or a socket.
func daemon(t *testing.T, at, name string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		time.AfterFunc(10*time.Second, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		cmd.Wait()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("%s said:\n%s", name, text)
		}
	})
	network := "tcp"
	if strings.HasPrefix(at, "/") {
		network = "unix"
	}
	eventually(t, name+" listens", patience, func() bool {
		c, err := net.Dial(network, at)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// settingsFile is a file with more lines behind those of the package.
func settingsFile(t *testing.T, name, from, more string) string {
	t.Helper()
	text := ""
	if from != "" {
		text = must(t, "cat", from)
	}
	path := filepath.Join("/etc", "test-"+name)
	if err := os.WriteFile(path, []byte(text+"\n"+more), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A client gives up after this long: longer than any program takes to say no, and than none.
const giveUp = 20 * time.Second

func sasl(_ *testing.T, user, password string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), giveUp)
	defer cancel()
	out, _ := exec.CommandContext(ctx, "testsaslauthd", "-u", user, "-p", password, "-s", "imap", "-f", "/run/saslauthd/mux").CombinedOutput()
	return answered(string(out), `OK "Success."`, `NO "authentication failed"`)
}

// answered tells in from refused from anything else.
func answered(text, in, refused string) (bool, error) {
	switch {
	case strings.Contains(text, in):
		return true, nil
	case strings.Contains(text, refused):
		return false, nil
	default:
		return false, fmt.Errorf("neither in nor refused: %q", text)
	}
}

// dialogue says lines, each after an answer.
func dialogue(address string, lines ...string) (string, error) {
	c, err := net.DialTimeout("tcp", address, giveUp)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(giveUp))
	r := bufio.NewReader(c)
	answer, err := r.ReadString('\n')
	for _, line := range lines {
		if err != nil {
			return answer, err
		}
		io.WriteString(c, line+"\r\n")
		answer, err = r.ReadString('\n')
	}
	return answer, err
}

func ftp(address string) func(t *testing.T, user, password string) (bool, error) {
	return func(_ *testing.T, user, password string) (bool, error) {
		answer, err := dialogue(address, "USER "+user, "PASS "+password)
		if err != nil {
			return false, err
		}
		return answered(answer, "230", "530")
	}
}

func imap(_ *testing.T, user, password string) (bool, error) {
	answer, err := dialogue("127.0.0.1:143", fmt.Sprintf("a LOGIN %q %q", user, password))
	if err != nil {
		return false, err
	}
	if strings.HasPrefix(answer, "* CAPABILITY") {
		return true, nil
	}
	return answered(answer, "a OK", "a NO")
}

// startApache lets the server's own user ask for passwords of others, without which no local user gets in.
func startApache(t *testing.T) {
	os.WriteFile("/etc/pam.d/httpd", []byte("@include common-auth\n@include common-account\n"), 0o644)
	os.MkdirAll("/run/apache2", 0o755)
	modules := "/usr/lib/apache2/modules/"
	load := ""
	for name, file := range map[string]string{"mpm_prefork": "mod_mpm_prefork", "authn_core": "mod_authn_core", "authz_core": "mod_authz_core",
		"authz_user": "mod_authz_user", "auth_basic": "mod_auth_basic", "authnz_pam": "mod_authnz_pam"} {
		load += "LoadModule " + name + "_module " + modules + file + ".so\n"
	}
	daemon(t, "127.0.0.1:8081", "apache2", "-D", "FOREGROUND", "-f", settingsFile(t, "apache2.conf", "", load+
		"ServerRoot /etc/apache2\nServerName test\nListen 127.0.0.1:8081\nUser www-data\nGroup shadow\nPidFile /run/apache2/test.pid\n"+
		"ErrorLog /tmp/apache2.log\nDocumentRoot /usr/share/doc\n<Location />\nAuthType Basic\nAuthName test\nAuthBasicProvider PAM\n"+
		"AuthPAMService httpd\nRequire valid-user\n</Location>\n"))
}

func get(url, user, password string, header map[string]string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	client := &http.Client{Timeout: 2 * giveUp, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(req)
	if err == nil {
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	return answer, err
}

func basic(_ *testing.T, user, password string) (bool, error) {
	answer, err := get("http://127.0.0.1:8081/", user, password, nil)
	if err != nil {
		return false, err
	}
	return answer.StatusCode != http.StatusUnauthorized, nil
}

// sesman asks xrdp's session manager for a session. That it starts none, for want of an X server, is another matter.
func sesman(_ *testing.T, user, password string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), giveUp)
	defer cancel()
	out, _ := exec.CommandContext(ctx, "xrdp-sesrun", "-p", password, user).CombinedOutput()
	return answered(string(out), "ok", "failed")
}

func cockpit(_ *testing.T, user, password string) (bool, error) {
	answer, err := get("http://127.0.0.1:9091/cockpit/login", user, password, nil)
	if err != nil {
		return false, err
	}
	return answer.StatusCode == http.StatusOK, nil
}

// cockpitShows answers the conversation that Cockpit's page would show.
func cockpitShows(t *testing.T, user string) {
	answer, err := get("http://127.0.0.1:9091/cockpit/login", user, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	challenge := strings.Fields(answer.Header.Get("WWW-Authenticate"))
	if len(challenge) != 3 {
		t.Fatalf("%s, %q", answer.Status, answer.Header)
	}
	text, _ := base64.StdEncoding.DecodeString(challenge[2])
	m := regexp.MustCompile(promptPattern).FindStringSubmatch(string(text))
	if m == nil {
		t.Fatalf("no code: %q", text)
	}
	page, code := m[1], m[2]
	browse(t, page, code, user)
	answer, err = get("http://127.0.0.1:9091/cockpit/login", "", "", map[string]string{"Authorization": "X-Conversation " + challenge[1] + " "})
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("after the browser: %v, %v", answer, err)
	}
}

func permitDoas(t *testing.T) {
	if err := os.WriteFile("/etc/doas.conf", []byte("permit local as root\npermit user@contoso.example as root\n"), 0o400); err != nil {
		t.Fatal(err)
	}
}

// commandOf makes a command line for somebody, who stands in it as USER.
func commandOf(words ...string) func(t *testing.T, user string) *terminal {
	return func(t *testing.T, user string) *terminal {
		args := slices.Clone(words)
		for i, word := range args {
			if word == "USER" {
				args[i] = user
			}
		}
		return open(t, args[0], args[1:]...)
	}
}

// typesPassword runs a program on a terminal and types the password.
func typesPassword(begin func(t *testing.T, user string) *terminal) func(t *testing.T, user, password string) (bool, error) {
	return func(t *testing.T, user, password string) (bool, error) {
		c := begin(t, user)
		if !c.asks(`assword: `) {
			return false, nil
		}
		c.typeLine(password)
		c.asks("(?i)failure|sorry|incorrect|assword: ") // vlock asks again
		c.cmd.Process.Kill()
		<-c.done
		c.pty.Close() // there are only so many
		return c.cmd.ProcessState.Success(), nil
	}
}

// showsCode runs a program on a terminal and signs in with a browser.
func showsCode(service string, begin func(t *testing.T, user string) *terminal) func(t *testing.T, user string) {
	return func(t *testing.T, user string) {
		c := begin(t, user)
		c.expect(`Signing in to \S+ as ` + user + ` \(` + service + `\)\.`)
		c.signIn(user)
		if status, rest := c.end(); status != 0 {
			t.Errorf("exit status %d: %s", status, rest)
		}
	}
}
