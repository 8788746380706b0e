// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

// torn matches an address as a client's terminal shows it. PuTTY's family breaks each line at
// column 77, even in a word, and puts "> " before the rest.
var torn = `(?s)http://127\.0\.0\.1:\d+/.*?[&\n> ]z[\n> ]*=[0-9a-f\n> ]{8,}\n`

// TestClientsPaste signs in with every client by a code of the sign-in page. The code is longer
// than OpenSSH's client takes at once, and stands in one line. The test prints the number of
// pastes.
func TestClientsPaste(t *testing.T) {
	if !*otherClients {
		t.Skip("run by: make clients")
	}
	rig.Stored(t, clientUser)
	table := ""
	for _, k := range append(clientsHere()[1:], clientsOfScript()...) {
		t.Run(k.name, func(t *testing.T) {
			table += fmt.Sprintf("%-12s %-24s %s\n", k.name, k.version(t), k.pastes(t))
		})
	}
	os.Stdout.WriteString(table)
}

// pastes signs in with the client and a browser. It returns what the person had to do.
func (k client) pastes(t *testing.T) (did string) {
	b := rig.ByBrowser(t, "code")
	t.Setenv("HOME", t.TempDir())
	args := k.args(t)
	c := rig.Open(t, args[0], args[1:]...)
	if k.before != nil {
		k.before(c)
	}
	everything, parts := b.AnswerTo(strings.TrimSpace(c.Expect(torn)[0]), clientUser)
	c.Expect(`Part 1: `)
	time.Sleep(rig.InTheBrowser)
	c.TypeLine(everything)
	did = fmt.Sprintf("one paste of %d characters", len(everything))
	in := `(?m)` + cmp.Or(k.in, `^`+regexp.QuoteMeta(clientUser)+`$`)
	if k.after != nil {
		in = `Press Return to begin session`
	}
	if said := c.Expect(`(?s)Part 2 of 2: |` + in)[0]; strings.HasPrefix(said, "Part 2") {
		did = "part by part"
		c.TypeLine(parts[1])
		c.Expect(in)
	}
	if k.after != nil {
		c.TypeLine("")
		c.Expect(`(?m)^` + regexp.QuoteMeta(clientUser) + `$`)
	}
	return did
}
