// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
)

// README.md and docs/getting-started are followed as a person would: every command of a page is typed into one shell, in the
// page's order, and what a block shows of the output must come. The emulator is Azure, and az a stand-in that knows Microsoft's
// reference of it (az_test.go): it is the page's own commands that give the machine its rights and the person her role.

// instead are the only words of a page that are typed otherwise.
var instead = [][2]string{
	{"contoso.com", "contoso.example"},                       // the emulator's domain
	{"./aad-login_*.deb", "./build/dist/aad-login_*" + arch}, // where the build has put it
	{"dist/aad-login_*.deb", "dist/aad-login_*" + arch},
	{"/myResourceGroup/", "/demo/"}, // of the emulator's machine
	{"machines/myMachine", "machines/demo-arc"},
}

// arch is how the package of this architecture ends; the build may have made others, too.
var arch = "_" + debianArchitecture() + ".deb"

func debianArchitecture() string {
	out, _ := exec.Command("dpkg", "--print-architecture").Output()
	return strings.TrimSpace(string(out))
}

// shown are the parts of output that differ from one run to the next.
var shown = [][2]string{
	{`enter the code [A-Z0-9]{9} `, `enter the code [A-Z0-9]{9} `},
	{`page http\S+ and`, `page \S+ and`},
	{`Signing in to \S+ as`, `Signing in to \S+ as`},
	{`from [0-9.]+\)`, `from [0-9.]+\)`},
	{`…`, `.*`},
}

// notRun says why a block is marked "no-run" in its page, by its first line.
var notRun = map[string]string{
	"make demo":        "stays until Ctrl-C; the emulator and sshd of these tests are the ones that it starts",
	"make packages":    "has made the package that is installed here",
	"git clone":        "there is no network",
	"journalctl -g":    "no systemd runs here",
	"systemctl":        "no systemd runs here",
	"sudo dnf install": "a machine of Debian's",
}

// A docBlock is one fenced block of a page.
type docBlock struct {
	page  string
	line  int
	info  string // after the fence
	lines []string
}

func (b docBlock) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

func docBlocks(t *testing.T, page string) (blocks []docBlock) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", page))
	if err != nil {
		t.Fatal(err)
	}
	var open *docBlock
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		trimmed := strings.TrimLeft(line, " ")
		switch fence := strings.HasPrefix(trimmed, "```"); {
		case fence && open == nil:
			open = &docBlock{page: page, line: i + 1, info: strings.TrimPrefix(trimmed, "```")}
		case fence:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.lines = append(open.lines, line)
		case strings.HasPrefix(line, "    ") && strings.TrimSpace(line) != "" && !strings.HasPrefix(trimmed, "|"):
			t.Errorf("%s:%d: an indented block cannot say what it is; fence it", page, i+1)
		}
	}
	if open != nil {
		t.Errorf("%v: a fence is not closed", open)
	}
	return blocks
}

// A reader is somebody who follows a page.
type docReader struct {
	*terminal
	n int // commands typed
}

const docPrompt = "next after "

func newDocReader(t *testing.T) *docReader {
	t.Helper()
	t.Setenv("PS1", docPrompt+`\#: $? `)
	t.Setenv("PS2", "")
	t.Setenv("PATH", azOnPath(t)+":"+os.Getenv("PATH"))
	r := &docReader{terminal: open(t, "bash", "--norc", "--noprofile", "--noediting")}
	r.typeLine("cd ../..; stty -echo")
	r.expect(docPrompt)
	r.n = 2
	return r
}

// follow types a block of commands, and signs in where a page and a code are shown.
func (r *docReader) follow(b docBlock) {
	r.t.Helper()
	for _, command := range commandsOf(b.lines) {
		r.typeLine(typed(command))
		r.finish(b, command)
	}
}

// finish waits for the end of a command, and has it succeed.
func (r *docReader) finish(b docBlock, command string) {
	r.t.Helper()
	from := r.seen
	for {
		m := r.expect(fmt.Sprintf(`%s%d: (\d+) |as (\S+) \(\S+(?:, from \S+)?\)\.\n%s`, docPrompt, r.n+1, promptPattern))
		if m[2] != "" {
			browse(r.t, m[3], m[4], m[2])
			r.typeLine("")
			continue
		}
		r.n++
		if m[1] != "0" {
			r.t.Fatalf("%v: exit status %s of %q:\n%s", b, m[1], command, r.all()[from:])
		}
		r.proposals(r.all()[from:])
		return
	}
}

// proposals runs the commands for Azure that a program of ours has printed, with alice as the PERSON.
func (r *docReader) proposals(said string) {
	r.t.Helper()
	for _, line := range regexp.MustCompile(`(?m)^(?:    run: )?(az .*)$`).FindAllStringSubmatch(said, -1) {
		r.typeLine(strings.ReplaceAll(line[1], "PERSON@", "alice@"))
		m := r.expect(fmt.Sprintf(`%s%d: (\d+) `, docPrompt, r.n+1))
		if r.n++; m[1] != "0" {
			r.t.Errorf("printed, and not accepted: %s", line[1])
		}
	}
}

