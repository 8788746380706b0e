// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

const (
	sshPort    = "2222"
	configFile = "/etc/aad-login/config.toml"
	storeFile  = "/var/lib/aad-login/accounts.cdb"
	caFile     = "/run/aad-emulator-ca.pem"
)

// entra is the one stand-in: Entra ID, Azure Resource Manager and the metadata service.
var entra *emulator.Server

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "az" {
		os.Exit(azMain())
	}
	if os.Getenv("THROWAWAY_MACHINE") == "" {
		fmt.Println("internal/machine: skipped: these tests act as root on a throw-away machine; run: make test")
		os.Exit(0)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if releaseRoot() != "" || vmDirectory() != "" { // the machine under test is another, and may be emulated
		patience = 10 * time.Minute
		return m.Run()
	}
	if guest() != "" {
		if err := startGuest(); err != nil {
			fmt.Println(err)
			return 1
		}
		defer func() { entra.Close() }()
		return m.Run()
	}
	syslog.start()
	// A machine on which aadctl check has nothing to say: by default, login gives a person 60 s.
	if out, err := exec.Command("sed", "-i", "s/^LOGIN_TIMEOUT.*/LOGIN_TIMEOUT 300/", "/etc/login.defs").CombinedOutput(); err != nil {
		fmt.Printf("%v: %s", err, out)
		return 1
	}
	if err := startEntra(); err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { entra.Close() }()
	sshd, err := startSSHD(sshPort)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer sshd.Process.Kill()
	defer stopChromium()
	return m.Run()
}

func startEntra() error {
	entra = &emulator.Server{EntraAddr: "127.0.0.1:8443", MetadataAddr: "127.0.0.1:8442"}
	if err := entra.Start(); err != nil {
		return err
	}
	return os.WriteFile(caFile, entra.CA(), 0o644)
}

// startSSHD runs the distribution's sshd with the configuration that the package brought, and more of it.
func startSSHD(port string, more ...string) (*exec.Cmd, error) {
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		return nil, err
	}
	args := append([]string{"-D", "-e", "-p", port, "-o", "ListenAddress=0.0.0.0", "-o", "MaxStartups=100"}, more...)
	args = append(args, "-o", "PidFile=none") // that of the machine's own is compared with the age of its files
	// OpenSSH 9.8 and later stop answering an address that fails to sign in as often as these tests do.
	if patient := "PerSourcePenalties=no"; exec.Command("/usr/sbin/sshd", "-t", "-o", patient).Run() == nil {
		args = append(args, "-o", patient)
	}
	cmd := exec.Command("/usr/sbin/sshd", args...)
	log, err := os.Create("/tmp/sshd-" + port + ".log")
	if err != nil {
		return nil, err
	}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for range 1000 {
		if c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second); err == nil {
			c.Close()
			return cmd, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, fmt.Errorf("sshd does not listen; see %s", log.Name())
}

// sshArgs are those of a person whose known_hosts is empty.
func sshArgs(more ...string) []string {
	return append([]string{"-F", "none", "-o", "Port=" + sshPort, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "PubkeyAuthentication=no"}, more...)
}

// ssh is "ssh NAME@host [COMMAND]" with a terminal at both ends.
func ssh(t *testing.T, name string, command ...string) *terminal {
	t.Helper()
	return open(t, "ssh", append(sshArgs("-tt", name+"@127.0.0.1"), command...)...)
}

const promptPattern = `To sign in, use a web browser to open the page (\S+) and enter the code ([A-Z0-9]{9}) to authenticate\.\s(?:\[[^\n]*\] )?Press ENTER when ready\.`

// prompted waits for a device code prompt.
func (c *terminal) prompted() (page, code string) {
	c.t.Helper()
	m := c.expect(promptPattern)
	return m[1], m[2]
}

// signIn goes through a whole prompt: the page in the browser, then ENTER.
func (c *terminal) signIn(as string) {
	c.t.Helper()
	page, code := c.prompted()
	browse(c.t, page, code, as)
	c.typeLine("")
}

// browse is the person with the browser: the page, the code, the account.
func browse(t testing.TB, page, code, as string) {
	t.Helper()
	if answer := submit(t, page, url.Values{"code": {code}, "account": {as}}); !strings.Contains(answer,
		"You have signed in to the Microsoft Azure Linux Virtual Machine Sign-In application on your device.") {
		t.Fatalf("the device page did not sign %s in:\n%s", as, answer)
	}
}

func submit(t testing.TB, page string, form url.Values) string {
	t.Helper()
	resp, err := http.PostForm(page, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// requests counts what an endpoint of the emulator has answered.
func requests(endpoint string) int {
	n := 0
	for _, r := range entra.Requests() {
		if r.Endpoint == endpoint {
			n++
		}
	}
	return n
}

// command runs to its end and returns what it printed and its exit status.
func command(t *testing.T, stdin string, name string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience) // t's own has ended when clean-ups run
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// must is command for what has to work.
func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, status := command(t, "", name, args...)
	if status != 0 {
		t.Fatalf("%s %q: exit status %d:\n%s", name, args, status, out)
	}
	return out
}

// build is must for what compiles, which is no step of a dialogue: without a cache, and with more to do, a machine takes minutes.
func build(t *testing.T, name string, args ...string) {
	t.Helper()
	defer func(former time.Duration) { patience = former }(patience)
	patience *= 5
	must(t, name, args...)
}

// edit changes a file for the length of a test. A nil text takes the file away.
func edit(t *testing.T, path string, change func(string) []byte) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	mode := info.Mode()
	if immutable(t, path) {
		mode |= 0o200 // 0444 is for a file that is
		makeMutable(t, path)
	}
	t.Cleanup(func() {
		if err := replaceFile(path, before, mode); err != nil {
			t.Fatal(err)
		}
	})
	text := change(string(before))
	if text == nil {
		err = os.Remove(path)
	} else {
		err = replaceFile(path, text, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func replaceFile(path string, text []byte, mode os.FileMode) error {
	if err := os.WriteFile(path+".test", text, mode); err != nil {
		return err
	}
	return os.Rename(path+".test", path)
}

// syslog is this machine's: /dev/log, where pam_syslog(3) writes.
var syslog journal

type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) start() {
	os.Remove("/dev/log") // an earlier run's
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	if err != nil {
		panic(err)
	}
	if err := os.Chmod("/dev/log", 0o666); err != nil {
		panic(err)
	}
	go func() {
		b := make([]byte, 64<<10)
		for {
			n, err := l.Read(b)
			if err != nil {
				return
			}
			j.mu.Lock()
			j.lines = append(j.lines, string(bytes.TrimSpace(b[:n])))
			j.mu.Unlock()
		}
	}()
}

// find returns the module's log lines that match, from mark on.
func (j *journal) find(mark int, pattern string) []string {
	re := regexp.MustCompile(pattern)
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []string
	for _, line := range j.lines[mark:] {
		if strings.Contains(line, "pam_aad(") && re.MatchString(line) {
			found = append(found, line)
		}
	}
	return found
}

func (j *journal) mark() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.lines)
}

// eventually asks again and again, for what no event announces: the end of a process that is not ours to wait for.
func eventually(t testing.TB, what string, within time.Duration, done func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}
