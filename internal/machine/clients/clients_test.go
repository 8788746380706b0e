// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

var otherClients = flag.Bool("clients", false, "SSH clients besides OpenSSH's ssh")

// A client is a program with which a person signs in by SSH.
type client struct {
	name    string
	version func(t *testing.T) string
	args    func(t *testing.T) []string
	before  func(c *rig.Terminal) // what it asks first
	after   func(c *rig.Terminal) // what it asks behind the prompt
	in      string                // what it says to who is in; the name of the account by default
	tears   bool                  // lines at column 77
	hops    []string              // who asks, by what stands in the prompt; one by default
}

const (
	clientUser = "user@contoso.example"
	libraries  = "testdata/"                         // a person at each
	entraPage  = "https://microsoft.com/devicelogin" // reaches beyond column 77, in the sentence
)

// realPage makes the emulator name the page of Entra ID, and returns the emulator's own page, where
// the person goes.
func realPage(t *testing.T) string {
	t.Helper()
	own := rig.Entra.VerificationURI()
	name := func(uri string) error {
		return rig.Entra.Update(func(d *emulator.Directory) { d.VerificationURI = uri })
	}
	if err := name(entraPage); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := name(""); err != nil {
			t.Fatal(err)
		}
	})
	return own
}

var (
	// Clients of PuTTY's family have a margin.
	pageAlone = regexp.MustCompile(`(?m)^(\| )?` + regexp.QuoteMeta(entraPage) + ` ?$`)
	// This is a whole prompt, even if its lines are torn.
	anyPrompt = `(?s)^.*?enter the code ([A-Z0-9]{9}) to.*?Press[\s>]+ENTER[\s>]+when[\s>]+ready\.`
	intact    = regexp.MustCompile(rig.PromptPattern)
)

// signsIn signs in with the client and a browser. It returns what the person sees.
func (k client) signsIn(t *testing.T, own string) (seen string) {
	t.Setenv("HOME", t.TempDir())
	args := k.args(t)
	c := rig.Open(t, args[0], args[1:]...)
	if k.before != nil {
		k.before(c)
	}
	if k.hops == nil {
		k.hops = []string{""}
	}
	for _, hop := range k.hops {
		m := c.Expect(anyPrompt)
		if !strings.Contains(m[0], hop) {
			t.Errorf("the prompt does not name %s: %q", hop, m[0])
		}
		if !pageAlone.MatchString(m[0]) {
			t.Errorf("the address is nowhere alone in its line: %q", m[0])
		}
		seen = "page and code whole, sentence in one line"
		if !intact.MatchString(m[0]) {
			seen = "page alone in its line and code whole, sentence torn"
		}
		if intact.MatchString(m[0]) == k.tears {
			t.Errorf("%s: %q", seen, m[0])
		}
		rig.Browse(t, own, m[1], clientUser)
		c.TypeLine("")
	}
	if k.after != nil {
		k.after(c)
	}
	c.Expect(`(?m)` + cmp.Or(k.in, `^`+regexp.QuoteMeta(clientUser)+`$`))
	return seen
}

