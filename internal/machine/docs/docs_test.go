// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// README.md and docs/getting-started are followed as a person would: every command of a page is
// typed into one shell, in the page's order, and what a block shows of the output must come. The
// emulator is Azure, and az a stand-in that knows Microsoft's reference of it (az_test.go): it is
// the page's own commands that give the machine its rights and the person her role.

// instead are the only words of a page that are typed otherwise.
var instead = [][2]string{
	{"contoso.com", "contoso.example"},                           // the emulator's domain
	{"./aad-login_*.deb", "./build/dist/aad-login_*" + rig.Arch}, // where the build has put it
	{"dist/aad-login_*.deb", "dist/aad-login_*" + rig.Arch},
	{"/myResourceGroup/", "/demo/"}, // of the emulator's machine
	{"machines/myMachine", "machines/demo-arc"},
	{"group=myResourceGroup", "group=demo"},
	{"vm=myVM", "vm=demo-vm"},
}

// shown are the parts of output that differ from one run to the next.
var shown = [][2]string{
	{`enter the code [A-Z0-9]{9} `, `enter the code [A-Z0-9]{9} `},
	{`page http\S+ and`, `page \S+ and`},
	{`^https?://\S+/devicelogin$`, `https?://\S+/devicelogin `}, // alone in its line
	{`Signing in to \S+ as`, `Signing in to \S+ as`},
	{`from [0-9.]+\)\.`, `from [0-9.]+\)\. `},
	{`\(sudo\)\.`, `\(sudo\)\. `},
	{`…`, `.*`},
}

// notRun says why a page marks a block "no-run", by the block's first line.
var notRun = map[string]string{
	"make demo": "stays until Ctrl-C; the emulator and the sshd of these tests are the ones that " +
		"it starts",
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
	text, err := os.ReadFile(filepath.Join("../../..", page))
	if err != nil {
		t.Fatal(err)
	}
	var open *docBlock
	blank := true // the line before
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		trimmed := strings.TrimLeft(line, " ")
		switch fence := strings.HasPrefix(trimmed, "```"); {
		case fence && open == nil:
			open = &docBlock{page: page, line: i + 1, info: strings.TrimPrefix(trimmed, "```")}
		case fence:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.lines = append(open.lines, line)
		case strings.HasPrefix(line, "    ") && blank && trimmed != "": // without a fence
			blocks = append(blocks, docBlock{page: page, line: i + 1, lines: []string{line}})
		}
		blank = trimmed == ""
	}
	if open != nil {
		t.Errorf("%v: a fence is not closed", open)
	}
	return blocks
}

// A docReader is a person who follows a page.
type docReader struct {
	*rig.Terminal
	n     int  // commands typed
	obeys bool // runs what our programs propose
}

const docPrompt = "next after "

func newDocReader(t *testing.T) *docReader {
	t.Helper()
	t.Setenv("PS1", docPrompt+`\#: $? `)
	t.Setenv("PS2", "")
	t.Setenv("PATH", azOnPath(t)+":"+os.Getenv("PATH"))
	r := &docReader{Terminal: rig.Open(t, "bash", "--norc", "--noprofile", "--noediting")}
	r.TypeLine("cd ../../..; stty -echo")
	r.Expect(docPrompt)
	r.n = 2
	return r
}

// follow types a block of commands, and signs in where a page and a code are shown.
func (r *docReader) follow(b docBlock) {
	r.T.Helper()
	for _, command := range commandsOf(b.lines) {
		r.TypeLine(typed(command))
		r.finish(b, command)
	}
}

// finish waits for a command to end with success.
func (r *docReader) finish(b docBlock, command string) {
	r.T.Helper()
	from := r.Seen
	for {
		m := r.Expect(fmt.Sprintf(`%s%d: (\d+) |as (\S+) \(\S+(?:, from \S+)?\)\. \n(?:\S+ \n)?%s`,
			docPrompt, r.n+1, rig.PromptPattern))
		if m[2] != "" {
			rig.Browse(r.T, m[3], m[4], m[2])
			r.TypeLine("")
			continue
		}
		r.n++
		if m[1] != "0" {
			r.T.Fatalf("%v: exit status %s of %q:\n%s", b, m[1], command, r.All()[from:])
		}
		if r.obeys {
			r.proposals(r.All()[from:])
		}
		return
	}
}

// proposals runs the commands for Azure that our programs have printed, with alice as the PERSON.
func (r *docReader) proposals(said string) {
	r.T.Helper()
	commands := regexp.MustCompile(`(?m)^(?:    run: )?(az .*)$`)
	for _, line := range commands.FindAllStringSubmatch(said, -1) {
		r.TypeLine(strings.ReplaceAll(line[1], "PERSON@", "alice@"))
		m := r.Expect(fmt.Sprintf(`%s%d: (\d+) `, docPrompt, r.n+1))
		if r.n++; m[1] != "0" {
			r.T.Errorf("printed, and not accepted: %s", line[1])
		}
	}
}

var remotePrompt = regexp.MustCompile(`^(\S+@\S+:\S*[$#]) (.*)$`)

// rehearse goes through a block that shows a session. It types what stands behind a prompt, and
// expects all else as output.
func (r *docReader) rehearse(b docBlock) {
	r.T.Helper()
	remote := false
	for _, line := range b.lines {
		command, local := strings.CutPrefix(line, "$ ")
		switch m := remotePrompt.FindStringSubmatch(line); {
		case local:
			r.TypeLine(typed(command))
		case m != nil:
			remote = true
			prompt := regexp.QuoteMeta(typed(m[1]))
			r.Expect(regexp.MustCompile(`@.*:`).ReplaceAllString(prompt, `@\S+:`) + ` `)
			r.TypeLine(typed(m[2]))
		case line == "Press ENTER when ready.": // sudo's prompt, answered with the line above it
		case strings.HasPrefix(line, "To sign in"):
			page, code := r.Prompted()
			rig.Browse(r.T, page, code, person(r.All()))
			r.TypeLine("")
		default:
			r.Expect(pattern(typed(line)) + `\n`)
		}
	}
	if remote {
		r.Expect(`[$#] `)
		r.TypeLine("exit")
	}
	r.finish(b, b.lines[0])
}

// person returns the account that was asked to sign in last.
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

// commandsOf joins the lines of a command: a backslash, an open quote or a loop continues it.
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

// runPage runs the blocks of a page, and fails if the page leaves one out without a reason. If a
// page obeys, it leaves it to our programs to say which commands follow.
func runPage(t *testing.T, page string, obeys bool) {
	t.Helper()
	r := newDocReader(t)
	r.obeys = obeys
	ran := 0
	for _, b := range docBlocks(t, page) {
		if b.info == "" {
			t.Errorf("%v does not say what it is", b)
		}
		kind, marked := strings.CutSuffix(b.info, " no-run")
		switch {
		case marked:
			if notRun[strings.TrimSpace(b.lines[0])] == "" {
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