var remotePrompt = regexp.MustCompile(`^(\S+@\S+:\S*[$#]) (.*)$`)

// rehearse goes through a block that shows a session: what stands behind a prompt is typed, all else must be said.
func (r *docReader) rehearse(b docBlock) {
	r.t.Helper()
	remote := false
	for _, line := range b.lines {
		command, local := strings.CutPrefix(line, "$ ")
		switch m := remotePrompt.FindStringSubmatch(line); {
		case local:
			r.typeLine(typed(command))
		case m != nil:
			remote = true
			r.expect(regexp.MustCompile(`@.*:`).ReplaceAllString(regexp.QuoteMeta(typed(m[1])), `@\S+:`) + ` `)
			r.typeLine(typed(m[2]))
		case strings.HasPrefix(line, "To sign in"):
			page, code := r.prompted()
			browse(r.t, page, code, person(r.all()))
			r.typeLine("")
		default:
			r.expect(pattern(typed(line)) + `\n`)
		}
	}
	if remote {
		r.expect(`[$#] `)
		r.typeLine("exit")
	}
	r.finish(b, b.lines[0])
}

// person is who was last asked to sign in.
func person(said string) string {
	all := regexp.MustCompile(`Signing in to \S+ as (\S+) `).FindAllStringSubmatch(said, -1)
	return all[len(all)-1][1]
}

