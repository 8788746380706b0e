// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"aadlogin/internal/machine/rig"
	"aadlogin/internal/qr"
)

// These tests scan the pictures of sign_in.qr as a phone does. The phone is zbarimg (Debian's
// zbar-tools), which shares no code with the drawing.

// camera returns the image of a picture on a terminal that writes light on dark, or dark on light.
func camera(lines []string, onDark bool) []byte {
	const scale = 3
	columns, rows := utf8.RuneCountInString(lines[0]), 2*len(lines)
	image := fmt.Appendf(nil, "P5 %d %d 255\n", scale*columns, scale*rows)
	for y := range scale * rows {
		for _, r := range lines[y/scale/2] {
			drawn := r == '█' || y/scale%2 == 0 && r == '▀' || y/scale%2 == 1 && r == '▄'
			grey := byte(0)
			if drawn == onDark {
				grey = 255
			}
			for range scale {
				image = append(image, grey)
			}
		}
	}
	return image
}

// scan reads pictures. Only a reader that tries it, as phones do, reads a reversed one.
func scan(t *testing.T, onDark bool, pictures ...[]string) (texts []string) {
	t.Helper()
	args := []string{"--nodbus", "--quiet", "--raw"}
	if !onDark {
		args = append(args, "-Stest-inverted=1")
	}
	dir := t.TempDir()
	for i, lines := range pictures {
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, camera(lines, onDark), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	out, err := exec.Command("zbarimg", args...).Output()
	if err != nil {
		t.Errorf("zbarimg: %v", err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// The pages have all lengths and characters, and some are monotonous, which are the hardest without
// a choice of the mask.
func TestPicturesAreRead(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	texts := []string{
		"https://microsoft.com/devicelogin", "https://login.microsoft.com/device",
		"https://microsoft.com/deviceloginchina",
	}
	for n := 1; n <= 106; n++ {
		text := make([]byte, n)
		for i := range text {
			text[i] = byte('!' + random.IntN('~'-'!'+1))
		}
		texts = append(texts, string(text), strings.Repeat(string(text[0]), n))
	}
	var pictures [][]string
	for _, text := range texts {
		pictures = append(pictures, qr.Draw(text))
	}
	for _, onDark := range []bool{true, false} {
		for i, read := range scan(t, onDark, pictures...) {
			if read != texts[i] {
				t.Fatalf("light on dark %v: read %q, want %q", onDark, read, texts[i])
			}
		}
	}
}

// withPictures configures pictures.
func withPictures(t *testing.T) {
	t.Helper()
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		return []byte(s + "\n[sign_in]\nqr = true\n")
	})
}

var (
	pictureLines = regexp.MustCompile(`(?m)(?:^[ ▀▄█]+\n)+`)
	colours      = regexp.MustCompile(`\x1b\[[0-9;]*m`)
)

// pictures returns the pictures in a program's output.
func pictures(said string) (all [][]string) {
	for _, lines := range pictureLines.FindAllString(colours.ReplaceAllString(said, ""), -1) {
		all = append(all, strings.Split(strings.TrimSuffix(lines, "\n"), "\n"))
	}
	return all
}

// pictured waits for a prompt, and reports whether there was a picture above it. The picture must
// be of the page.
func pictured(c *rig.Terminal, t *testing.T) (page, code string, drawn bool) {
	t.Helper()
	before := len(c.All())
	page, code = c.Prompted()
	shown := pictures(c.All()[min(before, c.Seen):c.Seen])
	if len(shown) > 1 {
		t.Fatalf("%d pictures above one prompt", len(shown))
	}
	for _, lines := range shown {
		for _, onDark := range []bool{true, false} {
			if read := scan(t, onDark, lines); len(read) != 1 || read[0] != page {
				t.Errorf("light on dark %v: the picture reads %q, and the page is %s",
					onDark, read, page)
			}
		}
	}
	return page, code, len(shown) == 1
}

// The picture that the real sshd and the real ssh show can be scanned, and leads to a sign-in.
func TestPictureOverSSH(t *testing.T) {
	const user = "user@contoso.example"
	withPictures(t)
	c := rig.SSH(t, user, "id -un")
	_, code, drawn := pictured(c, t)
	if !drawn {
		t.Fatal("no picture")
	}
	if first := regexp.MustCompile(`\(user@contoso.example@127.0.0.1\) Signing in to \S+ as user@contoso.example \(sshd, from 127.0.0.1\)\. \n█`); !first.MatchString(c.All()) {
		t.Error("the picture does not stand on lines of its own")
	}
	rig.Browse(t, scan(t, true, pictures(c.All())...)[0], code, user)
	c.TypeLine("")
	c.Expect(`\nuser@contoso\.example\n`)
}

// A client without UTF-8 shows every byte of a picture as \ and three digits. sshd cannot know
// that, so it is for the administrator to decide. The sentence comes last and complete, and the
// sign-in works.
func TestPictureInLocaleC(t *testing.T) {
	const user = "user@contoso.example"
	withPictures(t)
	c := rig.Open(t, "env",
		append([]string{"LC_ALL=C", "ssh"}, rig.SSHArgs("-tt", user+"@127.0.0.1", "id -un")...)...)
	c.SignIn(user)
	c.Expect(`\nuser@contoso\.example\n`)
	said := c.All()
	if strings.Count(said, `\342\226\210`) < 100 ||
		strings.ContainsFunc(said, func(r rune) bool { return r >= utf8.RuneSelf }) {
		t.Error("the picture came through as something else")
	}
}

// sudo, su and login know the terminal and the locale. They show a picture if both allow it.
func TestPictureAtTheMachine(t *testing.T) {
	const user, admin = "user@contoso.example", "admin@contoso.example"
	rig.Stored(t, user)
	rig.LocalUser(t)
	withPictures(t)
	su := "exec runuser -u local -- su - " + user + " -c true"
	for _, test := range []struct {
		name, command string
		drawn         bool
	}{
		{"su", "stty cols 80; " + su, true},
		{"su on just enough columns", "stty cols 37; " + su, true},
		{"su on one less", "stty cols 36; " + su, false},
		{"su without UTF-8", "stty cols 80; LC_ALL=C " + su, false},
		{"su on a line that does not say how wide it is", su, true},
		{"login", "stty cols 80; exec /bin/login " + user, true},
		{"login without UTF-8", "stty cols 80; LC_ALL=C exec /bin/login " + user, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := rig.Open(t, "sh", "-c", test.command)
			if page, code, drawn := pictured(c, t); drawn != test.drawn {
				t.Errorf("page %s, code %s: a picture: %v, want %v", page, code, drawn, test.drawn)
			}
		})
	}

	c := rig.SSH(t, admin)
	c.SignIn(admin)
	c.Expect(`\$ `)
	for command, want := range map[string]bool{
		"stty cols 60; LC_ALL=C.UTF-8 sudo -k id -u": true,
		"stty cols 60; LC_ALL=C sudo -k id -u":       false,
		"stty cols 30; LC_ALL=C.UTF-8 sudo -k id -u": false,
	} {
		c.TypeLine(command)
		page, code, drawn := pictured(c, t)
		if drawn != want {
			t.Errorf("%s: a picture: %v, want %v", command, drawn, want)
		}
		rig.Browse(t, page, code, admin)
		c.TypeLine("")
		c.Expect(`\n0\n`)
		c.Expect(`\$ `)
	}
}

// The picture does not fit a console that has a font of its own.
func TestNoPictureInWindows(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	withPictures(t)
	rig.PolkitHelper(t, "user@contoso.example") // takes the prompt only without a picture
}
