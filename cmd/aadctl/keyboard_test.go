// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"
	"github.com/spf13/cobra"
)

const testPage = "https://signin.contoso.example/"

// A pasted text goes only to the module that has named the page.
func TestKeyboard(t *testing.T) {
	const prompt = "Sign in to web-07 as alice@contoso.example.\n\n" + testPage +
		"#c=abc&z=0f3a9c21\n\nPart 1: "
	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	k := &keyboard{page: testPage, in: strings.NewReader("one\n\nthree\n"), out: &out}
	c := conversation{cmd: cmd, clock: &countdown{w: &out}, keyboard: k}
	for _, style := range []pam.Style{pam.PromptEchoOff, pam.PromptEchoOn} {
		if answer, err := c.answer(style, "Password: "); answer != "" ||
			!errors.Is(err, errNotOurs) {
			t.Errorf("before the page was named: %q, %v", answer, err)
		}
	}
	for _, test := range []struct{ prompt, answer string }{{prompt, "one"}, {prompt, ""},
		{"Part 2 of 2: ", "three"}} {
		if answer, err := c.answer(pam.PromptEchoOff, test.prompt); answer != test.answer ||
			err != nil {
			t.Errorf("%q, %v, want %q", answer, err, test.answer)
		}
	}
	if _, err := c.answer(pam.PromptEchoOn, "Part 3 of 3: "); !errors.Is(err, errNoLine) {
		t.Error(err)
	}
	if want := prompt + prompt + "Part 2 of 2: Part 3 of 3: "; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// Only an address that begins with the page's is opened, and only if it is alone on its line.
func TestAddressIn(t *testing.T) {
	for text, want := range map[string]string{
		"Open\r\n" + testPage + "#c=a\r\nand paste": testPage + "#c=a",
		testPage + "#c=a":            testPage + "#c=a",
		testPage + "#c=a b":          "",
		"go to " + testPage + "#c=a": "",
		testPage + "other#c=a":       "",
		"https://evil.example/#c=a":  "",
		testPage:                     "",
		"":                           "",
	} {
		if got := addressIn(text, testPage); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := addressIn("#c=a", ""); got != "" {
		t.Errorf("without a page: %q", got)
	}
}

// The browser runs as the person who called sudo, with that person's own home and desktop, or not
// at all.
func TestInvoker(t *testing.T) {
	env := map[string]string{"SUDO_UID": "65534", "DISPLAY": ":7", "XAUTHORITY": "/x",
		"LD_PRELOAD": "/evil.so", "HOME": "/root", "PATH": "/evil"}
	getenv := func(key string) string { return env[key] }
	d, err := invoker(getenv)
	if err != nil {
		t.Skip(err) // sudo has no such caller here
	}
	if d.as.Uid != 65534 || d.as.Gid == 0 || slices.Contains(d.as.Groups, 0) || d.as.NoSetGroups {
		t.Errorf("%+v", d.as)
	}
	all := strings.Join(d.env, " ")
	for _, no := range []string{"evil", "/root", "SUDO"} {
		if strings.Contains(all, no) {
			t.Error(all)
		}
	}
	if !strings.Contains(all, "DISPLAY=:7") || !strings.Contains(all, "USER=") {
		t.Error(all)
	}
	for _, wrong := range []map[string]string{
		{"SUDO_UID": "0", "DISPLAY": ":7"}, {"DISPLAY": ":7"}, {"SUDO_UID": "65534"},
		{"SUDO_UID": "-1", "DISPLAY": ":7"}, {"SUDO_UID": "root", "DISPLAY": ":7"},
	} {
		env = wrong
		if d, err := invoker(getenv); err == nil {
			t.Errorf("%v: %+v", wrong, d)
		}
	}
}

// Without a terminal, hidden changes nothing.
func TestHidden(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var out bytes.Buffer
	hidden(r, &out)()
	hidden(strings.NewReader(""), &out)()
	if out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
}