func typed(text string) string {
	for _, pair := range instead {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}

func pattern(line string) string {
	for i, pair := range shown {
		line = regexp.MustCompile(pair[0]).ReplaceAllString(line, fmt.Sprintf("\x00%d\x00", i))
	}
	line = regexp.QuoteMeta(line)
	for i, pair := range shown {
		line = strings.ReplaceAll(line, fmt.Sprintf("\x00%d\x00", i), pair[1])
	}
	return line
}

// commandsOf puts the lines of a command together: a backslash, an open quote or a loop goes on.
func commandsOf(lines []string) (commands []string) {
	var command string
	for _, line := range lines {
		if command += line; complete(command) {
			commands, command = append(commands, command), ""
		} else {
			command += "\n"
		}
	}
	return commands
}

func complete(command string) bool {
	words := strings.Fields(command)
	return !strings.HasSuffix(command, "\\") && strings.Count(command, "'")%2 == 0 &&
		(slices.Contains(words, "done") || !slices.Contains(words, "for"))
}

// runPage runs what a page has to run, and fails for what it leaves out without a reason.
func runPage(t *testing.T, page string) {
	t.Helper()
	r := newDocReader(t)
	ran := 0
	for _, b := range docBlocks(t, page) {
		kind, marked := strings.CutSuffix(b.info, " no-run")
		switch {
		case marked:
			if !excused(b.lines[0]) {
				t.Errorf("%v is not run, and notRun has no reason for it", b)
			}
		case kind == "sh":
			r.follow(b)
			ran++
		case kind == "console":
			r.rehearse(b)
			ran++
		case kind != "toml": // which internal/config reads
			t.Errorf("%v: a block of %q is neither commands nor configuration", b, b.info)
		}
	}
	if ran < 2 {
		t.Errorf("%s: %d blocks were run", page, ran)
	}
}

func excused(line string) bool {
	line = strings.TrimPrefix(line, "$ ")
	for start := range notRun {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

const alice = "alice@contoso.example"

var newPerson = emulator.User{Name: alice, ObjectID: "a11ce000-1111-2222-3333-444444444444"}

// fresh is a machine whose configuration is as the package brings it, but for the addresses of Azure, in a directory in which it has
// no rights and alice no role. Her first sign-in is still to come.
func fresh(t *testing.T, resource string, endpoints ...string) {
	t.Helper()
	directory(t, func(d *emulator.Directory) {
		d.Users = append(d.Users, newPerson)
		d.Machine.ResourceID = resource
		d.Assignments, d.Roles = nil, nil
	})
	must(t, "rm", "-rf", "/home/"+alice, "/var/cache/aad-login")
	shipped, err := os.ReadFile("../../packaging/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(shipped)
	for _, line := range append(endpoints, `authority = "`+entra.EntraURL(), `resource_manager = "`+entra.EntraURL(), `ca_file = "`+caFile) {
		key, _, _ := strings.Cut(line, " ")
		text = strings.Replace(text, "\n#"+key+` = ""`, "\n"+line+`"`, 1)
	}
	edit(t, configFile, func(string) []byte { return []byte(text) })
	t.Cleanup(func() {
		os.Remove(configFile + ".previous")
		must(t, "rm", "-rf", "/var/cache/aad-login")
	})
	edit(t, "/etc/hosts", begin("127.0.0.1 vm.contoso.example\n"))
	sshConfig(t, "Host vm.contoso.example\n\tPort "+sshPort+"\n\tStrictHostKeyChecking no\n\tUserKnownHostsFile /dev/null\n\tLogLevel ERROR\n")
}

// sshConfig is root's own, for the length of a test.
func sshConfig(t *testing.T, text string) {
	t.Helper()
	if err := os.MkdirAll("/root/.ssh", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/root/.ssh/config", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove("/root/.ssh/config") })
}

const (
	demoVM  = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.Compute/virtualMachines/demo-vm"
	demoArc = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.HybridCompute/machines/demo-arc"
)

func TestGettingStarted(t *testing.T) {
	pages, err := filepath.Glob("../../docs/getting-started/*.md")
	if err != nil || len(pages) != 3 {
		t.Fatal(pages, err)
	}
	t.Cleanup(func() { must(t, "aadctl", "config", "apply") })
	t.Run("azure-vm", func(t *testing.T) {
		t.Cleanup(func() { // if the page does not come so far
			if out, _ := command(t, "", "dpkg-query", "-W", "-f", "${db:Status-Abbrev}", "aad-login"); out != "ii " {
				must(t, "dpkg", "--install", "--force-confold", debian(t))
			}
		})
		must(t, "dpkg", "--remove", "aad-login")
		fresh(t, demoVM, `metadata = "`+entra.MetadataURL())
		if err := entra.Update(func(d *emulator.Directory) { d.Identities = nil }); err != nil {
			t.Fatal(err)
		}
		runPage(t, "docs/getting-started/azure-vm.md")
	})
	t.Run("arc", func(t *testing.T) {
		fresh(t, demoArc)
		if err := os.MkdirAll("/var/opt/azcmagent/tokens", 0o700); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll("/var/opt/azcmagent") })
		forward(t, "127.0.0.1:40342", "127.0.0.1:8442")
		runPage(t, "docs/getting-started/arc.md")
	})
	t.Run("any-linux", func(t *testing.T) {
		fresh(t, demoVM)
		runPage(t, "docs/getting-started/any-linux.md")
	})
}

// What README.md shows of the demonstration is what a newcomer sees.
func TestReadme(t *testing.T) {
	directory(t, func(d *emulator.Directory) { d.Users = append(d.Users, newPerson) })
	must(t, "rm", "-rf", "/home/admin@contoso.example")
	sshConfig(t, "Host 127.0.0.1\n\tStrictHostKeyChecking no\n\tUserKnownHostsFile /dev/null\n\tLogLevel ERROR\n")
	runPage(t, "README.md")
}

// What the pages show of sshd_config and sudoers is taken by sshd and visudo.
func TestFragmentsOfPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatal(pages, err)
	}
	looked := map[string]int{}
	file := filepath.Join(t.TempDir(), "fragment")
	for _, page := range pages {
		for _, b := range docBlocks(t, strings.TrimPrefix(page, "../../")) {
			check := map[string][]string{
				"sshd-config": {"/usr/sbin/sshd", "-t", "-h", "/etc/ssh/ssh_host_ed25519_key", "-f", file},
				"sudoers":     {"visudo", "-c", "-q", "-f", file},
				"ssh-config":  {"ssh", "-G", "-F", file, "vm.contoso.com"},
			}[b.info]
			if check == nil {
				continue
			}
			looked[b.info]++
			if err := replaceFile(file, []byte(strings.Join(b.lines, "\n")+"\n"), 0o440); err != nil {
				t.Fatal(err)
			}
			if out, status := command(t, "", check[0], check[1:]...); status != 0 {
				t.Errorf("%v: %s", b, out)
			}
		}
	}
	if looked["sshd-config"] < 3 || looked["sudoers"] < 3 || looked["ssh-config"] < 1 {
		t.Errorf("found only %v", looked)
	}
}

// absent are paths that a machine has only at times.
var absent = map[string]string{
	"/run/aad-login/": "with sign_in.reuse_window",
}

// The files of ours that pages name are there, on a machine that people have signed in to.
func TestPathsOfPages(t *testing.T) {
	stored(t, "user@contoso.example")
	must(t, "aadctl", "account", "set", "--shell", "/bin/sh", "user@contoso.example")
	must(t, "aadctl", "account", "set", "--shell", "/bin/bash", "user@contoso.example")
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || pages == nil {
		t.Fatal(err)
	}
	named := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`(/(?:etc|usr|var|run)/[^` ]*aad[^` ]*)`").FindAllStringSubmatch(string(text), -1) {
			named++
			if found, err := filepath.Glob(m[1]); (err != nil || found == nil) && absent[m[1]] == "" {
				t.Errorf("%s: there is no %s", page, m[1])
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d paths were found", named)
	}
}
