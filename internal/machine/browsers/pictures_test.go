// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
	"aadlogin/internal/pasted"
)

// The pictures in docs/pictures show one sign-in, on its terminal and in its browser. "make
// pictures" takes them and puts them there. Every run of the tests compares them with a sign-in.
func TestPictures(t *testing.T) {
	t.Run("taken", func(t *testing.T) { takePictures(t) })
	t.Run("page", func(t *testing.T) { takePagePictures(t) })
	t.Run("kept", func(t *testing.T) {
		kept, taken := written(t, "../../../docs/pictures/sign-in.svg"),
			written(t, newPictures+"sign-in.svg")
		if kept != taken {
			t.Errorf("the picture in docs/pictures is not what a sign-in looks like; run: make "+
				"pictures\n%s\nnow:\n%s", kept, taken)
		}
	})
}

const newPictures = "../../../build/pictures/"

func takePictures(t *testing.T) {
	quietMachine(t)
	c := rig.Open(t, "env", "PS1=$ ", "bash", "--norc", "--noediting", "-i")
	c.Expect(`\$ `)
	c.TypeLine("ssh -p " + rig.SSHPort + " admin@contoso.example@127.0.0.1")
	page, code := c.Prompted()
	b := rig.NewChromium(t)
	b.EnterCode(page, code)
	b.Expect(code)
	save(t, "device-page.png", smaller(t, b.Screenshot()))
	b.ChooseAccount("Ada Admin admin@contoso.example")
	b.Expect(signedIn)
	c.TypeLine("")
	c.Expect(`:~\$ `)
	c.TypeLine("id")
	c.Expect(`\(aad_admins\)\n.*:~\$ `)
	_, text, _ := strings.Cut(c.All(), "$ ")
	save(t, "sign-in.svg", drawTerminal("$ "+strings.TrimRight(text, " ")))
}

var takeAll = flag.Bool("pictures", false, "take the pictures that no test compares, too")

// takePagePictures takes the pictures of the sign-in page: the question, and the text to paste.
// TestSignInPageCanBeUsed tests their layout.
func takePagePictures(t *testing.T) {
	if !*takeAll {
		t.Skip("run: make pictures")
	}
	b := rig.NewChromium(t)
	a := atPrompt(rig.WebHost(t, rig.ContosoPage(t)),
		func(a *pasted.Attempt) { a.Account, a.Machine = "admin@contoso.example", "demo-vm" })
	b.Open(a.Address())
	b.Heard(`heading "Sign in to demo-vm?"`)
	save(t, "sign-in-page.png", smaller(t, b.Screenshot()))
	b.GoOn(a)
	b.SignIn()
	b.Heard(`button "Copy the answer"`)
	b.Press(rig.KeyEnter)
	b.Expect("Copied the answer")
	save(t, "sign-in-answer.png", smaller(t, b.Screenshot()))
}

// quietMachine removes the message of the day, and makes the host key known to every local user.
func quietMachine(t *testing.T) {
	t.Helper()
	rig.Edit(t, "/etc/pam.d/sshd", func(text string) []byte {
		return []byte(
			regexp.MustCompile(`(?m)^session.*pam_motd\.so.*\n`).ReplaceAllString(text, ""))
	})
	key, err := os.ReadFile("/etc/ssh/ssh_host_ed25519_key.pub")
	if err != nil {
		t.Fatal(err)
	}
	const known = "/etc/ssh/ssh_known_hosts"
	err = os.WriteFile(known, append([]byte("[127.0.0.1]:"+rig.SSHPort+" "), key...), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(known) })
	rig.Must(t, "rm", "-rf", "/home/admin@contoso.example") // an earlier test's
	rig.Must(t, "truncate", "--size=0", "/var/log/lastlog") // and when that was
}

// smaller returns the picture with the 256 colours that it has most of, in a third of the bytes.
func smaller(t *testing.T, picture []byte) []byte {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	count := map[color.Color]int{}
	area := full.Bounds()
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			count[full.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count),
		func(a, b color.Color) int { return count[b] - count[a] })
	few := image.NewPaletted(area, colours[:min(256, len(colours))])
	nearest := map[color.Color]uint8{}
	for _, c := range colours {
		nearest[c] = uint8(few.Palette.Index(c))
	}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			few.SetColorIndex(x, y, nearest[full.At(x, y)])
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func save(t *testing.T, name string, picture []byte) {
	t.Helper()
	if len(picture) > 80<<10 {
		t.Errorf("%s has %d bytes, too many for a README", name, len(picture))
	}
	if err := os.MkdirAll(newPictures, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(newPictures+name, picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

// written is the text in a picture of a terminal, without what differs from one sign-in and one
// machine to the next.
func written(t *testing.T, path string) string {
	t.Helper()
	picture, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := html.UnescapeString(regexp.MustCompile(`<title>[^<]*</title>|<style>[^<]*</style>|<[^>]*>|\n`).ReplaceAllString(string(picture), ""))
	host := regexp.MustCompile(`Signing in to (\S+) as`).FindStringSubmatch(text)
	if host == nil {
		t.Fatalf("no sign-in in the picture: %s", text)
	}
	short, _, _ := strings.Cut(host[1], ".") // as the shell's prompt has it
	text = strings.NewReplacer(host[1], "HOST", "@"+short+":", "@HOST:").Replace(text)
	text = regexp.MustCompile(`This connection ends in \d+ seconds\. `).ReplaceAllString(text, "")
	return regexp.MustCompile(`enter the code \S{9}`).ReplaceAllString(text, "enter the code CODE")
}

// rows returns the lines that a terminal of 110 columns makes of a text.
var rows = regexp.MustCompile(`.{1,110}`)

// accents are the parts to look at: the typed text, the page and the code.
var accents = regexp.MustCompile(`(\$ )(.+)$|(the page |the code )(\S+)`)

// drawTerminal draws a terminal with a text as SVG.
func drawTerminal(text string) []byte {
	const wide, line = 978, 21
	lines := rows.FindAllString(text, -1)
	high := len(lines)*line + 28
	var out bytes.Buffer
	fmt.Fprintf(&out,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">
<title>A terminal: ssh shows a page and a code, and lets in who has signed in there.</title>
<style>
rect { fill: #171b21; stroke: #6b7786 }
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #c9d1d9; white-space: pre }
.typed { fill: #fff; font-weight: bold }
.shown { fill: #7db8f5 }
</style>
<rect x=".5" y=".5" width="%d" height="%d" rx="8"/>
`, wide, high, wide, high, wide-1, high-1)
	for i, row := range lines {
		row = accents.ReplaceAllString(html.EscapeString(row),
			`$1<tspan class="typed">$2</tspan>$3<tspan class="shown">$4</tspan>`)
		row = strings.NewReplacer(`<tspan class="typed"></tspan>`, "",
			`<tspan class="shown"></tspan>`, "").Replace(row)
		fmt.Fprintf(&out, "<text x=\"16\" y=\"%d\" xml:space=\"preserve\">%s</text>\n",
			30+i*line, row)
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}
