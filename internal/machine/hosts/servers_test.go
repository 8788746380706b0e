// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

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
	"strings"
	"syscall"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

// daemon runs a server in the foreground until the test ends, and waits until it answers at an
// address or a socket.
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
	rig.Eventually(t, name+" listens", rig.Patience, func() bool {
		c, err := net.Dial(network, at)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// settingsFile returns a file with lines behind those of the package.
func settingsFile(t *testing.T, name, from, more string) string {
	t.Helper()
	text := ""
	if from != "" {
		text = rig.Must(t, "cat", from)
	}
	path := filepath.Join("/etc", "test-"+name)
	if err := os.WriteFile(path, []byte(text+"\n"+more), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A client gives up after this time, which is longer than the refusal of any program takes.
const giveUp = 20 * time.Second

func sasl(_ *testing.T, user, password string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), giveUp)
	defer cancel()
	out, _ := exec.CommandContext(ctx, "testsaslauthd", "-u", user, "-p", password, "-s", "imap",
		"-f", "/run/saslauthd/mux").CombinedOutput()
	return answered(string(out), `OK "Success."`, `NO "authentication failed"`)
}

// answered returns whether the person was let in or refused, and fails for any other answer.
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

// from is an address of a client. dovecot delays everybody who comes from an address where others
// have failed.
func from(user string) net.Addr {
	if strings.HasPrefix(user, "stranger") {
		return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
}

// dialogue sends lines, each after an answer.
func dialogue(user, address string, lines ...string) (string, error) {
	d := net.Dialer{Timeout: giveUp, LocalAddr: from(user)}
	c, err := d.Dial("tcp", address)
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
		answer, err := dialogue(user, address, "USER "+user, "PASS "+password)
		if err != nil {
			return false, err
		}
		return answered(answer, "230", "530")
	}
}

func imap(_ *testing.T, user, password string) (bool, error) {
	answer, err := dialogue(user, "127.0.0.1:143", fmt.Sprintf("a LOGIN %q %q", user, password))
	if err != nil {
		return false, err
	}
	if strings.HasPrefix(answer, "* CAPABILITY") {
		return true, nil
	}
	return answered(answer, "a OK", "a NO")
}

// startApache lets the server's own user check the passwords of others. Otherwise no local user
// gets in.
func startApache(t *testing.T) {
	const stack = "@include common-auth\n@include common-account\n"
	os.WriteFile("/etc/pam.d/httpd", []byte(stack), 0o644)
	os.MkdirAll("/run/apache2", 0o755)
	modules := "/usr/lib/apache2/modules/"
	load := ""
	for name, file := range map[string]string{
		"mpm_prefork": "mod_mpm_prefork",
		"authn_core":  "mod_authn_core",
		"authz_core":  "mod_authz_core",
		"authz_user":  "mod_authz_user",
		"auth_basic":  "mod_auth_basic",
		"authnz_pam":  "mod_authnz_pam",
	} {
		load += "LoadModule " + name + "_module " + modules + file + ".so\n"
	}
	settings := settingsFile(t, "apache2.conf", "", load+
		"ServerRoot /etc/apache2\nServerName test\nListen 127.0.0.1:8081\n"+
		"User www-data\nGroup shadow\nPidFile /run/apache2/test.pid\n"+
		"ErrorLog /tmp/apache2.log\nDocumentRoot /usr/share/doc\n"+
		"<Location />\nAuthType Basic\nAuthName test\nAuthBasicProvider PAM\n"+
		"AuthPAMService httpd\nRequire valid-user\n</Location>\n")
	daemon(t, "127.0.0.1:8081", "apache2", "-D", "FOREGROUND", "-f", settings)
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
	client := &http.Client{Timeout: 2 * giveUp,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
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

// startSesman uses a stack in which pam_unix delays nobody. xrdp-sesman asks PAM for one user after
// the other, so while strangers are delayed nobody else gets in, with the package or without it.
func startSesman(t *testing.T) {
	rig.Must(t, "sh", "-c",
		`sed 's/pam_unix\.so/& nodelay/' /etc/pam.d/common-auth >/etc/pam.d/test-auth`)
	rig.Edit(t, "/etc/pam.d/xrdp-sesman",
		func(s string) []byte { return []byte(strings.ReplaceAll(s, "common-auth", "test-auth")) })
	daemon(t, "[::1]:3350", "xrdp-sesman", "-n")
}

// sesman asks xrdp's session manager for a session. It starts none, because there is no X server.
func sesman(_ *testing.T, user, password string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), giveUp)
	defer cancel()
	run := exec.CommandContext(ctx, "xrdp-sesrun", "-s", "127.0.0.1", "-p", password, user)
	out, _ := run.CombinedOutput()
	return answered(string(out), "ok data=1 ", "Connection denied (authentication error)")
}

const cockpitLogin = "http://127.0.0.1:9091/cockpit/login"

func cockpit(_ *testing.T, user, password string) (bool, error) {
	answer, err := get(cockpitLogin, user, password, nil)
	if err != nil {
		return false, err
	}
	// A code is answered with ENTER, without a browser.
	if challenge := strings.Fields(answer.Header.Get("WWW-Authenticate")); len(challenge) == 3 {
		answer, err = get(cockpitLogin, "", "",
			map[string]string{"Authorization": "X-Conversation " + challenge[1] + " "})
		if err != nil {
			return false, err
		}
	}
	return answer.StatusCode == http.StatusOK, nil
}

// cockpitShows answers the conversation that Cockpit's page would show.
func cockpitShows(t *testing.T, user string) {
	answer, err := get(cockpitLogin, user, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	challenge := strings.Fields(answer.Header.Get("WWW-Authenticate"))
	if len(challenge) != 3 {
		t.Fatalf("%s, %q", answer.Status, answer.Header)
	}
	text, _ := base64.StdEncoding.DecodeString(challenge[2])
	m := regexp.MustCompile(rig.PromptPattern).FindStringSubmatch(string(text))
	if m == nil {
		t.Fatalf("no code: %q", text)
	}
	page, code := m[1], m[2]
	rig.Browse(t, page, code, user)
	answer, err = get(cockpitLogin, "", "",
		map[string]string{"Authorization": "X-Conversation " + challenge[1] + " "})
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("after the browser: %v, %v", answer, err)
	}
}