// clientConfig returns the configuration file of a person without known_hosts. A file is needed
// because -o does not apply to jump hosts.
func clientConfig(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	text := "Port " + rig.SSHPort +
		"\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nPubkeyAuthentication no\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// askpass shows the question of ssh, marked, and runs this command once the person has typed
// something.
func askpass(t *testing.T, last string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "askpass")
	text := "#!/bin/sh\nprintf 'askpass shows:\\n%s\\n' \"$1\" >/dev/tty\nread -r answer " +
		"</dev/tty\n" + last + "\n"
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func fromDebian(pkg string) func(*testing.T) string {
	return func(t *testing.T) string { return rig.VersionOf(t, pkg) }
}

func fixed(args ...string) func(*testing.T) []string {
	return func(*testing.T) []string { return args }
}

// clientsHere are the clients of every machine with an ssh.
func clientsHere() []client {
	return []client{
		{name: "ssh -J", version: fromDebian("openssh-client"),
			hops: []string{"(" + clientUser + "@127.0.0.2)", "(" + clientUser + "@127.0.0.3)"},
			args: func(t *testing.T) []string {
				return []string{
					"ssh", "-F", clientConfig(t), "-J", clientUser + "@127.0.0.2",
					clientUser + "@127.0.0.3", "id", "-un",
				}
			}},
		{name: "SSH_ASKPASS", version: fromDebian("openssh-client"),
			hops: []string{"askpass shows:"},
			args: func(t *testing.T) []string {
				return []string{
					"env", "SSH_ASKPASS_REQUIRE=force",
					"SSH_ASKPASS=" + askpass(t, `echo "$answer"`), "ssh", "-F", clientConfig(t),
					clientUser + "@127.0.0.1", "id", "-un",
				}
			}},
	}
}

// clientsOfScript are the clients that the script "clients" installs.
func clientsOfScript() []client {
	newHost := func(c *rig.Terminal) {
		c.Expect(`Store key in cache\?`)
		c.TypeLine("y")
	}
	atHome := `Remote (working )?directory is /home/` + regexp.QuoteMeta(clientUser)
	return []client{
		{name: "plink", version: fromDebian("putty-tools"), tears: true, before: newHost,
			args: fixed("plink", "-P", rig.SSHPort, clientUser+"@127.0.0.1", "id", "-un"),
			after: func(c *rig.Terminal) {
				c.Expect(`Press Return to begin session`)
				c.TypeLine("")
			}},
		{name: "psftp", version: fromDebian("putty-tools"), tears: true,
			before: newHost, in: atHome,
			args: fixed("psftp", "-P", rig.SSHPort, clientUser+"@127.0.0.1")},
		{name: "dbclient", version: fromDebian("dropbear-bin"),
			args: fixed("dbclient", "-y", "-l", clientUser, "-p",
				rig.SSHPort, "127.0.0.1", "id -un")},
		{name: "mosh", version: fromDebian("mosh"), in: `in as ` + regexp.QuoteMeta(clientUser),
			args: func(t *testing.T) []string {
				return []string{
					"sh", "-c", `stty rows 24 columns 80 && TERM=xterm exec mosh "$@"`, "sh",
					"--ssh=ssh -F " + clientConfig(t), "--server=env LC_ALL=C.UTF-8 mosh-server",
					clientUser + "@127.0.0.1", "--", "sh",
					"-c", "echo in as $(id -un); read -r line",
				}
			}},
		{name: "paramiko", version: fromDebian("python3-paramiko"),
			args: fixed("/usr/bin/python3", "-B", libraries+"with_paramiko.py",
				rig.SSHPort, clientUser)},
		{name: "asyncssh", version: fromDebian("python3-asyncssh"),
			args: fixed("/usr/bin/python3", "-B", libraries+"with_asyncssh.py",
				rig.SSHPort, clientUser)},
		{name: "libssh", version: fromDebian("libssh-dev"), args: func(t *testing.T) []string {
			program := filepath.Join(t.TempDir(), "libssh")
			rig.Build(t, "gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o", program,
				libraries+"with_libssh.c", "-lssh")
			return []string{program, rig.SSHPort, clientUser}
		}},
		{name: "libssh2", version: fromDebian("libssh2-1-dev"), args: func(t *testing.T) []string {
			program := filepath.Join(t.TempDir(), "libssh2")
			rig.Build(t, "gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o", program,
				libraries+"with_libssh2.c", "-lssh2")
			return []string{program, rig.SSHPort, clientUser}
		}},
		{name: "x/crypto/ssh", args: fixed("/opt/clients/xcrypto", rig.SSHPort, clientUser),
			version: func(t *testing.T) string {
				return strings.TrimSpace(rig.Must(t, "sed", "-n",
					`s/^require golang.org.x.crypto //p`, libraries+"xcrypto/go.mod"))
			}},
		{name: "JSch", version: fromDebian("libjsch-java"), args: withJSch()},
		{name: "ssh2",
			args: fixed("env", "NODE_PATH=/opt/clients/node_modules", "/opt/oidc-provider/bin/node",
				libraries+"with_ssh2.js", rig.SSHPort, clientUser),
			version: func(t *testing.T) string {
				return strings.TrimSpace(rig.Must(t, "sed", "-n", `s/^  "version": "\(.*\)",$/\1/p`,
					"/opt/clients/node_modules/ssh2/package.json"))
			}},
	}
}

// A person sees page and code complete, even if ssh goes through another host, or another program
// asks for it.
func TestClientsHere(t *testing.T) {
	own := realPage(t)
	for _, k := range clientsHere() {
		t.Run(k.name, func(t *testing.T) { k.signsIn(t, own) })
	}
}

// withJSch runs Java's JSch with that patience, or with its own.
func withJSch(milliseconds ...string) func(*testing.T) []string {
	java := []string{
		"java", "-cp", "/usr/share/java/jsch.jar", libraries + "with_jsch.java",
		rig.SSHPort, clientUser,
	}
	return fixed(append(java, milliseconds...)...)
}

// TestClients signs in with every client, and prints what a person sees.
func TestClients(t *testing.T) {
	if !*otherClients {
		t.Skip("run by: make clients")
	}
	own := realPage(t)
	table := ""
	for _, k := range append(clientsHere(), clientsOfScript()...) {
		t.Run(k.name, func(t *testing.T) {
			table += fmt.Sprintf("%-12s %-24s %s\n", k.name, k.version(t), k.signsIn(t, own))
		})
	}
	t.Run("curl", func(t *testing.T) {
		table += fmt.Sprintf("%-12s %-24s %s\n", "curl",
			rig.VersionOf(t, "curl"), storedPassword(t))
	})
	os.Stdout.WriteString(table)
}

// storedPassword runs curl, which shows no prompt and answers it with the password that it was
// given.
func storedPassword(t *testing.T) string {
	t.Helper()
	mark := rig.Syslog.Mark()
	out, status := rig.Command(t, "", "curl", "-sS", "-k", "-u", clientUser+":a password",
		"sftp://127.0.0.1:"+rig.SSHPort+"/~/")
	if status != 67 || strings.Contains(out, "enter the code") { // CURLE_LOGIN_DENIED
		t.Errorf("curl: exit status %d: %s", status, out)
	}
	rig.Syslog.Exactly(t, mark, 1, `failed reason="stored-password" account="`+
		regexp.QuoteMeta(clientUser)+`"`)
	return "nothing; its stored password is refused at once"
}
